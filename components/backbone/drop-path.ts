import * as tf from '@tensorflow/tfjs-core';
import { uniformRows } from '../engine/uniform.ts';
import { random } from '../nn/random.ts';
import { hostTensor } from '../nn/tree.ts';

/** What gives numbers in (0, 1), [rows, columns], of what a batch carries for them. */
export type Draw = (noise: tf.Tensor, rows: number, columns: number) => tf.Tensor;

/** How often branches are left out, and the noise that decides. */
export interface DropPath {
  /** Of the last block; it grows linearly from 0 at the first. */
  readonly rate: number;
  /** int32 [3] of `uniformRows`; whatever `draw` takes. */
  readonly noise: tf.Tensor;
  /** Default: `uniformRows`. */
  readonly draw?: Draw;
}

/**
 * What the batch of a step carries for drop path: the key of the step's numbers and how many images of the batch come
 * before. A row is an image, so micro-batches leave out what the batch would.
 */
export function dropPathNoise(seed: number, { step, first }: { step: number; first: number }) {
  const { keys } = random(seed, 'drop path', step);
  return hostTensor([3], Int32Array.of(...keys, first));
}

/**
 * Factors of the two residual branches of each block (attention, MLP), one an image: 0 where the branch is left out,
 * otherwise 1 / (1 - rate) (Huang et al. 2016; `DropPath` of timm, with BEiT's `linspace(0, rate, depth)`).
 *
 * @returns for each block two tensors [batch, 1, 1]
 */
export function dropPathFactors(
  { rate, noise, draw = uniformRows }: DropPath,
  batch: number,
  depth: number,
): (readonly [tf.Tensor, tf.Tensor])[] {
  const kept = Array.from(
    { length: depth },
    (_, block) => 1 - (depth === 1 ? 0 : (rate * block) / (depth - 1)),
  );
  const each = tf.tensor1d(kept.flatMap((share) => [share, share]));
  const factors = tf.div(tf.cast(tf.less(draw(noise, batch, 2 * depth), each), 'float32'), each);
  const column = (place: number) => tf.reshape(tf.slice(factors, [0, place], [batch, 1]), [batch, 1, 1]);
  return kept.map((_, block) => [column(2 * block), column(2 * block + 1)]);
}
