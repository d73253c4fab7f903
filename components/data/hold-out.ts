import { random } from '../nn/random.ts';
import { classBalancedSubset, labelsOf, subset } from './subset.ts';
import type { Dataset } from './types.ts';

/** A data set in two parts, each in the order of the whole. */
export interface HeldOut<T> {
  readonly learnt: Dataset<T>;
  readonly held: Dataset<T>;
}

/** Keeps back `count` images, drawn by the seed. */
export function holdOut<T>(dataset: Dataset<T>, count: number, seed: number): HeldOut<T> {
  return split(dataset, random(seed, 'hold-out').permutation(dataset.count).slice(0, count));
}

/**
 * Keeps back `count` images with the same number of each class, drawn by the seed.
 *
 * @throws StageError as `classBalancedSubset` does
 */
export async function holdOutOfClasses(
  dataset: Dataset,
  count: number,
  seed: number,
): Promise<HeldOut<number>> {
  return split(dataset, classBalancedSubset(await labelsOf(dataset), count, seed));
}

function split<T>(dataset: Dataset<T>, held: Int32Array): HeldOut<T> {
  const isHeld = new Uint8Array(dataset.count);
  for (const index of held) isHeld[index] = 1;
  const places = Array.from({ length: dataset.count }, (_, index) => index);
  const of = (which: number) => Int32Array.from(places.filter((index) => isHeld[index] === which));
  return { learnt: subset(dataset, of(0)), held: subset(dataset, of(1)) };
}
