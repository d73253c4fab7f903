import type { RunLengths } from '../targets.ts';
import { type Box, maskArea, maskBox } from './runs.ts';

/**
 * What is in one of the masks, or in all of them, as `rleMerge` of maskApi.c.
 *
 * @throws RangeError if there is no mask, or their sizes differ
 */
export function mergeMasks(masks: readonly RunLengths[], how: 'union' | 'intersection'): RunLengths {
  const [first, ...others] = masks;
  if (!first) throw new RangeError('there is no mask to merge');
  return others.reduce((merged, mask) => mergeTwo(merged, mask, how === 'intersection'), first);
}

function mergeTwo(a: RunLengths, b: RunLengths, both: boolean): RunLengths {
  checkSameSize(a, b);
  const counts: number[] = [];
  let [isIn, length] = [false, 0];
  eachStretch(a.counts, b.counts, (pixels, inA, inB) => {
    const next = both ? inA && inB : inA || inB;
    if (next !== isIn) {
      counts.push(length);
      length = 0;
      isIn = next;
    }
    length += pixels;
  });
  counts.push(length);
  return { height: a.height, width: a.width, counts: Uint32Array.from(counts) };
}

/** Calls `use` with stretches of pixels in which neither mask changes, in order, none of them empty. */
function eachStretch(
  a: Uint32Array,
  b: Uint32Array,
  use: (pixels: number, inA: boolean, inB: boolean) => void,
): void {
  let [runA, runB] = [0, 0];
  let [leftA, leftB] = [a[0] ?? 0, b[0] ?? 0];
  while (true) {
    while (leftA === 0 && runA + 1 < a.length) leftA = a[++runA];
    while (leftB === 0 && runB + 1 < b.length) leftB = b[++runB];
    const pixels = Math.min(leftA, leftB);
    if (pixels === 0) return;
    use(pixels, (runA & 1) === 1, (runB & 1) === 1);
    leftA -= pixels;
    leftB -= pixels;
  }
}

/**
 * Intersection over union of each detection with each true object, [detections, truths] row by row, as COCO's `bbIou`.
 * Of a crowd it is the part of the detection that is in it. Boxes of no area meet nothing.
 */
export function boxOverlaps(
  detections: readonly Box[],
  truths: readonly Box[],
  isCrowd: readonly boolean[],
): Float64Array {
  const overlaps = new Float64Array(detections.length * truths.length);
  for (const [d, detection] of detections.entries())
    for (const [t, truth] of truths.entries())
      overlaps[d * truths.length + t] = boxOverlap(detection, truth, isCrowd[t] ?? false);
  return overlaps;
}

function boxOverlap(detection: Box, truth: Box, isCrowd: boolean): number {
  const width = Math.min(detection[2] + detection[0], truth[2] + truth[0]) - Math.max(detection[0], truth[0]);
  if (width <= 0) return 0;
  const height =
    Math.min(detection[3] + detection[1], truth[3] + truth[1]) - Math.max(detection[1], truth[1]);
  if (height <= 0) return 0;
  const common = width * height;
  const own = detection[2] * detection[3];
  return common / (isCrowd ? own : own + truth[2] * truth[3] - common);
}

/** A mask with what overlaps need of it, computed once. */
export interface Measured {
  readonly runs: RunLengths;
  readonly area: number;
  readonly box: Box;
}

export function measure(runs: RunLengths): Measured {
  return { runs, area: maskArea(runs), box: maskBox(runs) };
}

/** The same of masks (`rleIou`). @throws RangeError if sizes differ of masks whose boxes meet */
export function maskOverlaps(
  detections: readonly Measured[],
  truths: readonly Measured[],
  isCrowd: readonly boolean[],
): Float64Array {
  const overlaps = new Float64Array(detections.length * truths.length);
  for (const [d, detection] of detections.entries())
    for (const [t, truth] of truths.entries()) {
      if (boxOverlap(detection.box, truth.box, false) === 0) continue;
      const common = commonArea(detection.runs, truth.runs);
      const all = isCrowd[t] ? detection.area : detection.area + truth.area - common;
      if (common > 0) overlaps[d * truths.length + t] = common / all;
    }
  return overlaps;
}

/** Pixels that are in both. */
function commonArea(first: RunLengths, second: RunLengths): number {
  checkSameSize(first, second);
  const [a, b] = [first.counts, second.counts];
  let common = 0;
  // Runs of ones are the odd ones: [startA, endA) and [startB, endB).
  let [runA, runB] = [1, 1];
  let [startA, startB] = [a[0] ?? 0, b[0] ?? 0];
  while (runA < a.length && runB < b.length) {
    const [endA, endB] = [startA + a[runA], startB + b[runB]];
    const pixels = (endA < endB ? endA : endB) - (startA > startB ? startA : startB);
    if (pixels > 0) common += pixels;
    if (endA <= endB) {
      startA = endA + (a[runA + 1] ?? 0);
      runA += 2;
    }
    if (endB <= endA) {
      startB = endB + (b[runB + 1] ?? 0);
      runB += 2;
    }
  }
  return common;
}

function checkSameSize(a: RunLengths, b: RunLengths): void {
  if (a.height !== b.height || a.width !== b.width)
    throw new RangeError(
      `masks of ${a.height}x${a.width} and ${b.height}x${b.width} pixels aren't of one image`,
    );
}
