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

/**
 * `count` indices with the same number of each class, ascending; where `count` isn't a multiple of the number of
 * classes, the first classes get one more. Smaller subsets of a seed are contained in larger ones.
 *
 * @throws RangeError if a class has too few images
 */
export function classBalancedSubset(labels: ArrayLike<number>, count: number, seed: number): Int32Array {
  const byClass = new Map<number, number[]>();
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index];
    const members = byClass.get(label);
    if (members) members.push(index);
    else byClass.set(label, [index]);
  }
  const classes = [...byClass.keys()].sort((a, b) => a - b);
  const chosen = classes.flatMap((label, place) => {
    const members = byClass.get(label) ?? [];
    const share = Math.floor(count / classes.length) + (place < count % classes.length ? 1 : 0);
    if (share > members.length) {
      throw new RangeError(
        `${count} class-balanced labels need ${share} images of class ${label}, but there are ${members.length}`,
      );
    }
    const order = random(seed, 'class-balanced-subset', label).permutation(members.length);
    return Array.from(order.subarray(0, share), (place) => members[place]);
  });
  return Int32Array.from(chosen.sort((a, b) => a - b));
}
