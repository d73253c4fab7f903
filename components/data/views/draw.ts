import type { Random } from '../../nn/random.ts';
import type { Window } from '../types.ts';
import type { Crop, View } from './view.ts';

/** What chance decided about one image, whichever sizes its pictures have. */
export interface Drawn {
  readonly flip: boolean;
  /** Of a random-resized crop: a part of the source, in whole pixels. */
  readonly part?: Window;
  /** Of a shift: pixels downwards and to the right. */
  readonly shift?: readonly [down: number, right: number];
}

/** Where the pixels of a picture come from: a window of a part of the source that is resized. */
export interface Placement {
  readonly part: Window;
  readonly resized: Pick<Window, 'height' | 'width'>;
  readonly window: Window;
}

type Size = Pick<Window, 'height' | 'width'>;

/** Draws the flip and the crop of an image of a size; `random` is the image's own stream of this epoch. */
export function drawView({ crop, flip }: Pick<View, 'crop' | 'flip'>, source: Size, random: Random): Drawn {
  // Always drawn, so that crops don't depend on whether there are flips.
  const mirrored = random.uniform() < flip;
  if (crop.kind === 'random-resized') return { flip: mirrored, part: drawPart(crop, source, random) };
  if (crop.kind !== 'shift') return { flip: mirrored };
  const draw = (): number => random.int(2 * crop.distance + 1) - crop.distance;
  return { flip: mirrored, shift: [draw(), draw()] };
}

/** As torchvision's RandomResizedCrop and BEiT's with two pictures: ten attempts, then the middle. */
function drawPart(
  { scale, ratio }: Extract<Crop, { kind: 'random-resized' }>,
  { height, width }: Size,
  random: Random,
): Window {
  const between = (from: number, to: number): number => from + (to - from) * random.uniform();
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = between(...scale) * height * width;
    const aspect = Math.exp(between(Math.log(ratio[0]), Math.log(ratio[1])));
    const [h, w] = [Math.round(Math.sqrt(area / aspect)), Math.round(Math.sqrt(area * aspect))];
    if (h < 1 || w < 1 || h > height || w > width) continue;
    return { top: random.int(height - h + 1), left: random.int(width - w + 1), height: h, width: w };
  }
  const h = Math.min(height, Math.max(1, Math.round(width / ratio[0])));
  const w = Math.min(width, Math.max(1, Math.round(height * ratio[1])));
  return { top: Math.floor((height - h) / 2), left: Math.floor((width - w) / 2), height: h, width: w };
}

/** Which pixels a square picture of `size` shows. */
export function placeView(crop: Crop, { part }: Drawn, source: Size, size: number): Placement {
  const square = { top: 0, left: 0, height: size, width: size };
  if (part) return { part, resized: square, window: square };
  // Torchvision's Resize of the shorter side, then CenterCrop.
  const shorter = Math.floor(size / (crop.kind === 'centre' ? crop.share : 1));
  const short = Math.min(source.height, source.width);
  const resized = {
    height: Math.trunc((shorter * source.height) / short),
    width: Math.trunc((shorter * source.width) / short),
  };
  const window = {
    ...square,
    top: roundToEven((resized.height - size) / 2),
    left: roundToEven((resized.width - size) / 2),
  };
  return { part: { top: 0, left: 0, ...source }, resized, window };
}

/** As Python rounds: halves to the even neighbour. */
function roundToEven(value: number): number {
  const low = Math.floor(value);
  return value - low === 0.5 ? low + (low % 2) : Math.round(value);
}
