import { DetectionColumns } from './columns.ts';
import { type Counted, countedOf, type ImageTruths, type Times } from './counted.ts';
import { match } from './match.ts';
import { areaNames, mostDetections } from './ranges.ts';
import type { Regions } from './regions.ts';
import { type CocoSummary, summarize } from './summary.ts';

export interface TrueObject<R> {
  /** Index into the classes. */
  readonly class: number;
  readonly region: R;
  /** As annotated, in square pixels. */
  readonly area: number;
  readonly crowd: boolean;
}

export interface DetectedObject<R> {
  readonly class: number;
  readonly region: R;
  /** Larger is surer. */
  readonly score: number;
}

export interface EvaluatedImage<R> {
  /** Equal scores of a class are ranked by it. */
  readonly imageId: number;
  readonly truths: readonly TrueObject<R>[];
  readonly detections: readonly DetectedObject<R>[];
}

/**
 * COCO's evaluation of detections, image by image: detections are matched when their image is added, and 44 bytes of each
 * are kept. The order of the images doesn't matter. Equal to pycocotools' COCOeval; what is other, `match` says.
 */
export class CocoEvaluation<R, M> {
  readonly #regions: Regions<R, M>;
  readonly #classes: number;
  readonly #columns = new DetectionColumns();
  readonly #truths: ImageTruths[] = [];
  readonly #images = new Set<number>();
  #counted: readonly (readonly Counted[])[] | undefined;

  /** @param classes how many there are */
  constructor(regions: Regions<R, M>, classes: number) {
    this.#regions = regions;
    this.#classes = classes;
  }

  /** Images so far. */
  get images(): number {
    return this.#images.size;
  }

  /** @throws RangeError if the image has been added already, or for a class, a score or a region that is none */
  add({ imageId, truths, detections }: EvaluatedImage<R>): void {
    if (this.#images.has(imageId)) throw new RangeError(`image ${imageId} has been evaluated already`);
    const groups = new Map<number, { truths: TrueObject<R>[]; detections: DetectedObject<R>[] }>();
    const groupOf = (index: number) => {
      if (!(Number.isInteger(index) && index >= 0 && index < this.#classes))
        throw new RangeError(`image ${imageId} has an object of class ${index} of ${this.#classes}`);
      const group = groups.get(index) ?? { truths: [], detections: [] };
      groups.set(index, group);
      return group;
    };
    for (const truth of truths) groupOf(truth.class).truths.push(truth);
    for (const detection of detections) {
      const { score } = detection;
      if (!Number.isFinite(score))
        throw new RangeError(`image ${imageId} has a detection whose score is ${score}`);
      groupOf(detection.class).detections.push(detection);
    }
    this.#counted = undefined;
    for (const [index, group] of groups) this.#addClass(imageId, index, group);
    this.#images.add(imageId);
  }

  /**
   * @param times how often each image counts, in the order in which they were added; without it once. So a test set that is
   *   drawn from the images with replacement has its numbers without being matched again.
   */
  summary(times: Times = new Int32Array(this.images).fill(1)): CocoSummary {
    const classes = this.#classes;
    this.#counted ??= countedOf(this.#columns, this.#truths, classes);
    return summarize(this.#counted, times, classes);
  }

  #addClass(
    imageId: number,
    index: number,
    group: { readonly truths: readonly TrueObject<R>[]; readonly detections: readonly DetectedObject<R>[] },
  ): void {
    const { measure, area, overlaps } = this.#regions;
    const { truths } = group;
    // A stable sort, as numpy's mergesort.
    const detections = [...group.detections].sort((a, b) => b.score - a.score).slice(0, mostDetections);
    const found = detections.map(({ region }) => measure(region));
    const isCrowd = truths.map(({ crowd }) => crowd);
    const table = overlaps(
      found,
      truths.map(({ region }) => measure(region)),
      isCrowd,
    );
    const { verdicts, counted } = match(
      found.map(area),
      { areas: truths.map(({ area: annotated }) => annotated), isCrowd },
      table,
    );
    const image = this.images;
    if (truths.length > 0) this.#truths.push({ image, class: index, counted });
    for (const [rank, { score }] of detections.entries()) {
      const own = areaNames.map((_, range) => verdicts[range * detections.length + rank]);
      this.#columns.add({ class: index, score, imageId, image, rank, verdicts: own });
    }
  }
}
