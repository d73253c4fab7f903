import type { HostTensor } from '../../../engine/types.ts';
import { hostTensor } from '../../../nn/tree.ts';
import { areaNames } from './ranges.ts';

/** A detection as a row of numbers: all that is kept of it. */
export interface DetectionRow {
  readonly class: number;
  readonly score: number;
  readonly imageId: number;
  /** Among those of its class in its image, 0: the best. */
  readonly rank: number;
  /** One for each range of areas, as in `Matches`. */
  readonly verdicts: ArrayLike<number>;
}

/** The columns of all detections, in the form in which they are saved. */
export type SavedColumns = {
  /** int32 [N, 2]: the bits of a float64. */
  readonly scores: HostTensor;
  /** int32 [N, 2]: the bits of a float64. */
  readonly imageIds: HostTensor;
  /** int32 [N]. */
  readonly classes: HostTensor;
  /** int32 [N]. */
  readonly ranks: HostTensor;
  /** int32 [N, areas]. */
  readonly verdicts: HostTensor;
};

/** Detections as columns of numbers, 40 bytes each, so that a hundred thousand images fit. */
export class DetectionColumns {
  count = 0;
  scores = new Float64Array(0);
  imageIds = new Float64Array(0);
  classes = new Int32Array(0);
  ranks = new Int32Array(0);
  verdicts = new Int32Array(0);

  add({ score, imageId, class: index, rank, verdicts }: DetectionRow): void {
    if (this.count === this.scores.length) this.#resize(Math.max(1024, this.count * 2));
    this.scores[this.count] = score;
    this.imageIds[this.count] = imageId;
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

  save(): SavedColumns {
    const { count } = this;
    const bits = (values: Float64Array) =>
      hostTensor([count, 2], new Int32Array(values.slice(0, count).buffer));
    return {
      scores: bits(this.scores),
      imageIds: bits(this.imageIds),
      classes: hostTensor([count], this.classes.slice(0, count)),
      ranks: hostTensor([count], this.ranks.slice(0, count)),
      verdicts: hostTensor([count, areaNames.length], this.verdicts.slice(0, count * areaNames.length)),
    };
  }

  static load({ scores, imageIds, classes, ranks, verdicts }: SavedColumns): DetectionColumns {
    const columns = new DetectionColumns();
    const floats = ({ data }: HostTensor) => new Float64Array(Int32Array.from(data).buffer);
    columns.count = classes.data.length;
    columns.scores = floats(scores);
    columns.imageIds = floats(imageIds);
    columns.classes = Int32Array.from(classes.data);
    columns.ranks = Int32Array.from(ranks.data);
    columns.verdicts = Int32Array.from(verdicts.data);
    return columns;
  }

  #resize(room: number): void {
    const grown = <A extends Float64Array | Int32Array>(to: A, from: A): A => {
      to.set(from);
      return to;
    };
    this.scores = grown(new Float64Array(room), this.scores);
    this.imageIds = grown(new Float64Array(room), this.imageIds);
    this.classes = grown(new Int32Array(room), this.classes);
    this.ranks = grown(new Int32Array(room), this.ranks);
    this.verdicts = grown(new Int32Array(room * areaNames.length), this.verdicts);
  }
}
