import { nothingLabelled } from '../../../data/dense/labelled.ts';
import { noClass } from '../../../data/targets.ts';

/** Pixels of each class over all images of a test. */
export interface Areas {
  /** Where truth and prediction agree. */
  readonly both: Float64Array;
  readonly predicted: Float64Array;
  readonly labelled: Float64Array;
}

export function noAreas(classes: number): Areas {
  const none = () => new Float64Array(classes);
  return { both: none(), predicted: none(), labelled: none() };
}

/** Adds an image: the class of each pixel as predicted, and as labelled. Pixels of no class count nowhere. */
export function addAreas(areas: Areas, predicted: ArrayLike<number>, labelled: ArrayLike<number>): void {
  for (let pixel = 0; pixel < labelled.length; pixel++) {
    const label = labelled[pixel]!;
    if (label === noClass) continue;
    const found = predicted[pixel]!;
    areas.labelled[label]!++;
    areas.predicted[found]!++;
    if (found === label) areas.both[label]!++;
  }
}

/** Classes of an image that are labelled or predicted: index, then the pixels of `both`, `predicted` and `labelled`. */
export type SparseAreas = readonly (readonly [
  index: number,
  both: number,
  predicted: number,
  labelled: number,
])[];

export function sparse({ both, predicted, labelled }: Areas): SparseAreas {
  return [...labelled.keys()].flatMap((k) =>
    predicted[k]! + labelled[k]! > 0 ? [[k, both[k]!, predicted[k]!, labelled[k]!] as const] : [],
  );
}

/** Adds an image whose areas are known, so many times. */
export function addSparse(areas: Areas, image: SparseAreas, times = 1): void {
  for (const [k, both, predicted, labelled] of image) {
    areas.both[k]! += times * both;
    areas.predicted[k]! += times * predicted;
    areas.labelled[k]! += times * labelled;
  }
}

export interface SegmentationScores {
  /** Mean over classes of intersection / union. */
  readonly mIoU: number;
  /** Mean over classes of the share of their pixels that are found. */
  readonly mAcc: number;
  /** Share of all pixels that have the right class. */
  readonly aAcc: number;
}

/**
 * Scores of all images together, 0 to 1, as mmsegmentation's `intersect_and_union` and `total_area_to_metrics` compute them.
 * A class that is neither labelled nor predicted anywhere has no intersection over union and doesn't count; one that is only
 * predicted has 0, and no accuracy.
 *
 * @param of which images they are, for messages
 * @throws StageError if no pixel has a class
 */
export function scoresOf(areas: Areas, of = 'the test images'): SegmentationScores {
  const scores = scoresIn(areas);
  if (!scores) throw nothingLabelled(of);
  return scores;
}

function scoresIn({ both, predicted, labelled }: Areas): SegmentationScores | undefined {
  const all = sum(labelled);
  if (all === 0) return undefined;
  const union = labelled.map((area, k) => area + predicted[k]! - both[k]!);
  return { mIoU: meanRatio(both, union), mAcc: meanRatio(both, labelled), aAcc: sum(both) / all };
}

/** Scores of a test set in which each image is so many times: of the areas of all together. None if no pixel has a class. */
export function scoresOfDrawn(
  images: readonly SparseAreas[],
  times: ArrayLike<number>,
  classes: number,
): Partial<SegmentationScores> {
  const areas = noAreas(classes);
  for (const [index, image] of images.entries()) if (times[index]! > 0) addSparse(areas, image, times[index]);
  return scoresIn(areas) ?? {};
}

/** Over the classes where the second is not 0. */
function meanRatio(parts: Float64Array, wholes: Float64Array): number {
  const ratios = [...parts].map((part, k) => part / wholes[k]!).filter((_, k) => wholes[k]! > 0);
  return ratios.reduce((total, ratio) => total + ratio, 0) / ratios.length;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
