import type { Random } from '../../nn/random.ts';
import type { Pixels, Window } from '../types.ts';
import { type Blend, blendPart } from './blend.ts';
import {
  blendTable,
  compose,
  greySum,
  lumaOf,
  mapBytes,
  SAME,
  saturate,
  saturationEnds,
  type Table,
} from './colour.ts';
import { cut } from './cut.ts';
import { turnHue } from './hue.ts';
import type { Jitter } from './jitter-config.ts';
import { Workspace } from './simd/kernels.ts';
import { Source } from './simd/source.ts';

/** One change of colours. */
export interface Change {
  readonly kind: keyof Jitter;
  readonly factor: number;
}

const KINDS = ['brightness', 'contrast', 'saturation', 'hue'] as const;

/** The changes of an image in their order. Which order is drawn of all four, whichever are in use, as torchvision does. */
export function drawJitter(jitter: Jitter, random: Random): Change[] {
  const order = random.permutation(KINDS.length);
  const factors = KINDS.map((kind) => {
    const least = kind === 'hue' ? -jitter.hue : Math.max(0, 1 - jitter[kind]);
    const most = kind === 'hue' ? jitter.hue : 1 + jitter[kind];
    return least + (most - least) * random.uniform();
  });
  return [...order]
    .filter((place) => jitter[KINDS[place]!] > 0)
    .map((place) => ({ kind: KINDS[place]!, factor: factors[place]! }));
}

/**
 * A part of an image whose colours changed as those of the whole image would. What a change does to a pixel depends on the
 * others in one number only, the mean of greys that contrast moves away from: it is taken of the whole image, and nothing
 * else is computed outside the part.
 */
export function jitterIn(source: Source, part: Window, changes: readonly Change[]): Source {
  return source.channels === 3 && changes.every(isBlend)
    ? blendPart(source, part, changes)
    : Source.of(source.space, jitterByTables(source.pixels, part, changes));
}

/** `jitterIn` of an image by itself. */
export function jitterPart(image: Pixels, part: Window, changes: readonly Change[]): Pixels {
  return Workspace.use((space) => jitterIn(Source.of(space, image), part, changes).pixels);
}

function isBlend(change: Change): change is Change & Blend {
  return change.kind !== 'hue';
}

/** For all kinds of changes and pixels. */
export function jitterByTables(source: Pixels, part: Window, changes: readonly Change[]): Pixels {
  const contrast = changes.findIndex(({ kind }) => kind === 'contrast');
  const mean = contrast < 0 ? 0 : meanAfter(source, plan(changes.slice(0, contrast), 0));
  const { steps, table } = plan(changes, mean);
  const pixels = cut(source, part);
  for (const step of steps) step(pixels);
  if (table) mapBytes(pixels, table);
  return pixels;
}

/** Changes with their tables made: steps in place, and what bytes become after them. */
interface Plan {
  readonly steps: readonly ((pixels: Pixels) => void)[];
  readonly table: Table | undefined;
}

/** @param mean what contrast blends with */
function plan(changes: readonly Change[], mean: number): Plan {
  const steps: Plan['steps'][number][] = [];
  let table: Table | undefined;
  for (const { kind, factor } of changes) {
    const before = table ?? SAME;
    if (kind === 'saturation') {
      const ends = saturationEnds(factor);
      steps.push((pixels) => saturate(pixels, ends, before));
    } else if (kind === 'hue') {
      steps.push((pixels) => mapBytes(pixels, before));
      steps.push((pixels) => turnHue(pixels, factor));
    } else {
      table = compose(table, blendTable(kind === 'contrast' ? mean : 0, factor));
      continue;
    }
    table = undefined;
  }
  return { steps, table };
}

/** Rows that are changed at once where only their mean is wanted: they stay in the cache. */
const BAND = 16;

/** Mean of the grey image after changes, as ImageEnhance.Contrast rounds it. */
function meanAfter(source: Pixels, { steps, table }: Plan): number {
  const { height, width } = source;
  const luma = lumaOf(table);
  let sum = 0;
  const rows = steps.length === 0 ? height : BAND;
  for (let top = 0; top < height; top += rows) {
    const part = { top, left: 0, height: Math.min(rows, height - top), width };
    const band = steps.length === 0 ? source : cut(source, part);
    for (const step of steps) step(band);
    sum += greySum(band, luma);
  }
  return Math.trunc(sum / (height * width) + 0.5);
}
