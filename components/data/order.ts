import { random } from '../nn/random.ts';

export interface BatchOptions {
  /** How many images there are to draw from. */
  readonly count: number;
  /** Images a batch. */
  readonly batch: number;
  readonly seed: number;
  /** Keeps the streams of different uses apart: `pretraining`, `tokenizer`, ... */
  readonly purpose: string;
}

/** Shuffled batches without end. */
export interface Batches {
  /**
   * Indices of batch `step` (0-based), each in [0, count). A pure function of the options and `step`: a resumed
   * training asks for the step it is at. The stream shows every image once before it shows any again; a batch may
   * straddle the border of two such epochs.
   */
  at(step: number): Int32Array;
}

export function shuffledBatches({ count, batch, seed, purpose }: BatchOptions): Batches {
  if (count < 1) throw new RangeError(`batches of ${count} images`);
  let epoch = -1;
  let order = new Int32Array();
  return {
    at(step) {
      return Int32Array.from({ length: batch }, (_, place) => {
        const position = step * batch + place;
        const wanted = Math.floor(position / count);
        if (wanted !== epoch) {
          epoch = wanted;
          order = Int32Array.from(random(seed, 'batches', purpose, epoch).permutation(count));
        }
        return order[position - epoch * count];
      });
    },
  };
}

/** One batch of a pass over all images in order. */
export interface OrderedBatch {
  /** Always the full batch size, since programs have fixed shapes; places past `count` repeat the first index. */
  readonly indices: Int32Array;
  /** How many leading indices are real. */
  readonly count: number;
}

/** Every image once, in order, in batches of one size. */
export function orderedBatches(count: number, batch: number): OrderedBatch[] {
  return Array.from({ length: Math.ceil(count / batch) }, (_, step) => {
    const first = step * batch;
    const real = Math.min(batch, count - first);
    const indices = Int32Array.from({ length: batch }, (_, place) => first + (place < real ? place : 0));
    return { indices, count: real };
  });
}
