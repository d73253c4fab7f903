import type { DetectionColumns } from './columns.ts';
import { ignoredBits } from './match.ts';
import { areaNames, detectionLimits, mostDetections, overlapThresholds, recallThresholds } from './ranges.ts';

/** The twelve numbers of COCO, from 0 to 1. Absent where there is no true object that counts. */
export interface CocoNumbers {
  /** Mean of the precision over recalls, overlaps and classes. */
  readonly AP?: number;
  readonly AP50?: number;
  readonly AP75?: number;
  /** Of objects up to 32 x 32 pixels, from there up to 96 x 96, and larger ones. */
  readonly APs?: number;
  readonly APm?: number;
  readonly APl?: number;
  /** Mean of the largest recall over overlaps and classes, with 1, 10 and 100 detections an image and class. */
  readonly AR1?: number;
  readonly AR10?: number;
  readonly AR100?: number;
  readonly ARs?: number;
  readonly ARm?: number;
  readonly ARl?: number;
}

export interface CocoSummary {
  readonly numbers: CocoNumbers;
  /** AP of each class; undefined where no object of it is to be found. */
  readonly perClass: readonly (number | undefined)[];
}

/**
 * COCO's twelve numbers, as `accumulate` and `summarize` of pycocotools compute them.
 *
 * @param counted true objects that are to be found, [areas, classes] row by row
 */
export function summarize(columns: DetectionColumns, counted: Int32Array, classes: number): CocoSummary {
  const precisions = areaNames.map(() => new Map<number, Float64Array>());
  const recalls = new Map<string, number[]>();
  for (const [index, rows] of columns.byClass(classes).entries())
    for (const [range, area] of areaNames.entries()) {
      const truths = counted[range * classes + index];
      if (truths === 0) continue;
      precisions[range].set(index, precisionsOf(columns, rows, range, truths));
      for (const limit of area === 'all' ? detectionLimits : [mostDetections]) {
        const name = `${area} ${limit}`;
        recalls.set(name, [
          ...(recalls.get(name) ?? []),
          ...recallsOf(columns, rows, { range, limit, truths }),
        ]);
      }
    }
  const precision = (range: number, threshold?: number) =>
    meanOf(
      [...precisions[range].values()].flatMap((values) => [
        ...(threshold === undefined ? values : values.subarray(threshold, threshold + 1)),
      ]),
    );
  const recall = (name: string) => meanOf(recalls.get(name) ?? []);
  const numbers = {
    AP: precision(0),
    AP50: precision(0, 0),
    AP75: precision(0, 5),
    APs: precision(1),
    APm: precision(2),
    APl: precision(3),
    AR1: recall('all 1'),
    AR10: recall('all 10'),
    AR100: recall('all 100'),
    ARs: recall('small 100'),
    ARm: recall('medium 100'),
    ARl: recall('large 100'),
  };
  return {
    numbers: Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined)),
    perClass: Array.from({ length: classes }, (_, index) => meanOf([...(precisions[0].get(index) ?? [])])),
  };
}

/**
 * Mean precision over the recalls, at each overlap threshold: at a recall, the best precision that there is at it or at a larger
 * one; 0 at recalls that aren't reached.
 */
function precisionsOf(
  { verdicts }: DetectionColumns,
  rows: Int32Array,
  range: number,
  truths: number,
): Float64Array {
  const precision = new Float64Array(rows.length);
  const recall = new Float64Array(rows.length);
  return Float64Array.from(overlapThresholds, (_, t) => {
    let [right, wrong] = [0, 0];
    for (let i = 0; i < rows.length; i++) {
      const verdict = verdicts[rows[i] * areaNames.length + range] >> t;
      if ((verdict & (1 << ignoredBits)) === 0) {
        if (verdict & 1) right++;
        else wrong++;
      }
      recall[i] = right / truths;
      precision[i] = right / (wrong + right + Number.EPSILON);
    }
    for (let i = rows.length - 1; i > 0; i--)
      if (precision[i] > precision[i - 1]) precision[i - 1] = precision[i];
    let [sum, at] = [0, 0];
    for (const threshold of recallThresholds) {
      while (at < rows.length && recall[at] < threshold) at++;
      if (at === rows.length) break;
      sum += precision[at];
    }
    return sum / recallThresholds.length;
  });
}

/** The share of the true objects that is found, at each overlap threshold. */
function recallsOf(
  { verdicts, ranks }: DetectionColumns,
  rows: Int32Array,
  { range, limit, truths }: { readonly range: number; readonly limit: number; readonly truths: number },
): number[] {
  return overlapThresholds.map((_, t) => {
    let right = 0;
    for (const row of rows) {
      const verdict = verdicts[row * areaNames.length + range] >> t;
      if (ranks[row] < limit && (verdict & 1) === 1 && (verdict & (1 << ignoredBits)) === 0) right++;
    }
    return right / truths;
  });
}

function meanOf(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
