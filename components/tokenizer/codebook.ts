import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../engine/types.ts';
import { normal } from '../nn/init.ts';
import type { Random } from '../nn/random.ts';
import { hostTensor } from '../nn/tree.ts';

/** A codebook that follows the encoder by exponential moving averages (van den Oord et al. 2017, appendix A.1). */
export interface Codebook<T> {
  /** [K, D]: the code vectors. */
  readonly vectors: T;
  /** [K]: moving average of how many tokens of a batch take each code. */
  readonly counts: T;
  /** [K, D]: moving average of the sum of the tokens that take each code. */
  readonly sums: T;
}

export interface CodebookOptions {
  readonly decay: number;
  readonly epsilon: number;
  /** A code whose average count falls below this becomes a random token of the batch; 0 switches revival off. */
  readonly reviveBelow: number;
}

/** All counts are 0, so with revival the first step makes every code a token of the first batch. */
export function initCodebook(random: Random, size: number, dim: number): Codebook<HostTensor> {
  const vectors = normal(random, 1, size, dim);
  return { vectors, counts: hostTensor([size]), sums: hostTensor([size, dim]) };
}

/** Index of the nearest code by squared distance: tokens [N, D], vectors [K, D] -> int32 [N]. */
export function nearestCodes(tokens: tf.Tensor, vectors: tf.Tensor): tf.Tensor1D {
  // |t|^2 is the same for every code, so it can't change the minimum.
  const products = tf.matMul(tokens as tf.Tensor2D, vectors as tf.Tensor2D, false, true);
  const scores = tf.sub(tf.mul(products, 2), tf.sum(tf.square(vectors), 1));
  return tf.argMax(scores, 1);
}

/**
 * The codebook after a batch: tokens [N, D] (no gradient), their codes int32 [N], and `candidates` int32 [K],
 * rows of the batch that replace dead codes. Counts are Laplace-smoothed before dividing.
 */
export function updateCodebook(
  codebook: Codebook<tf.Tensor>,
  tokens: tf.Tensor,
  codes: tf.Tensor,
  candidates: tf.Tensor,
  { decay, epsilon, reviveBelow }: CodebookOptions,
): Codebook<tf.Tensor> {
  const [size, dim] = codebook.vectors.shape;
  const hot = tf.cast(tf.oneHot(codes as tf.Tensor1D, size), 'float32') as tf.Tensor2D;
  const move = (average: tf.Tensor, now: tf.Tensor) => tf.add(tf.mul(average, decay), tf.mul(now, 1 - decay));
  const counts = move(codebook.counts, tf.sum(hot, 0));
  const sums = move(codebook.sums, tf.matMul(hot, tokens as tf.Tensor2D, true));
  const total = tf.sum(counts);
  const smooth = tf.mul(tf.div(tf.add(counts, epsilon), tf.add(total, size * epsilon)), total);
  const vectors = tf.div(sums, tf.reshape(smooth, [size, 1]));
  if (reviveBelow === 0) return { vectors, counts, sums };

  const alive = tf.cast(tf.greaterEqual(counts, reviveBelow), 'float32');
  const column = tf.reshape(alive, [size, 1]);
  const fresh = tf.reshape(tf.gather(tokens, tf.cast(candidates, 'int32')), [size, dim]);
  const choose = (kept: tf.Tensor, reborn: tf.Tensor, keep: tf.Tensor) =>
    tf.add(tf.mul(kept, keep), tf.mul(reborn, tf.sub(1, keep)));
  return {
    vectors: choose(vectors, fresh, column),
    counts: choose(counts, tf.onesLike(counts), alive),
    sums: choose(sums, fresh, column),
  };
}

/** exp of the entropy of how often each code is used: 1 when one code takes all, K when all are equally used. */
export function perplexity(histogram: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < histogram.length; i++) total += histogram[i];
  let entropy = 0;
  for (let i = 0; i < histogram.length; i++) {
    const share = histogram[i] / total;
    if (share > 0) entropy -= share * Math.log(share);
  }
  return Math.exp(entropy);
}

/** Share of codes that are used at all. */
export function codebookUsage(histogram: ArrayLike<number>): number {
  let used = 0;
  for (let i = 0; i < histogram.length; i++) if (histogram[i] > 0) used++;
  return used / histogram.length;
}
