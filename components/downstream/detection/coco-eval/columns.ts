import { areaNames } from './ranges.ts';

/** A detection as a row of numbers: all that is kept of it. */
export interface DetectionRow {
  readonly class: number;
  readonly score: number;
  readonly imageId: number;
  /** Place of its image among those that were added. */
  readonly image: number;
  /** Among those of its class in its image, 0: the best. */
  readonly rank: number;
  /** One for each range of areas, as in `Matches`. */
  readonly verdicts: ArrayLike<number>;
}

/** Detections as columns of numbers, 44 bytes each, so that a hundred thousand images fit. */
export class DetectionColumns {
  count = 0;
  scores = new Float64Array(0);
  imageIds = new Float64Array(0);
  images = new Int32Array(0);
  classes = new Int32Array(0);
  ranks = new Int32Array(0);
  verdicts = new Int32Array(0);

  add({ score, imageId, image, class: index, rank, verdicts }: DetectionRow): void {
    if (this.count === this.scores.length) this.#resize(Math.max(1024, this.count * 2));
    this.scores[this.count] = score;
    this.imageIds[this.count] = imageId;
    this.images[this.count] = image;
    this.classes[this.count] = index;
    this.ranks[this.count] = rank;
    this.verdicts.set(verdicts, this.count * areaNames.length);
    this.count++;
  }

  /** Indices of the rows of each class: the best scores first; equal ones by image, then by rank, as pycocotools sorts. */
  byClass(classes: number): readonly Int32Array[] {
    const counts = new Int32Array(classes);
    for (let row = 0; row < this.count; row++) counts[this.classes[row]]++;
    const rows = Array.from(counts, (count) => new Int32Array(count));
    counts.fill(0);
    for (let row = 0; row < this.count; row++) {
      const index = this.classes[row];
      rows[index][counts[index]++] = row;
    }
    const { scores, imageIds, ranks } = this;
    for (const own of rows)
      own.sort((a, b) => scores[b] - scores[a] || imageIds[a] - imageIds[b] || ranks[a] - ranks[b]);
    return rows;
  }

  #resize(room: number): void {
    const grown = <A extends Float64Array | Int32Array>(to: A, from: A): A => {
      to.set(from);
      return to;
    };
    this.scores = grown(new Float64Array(room), this.scores);
    this.imageIds = grown(new Float64Array(room), this.imageIds);
    this.images = grown(new Int32Array(room), this.images);
    this.classes = grown(new Int32Array(room), this.classes);
    this.ranks = grown(new Int32Array(room), this.ranks);
    this.verdicts = grown(new Int32Array(room * areaNames.length), this.verdicts);
  }
}
