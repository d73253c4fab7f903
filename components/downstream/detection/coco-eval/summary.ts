import { type Counted, countIn, PrecisionCurve, type Times, truthsIn } from './counted.ts';
import { areaNames, detectionLimits, mostDetections, overlapThresholds } from './ranges.ts';

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
 * COCO's twelve numbers, as `accumulate` and `summarize` of pycocotools compute them, of the images, each as often as `times`
 * says. Copies of a detection follow each other among those of its class, as in pycocotools unless an image has two detections
 * of a class with the very same score.
 *
 * @param counted of each range of areas the classes with objects
 */
export function summarize(
  counted: readonly (readonly Counted[])[],
  times: Times,
  classes: number,
): CocoSummary {
  const precisions = areaNames.map(() => new Map<number, Float64Array>());
  const recalls = new Map<string, number[]>();
  const curve = new PrecisionCurve();
  for (const [range, area] of areaNames.entries())
    for (const own of counted[range]!) {
      const truths = truthsIn(own, times);
      if (truths === 0) continue;
      const precision = new Float64Array(overlapThresholds.length);
      const add = (limit: number, right: number) => {
        const name = `${area} ${limit}`;
        const known = recalls.get(name) ?? [];
        known.push(right / truths);
        recalls.set(name, known);
      };
      for (const [t, detections] of own.detections.entries()) {
        precision[t] = curve.read(detections, times, truths).mean();
        add(mostDetections, curve.right);
      }
      for (const [limit, right] of own.rightWithin)
        for (const images of right) add(limit, countIn(images, times));
      precisions[range]!.set(own.class, precision);
    }
  return { numbers: numbersOf(precisions, recalls), perClass: perClassOf(precisions[0]!, classes) };
}

function numbersOf(
  precisions: readonly ReadonlyMap<number, Float64Array>[],
  recalls: ReadonlyMap<string, readonly number[]>,
): CocoNumbers {
  const precision = (range: number, threshold?: number) =>
    meanOf(
      [...precisions[range]!.values()].flatMap((values) => [
        ...(threshold === undefined ? values : values.subarray(threshold, threshold + 1)),
      ]),
    );
  const recall = (name: string) => meanOf(recalls.get(name) ?? []);
  const [one, ten, hundred] = detectionLimits.map((limit) => recall(`all ${limit}`));
  const numbers = {
    AP: precision(0),
    AP50: precision(0, 0),
    AP75: precision(0, 5),
    APs: precision(1),
    APm: precision(2),
    APl: precision(3),
    AR1: one,
    AR10: ten,
    AR100: hundred,
    ARs: recall('small 100'),
    ARm: recall('medium 100'),
    ARl: recall('large 100'),
  };
  return Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined));
}

function perClassOf(precisions: ReadonlyMap<number, Float64Array>, classes: number) {
  return Array.from({ length: classes }, (_, index) => meanOf([...(precisions.get(index) ?? [])]));
}

function meanOf(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
