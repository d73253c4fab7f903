import { boxOverlaps, type Measured, maskOverlaps, measure } from '../../../data/masks/overlap.ts';
import type { Box } from '../../../data/masks/runs.ts';
import type { RunLengths } from '../../../data/targets.ts';

/** Where an object is: by its box, or by its mask. */
export interface Regions<R, M = R> {
  readonly name: 'boxes' | 'masks';
  /** What is looked at more than once, computed once. */
  measure(region: R): M;
  /** Of a detection, in square pixels; that of a true object is in its annotation. */
  area(region: M): number;
  /** [detections, truths], row by row. */
  overlaps(detections: readonly M[], truths: readonly M[], isCrowd: readonly boolean[]): Float64Array;
}

export const boxes: Regions<Box> = {
  name: 'boxes',
  measure: (box) => {
    if (!box.every(Number.isFinite)) throw new RangeError(`a box of ${box.join(', ')} isn't in the plane`);
    return box;
  },
  area: ([, , width, height]) => width * height,
  overlaps: boxOverlaps,
};

/** A detection is as large as its mask: pycocotools takes its box where results have both, detectron2 removes the boxes first. */
export const masks: Regions<RunLengths, Measured> = {
  name: 'masks',
  measure,
  area: ({ area }) => area,
  overlaps: maskOverlaps,
};
