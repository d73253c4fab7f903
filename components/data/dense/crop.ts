import type { Random } from '../../nn/random.ts';
import type { Labels } from '../decode/label-map.ts';
import { noClass } from '../targets.ts';
import type { Window } from '../types.ts';
import type { Size } from './geometry.ts';
import { nearestPlaces } from './nearest.ts';

const ATTEMPTS = 10;

interface Cut {
  /** Height and width of what is cut out. */
  readonly size: number;
  readonly maxClassShare: number;
}

/**
 * A window of the resized image, in whole pixels: mmsegmentation's RandomCrop with `cat_max_ratio`. One in which a class has too
 * large a share, or no two classes are, is drawn again, ten times; what is drawn then is taken as it is. Where the resized
 * image is smaller than the window, the window ends with it.
 */
export function drawWindow(
  target: Labels,
  resized: Size,
  { size, maxClassShare }: Cut,
  random: Random,
): Window {
  const { height, width } = target;
  const [down, across] = [Math.max(0, resized.height - size), Math.max(0, resized.width - size)];
  const draw = (): Window => ({
    ...{ top: random.int(down + 1), left: random.int(across + 1) },
    ...{ height: Math.min(size, resized.height), width: Math.min(size, resized.width) },
  });
  let window = draw();
  // There is only one window: however often it is drawn, it is the same.
  if (maxClassShare === 1 || (down === 0 && across === 0)) return window;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const geometry = { source: { height, width }, resized, window, mirrored: false };
    if (isMixed(countClasses(target, geometry), maxClassShare)) break;
    window = draw();
  }
  return window;
}

/** Pixels of each class in a window of the resized label map. */
function countClasses(target: Labels, geometry: Parameters<typeof nearestPlaces>[0]): Uint32Array {
  const { rows, columns } = nearestPlaces(geometry);
  const { labels, width } = target;
  const counts = new Uint32Array(256);
  for (let y = 0; y < rows.length; ) {
    let same = 1;
    while (y + same < rows.length && rows[y + same] === rows[y]) same++;
    const from = rows[y]! * width;
    for (let x = 0; x < columns.length; x++) counts[labels[from + columns[x]!]!]! += same;
    y += same;
  }
  return counts;
}

function isMixed(counts: Uint32Array, maxShare: number): boolean {
  let [classes, most, all] = [0, 0, 0];
  for (let label = 0; label < noClass; label++) {
    const count = counts[label]!;
    if (count === 0) continue;
    classes++;
    all += count;
    if (count > most) most = count;
  }
  return classes > 1 && most / all < maxShare;
}
