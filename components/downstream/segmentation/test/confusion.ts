import { StageError } from '../../../../framework/stage/stage-error.ts';
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
export function scoresOf({ both, predicted, labelled }: Areas, of = 'the test images'): SegmentationScores {
  const all = sum(labelled);
  if (all === 0) {
    throw new StageError(`no pixel of ${of} has a class`, {
      hint: 'look at the label maps and at how their numbers mean classes',
    });
  }
  const union = labelled.map((area, k) => area + predicted[k]! - both[k]!);
  return { mIoU: meanRatio(both, union), mAcc: meanRatio(both, labelled), aAcc: sum(both) / all };
}

/** Over the classes where the second is not 0. */
function meanRatio(parts: Float64Array, wholes: Float64Array): number {
  const ratios = [...parts].map((part, k) => part / wholes[k]!).filter((_, k) => wholes[k]! > 0);
  return ratios.reduce((total, ratio) => total + ratio, 0) / ratios.length;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
