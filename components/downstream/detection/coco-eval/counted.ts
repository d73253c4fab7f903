import type { DetectionColumns } from './columns.ts';
import { ignoredBits } from './match.ts';
import { areaNames, detectionLimits, mostDetections, overlapThresholds, recallThresholds } from './ranges.ts';

/** The true objects of a class in an image that are to be found, in each range of areas. */
export interface ImageTruths {
  readonly image: number;
  readonly class: number;
  readonly counted: readonly number[];
}

/** How often each image counts, by its place among those that were added. */
export type Times = Int32Array;

/** What counts of a class in a range of areas, as lists of images: what is summed for a test set drawn from them. */
export interface Counted {
  readonly class: number;
  /** Images with true objects that are to be found. */
  readonly images: Int32Array;
  /** How many those are. */
  readonly truths: Int32Array;
  /** Detections, the best first, at each overlap threshold: twice the image, plus 1 for a right one. */
  readonly detections: readonly Int32Array[];
  /** Images of the right detections among the best 1 and 10 of an image, by limit, at each overlap threshold. */
  readonly rightWithin: ReadonlyMap<number, readonly Int32Array[]>;
}

/** What counts in each range of areas, a class an entry; classes without an object to be found there are left out. */
export function countedOf(
  columns: DetectionColumns,
  truths: readonly ImageTruths[],
  classes: number,
): readonly (readonly Counted[])[] {
  const rows = columns.byClass(classes);
  return areaNames.map((area, range) => {
    const found = Array.from({ length: classes }, (): ImageTruths[] => []);
    for (const truth of truths) if (truth.counted[range]! > 0) found[truth.class]!.push(truth);
    // As pycocotools: recalls of fewer detections only where areas don't matter.
    const limits = area === 'all' ? detectionLimits.filter((limit) => limit < mostDetections) : [];
    return found.flatMap((own, index): Counted[] => {
      if (own.length === 0) return [];
      const at = (threshold: number) => ({ rows: rows[index]!, range, threshold });
      return [
        {
          class: index,
          images: Int32Array.from(own, ({ image }) => image),
          truths: Int32Array.from(own, ({ counted }) => counted[range]!),
          detections: overlapThresholds.map((_, t) => detectionsAt(columns, at(t))),
          rightWithin: new Map(
            limits.map((limit) => [limit, overlapThresholds.map((_, t) => rightAt(columns, at(t), limit))]),
          ),
        },
      ];
    });
  });
}

/** Detections of a class, the best first, and how they are looked at. */
interface Looked {
  readonly rows: Int32Array;
  readonly range: number;
  readonly threshold: number;
}

function detectionsAt(
  { images, verdicts }: DetectionColumns,
  { rows, range, threshold }: Looked,
): Int32Array {
  const counted = new Int32Array(rows.length);
  let count = 0;
  for (const row of rows) {
    const verdict = verdicts[row * areaNames.length + range]! >> threshold;
    if ((verdict & (1 << ignoredBits)) === 0) counted[count++] = 2 * images[row]! + (verdict & 1);
  }
  return counted.slice(0, count);
}

function rightAt(
  { images, ranks, verdicts }: DetectionColumns,
  { rows, range, threshold }: Looked,
  limit: number,
): Int32Array {
  const right = rows.filter((row) => {
    const verdict = verdicts[row * areaNames.length + range]! >> threshold;
    return ranks[row]! < limit && (verdict & 1) === 1 && (verdict & (1 << ignoredBits)) === 0;
  });
  return right.map((row) => images[row]!);
}

/** True objects that are to be found in a test set. */
export function truthsIn({ images, truths }: Counted, times: Times): number {
  let sum = 0;
  for (let i = 0; i < images.length; i++) sum += truths[i]! * times[images[i]!]!;
  return sum;
}

/** How many of these images there are in a test set. */
export function countIn(images: Int32Array, times: Times): number {
  let sum = 0;
  for (let i = 0; i < images.length; i++) sum += times[images[i]!]!;
  return sum;
}

/**
 * Precision as it falls while recall grows, of one class at one overlap threshold. Precisions that are no maximum of those at
 * larger recalls don't matter, so a point for each right detection is enough, also where its image counts several times.
 */
export class PrecisionCurve {
  #points = 0;
  #recalls = new Float64Array(0);
  #precisions = new Float64Array(0);
  /** Right detections. */
  right = 0;

  /** @param detections the best first, as in `Counted` */
  read(detections: Int32Array, times: Times, truths: number): this {
    if (this.#recalls.length < detections.length) {
      this.#recalls = new Float64Array(detections.length);
      this.#precisions = new Float64Array(detections.length);
    }
    const [recalls, precisions] = [this.#recalls, this.#precisions];
    let points = 0;
    let right = 0;
    let wrong = 0;
    for (let i = 0; i < detections.length; i++) {
      const detection = detections[i]!;
      const many = times[detection >> 1]!;
      if ((detection & 1) === 0) wrong += many;
      else if (many > 0) {
        right += many;
        recalls[points] = right / truths;
        precisions[points] = right / (wrong + right + Number.EPSILON);
        points++;
      }
    }
    for (let i = points - 1; i > 0; i--)
      if (precisions[i]! > precisions[i - 1]!) precisions[i - 1] = precisions[i]!;
    this.#points = points;
    this.right = right;
    return this;
  }

  /** Mean precision over the recalls: at a recall the best at it or at a larger one; 0 at recalls that aren't reached. */
  mean(): number {
    const [points, recalls, precisions] = [this.#points, this.#recalls, this.#precisions];
    let sum = 0;
    let at = 0;
    for (let i = 0; i < recallThresholds.length; i++) {
      const threshold = recallThresholds[i]!;
      while (at < points && recalls[at]! < threshold) at++;
      if (at === points) break;
      sum += precisions[at]!;
    }
    return sum / recallThresholds.length;
  }
}
