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

/**
 * All averages are 0, so a code that the first batch takes becomes the mean of its tokens; with revival, one that it
 * takes for fewer than `reviveBelow / (1 - decay)` tokens becomes a token of that batch.
 */
export function initCodebook(random: Random, size: number, dim: number): Codebook<HostTensor> {
  const vectors = normal(random, 1, size, dim);
  return { vectors, counts: hostTensor([size]), sums: hostTensor([size, dim]) };
}

/** Index of the nearest code by squared distance: tokens [N, D], vectors [K, D] -> int32 [N]. */
export function nearestCodes(tokens: tf.Tensor, vectors: tf.Tensor): tf.Tensor1D {
  return tf.argMax(codeScores(tokens, vectors), 1);
}

/** Highest for the nearest code: tokens [N, D], vectors [K, D] -> [N, K]. */
export function codeScores(tokens: tf.Tensor, vectors: tf.Tensor): tf.Tensor {
  // |t|^2 is the same for every code, so it can't change the minimum.
  const products = tf.matMul(tokens as tf.Tensor2D, vectors as tf.Tensor2D, false, true);
  return tf.sub(tf.mul(products, 2), tf.sum(tf.square(vectors), 1));
}

/**
 * The place of the largest score of each row, as a frozen tokenizer gives codes: scores [N, K] -> int32 [N]. -1 where the
 * scores are no numbers, of which `argMax` would make the first code.
 */
export function bestCodes(scores: tf.Tensor): tf.Tensor1D {
  const best = tf.max(scores, 1);
  // Only of finite numbers is the difference with themselves 0.
  const finite = tf.equal(tf.sub(best, best), 0);
  const codes = tf.argMax(scores, 1);
  return tf.where(finite, codes, tf.fill(codes.shape, -1, 'int32')) as tf.Tensor1D;
}

/** What a batch tells a codebook: sums over its tokens, so that those of micro-batches add up to those of the batch. */
export type CodeStatistics<T> = {
  /** [K]: how many tokens take each code. */
  readonly taken: T;
  /** [K, D]: the sum of those tokens. */
  readonly sums: T;
  /** [K, D]: the token that replaces each code, should it be dead. */
  readonly fresh: T;
};

/**
 * tokens [N, D] (no gradient), their codes int32 [N], and `candidates` int32 [K], rows of the tokens that replace dead
 * codes; -1 where the candidate is in another micro-batch.
 */
export function codeStatistics(
  tokens: tf.Tensor,
  codes: tf.Tensor,
  candidates: tf.Tensor,
  size: number,
): CodeStatistics<tf.Tensor> {
  const hot = tf.cast(tf.oneHot(codes as tf.Tensor1D, size), 'float32') as tf.Tensor2D;
  const rows = tf.cast(candidates, 'int32');
  const own = tf.cast(tf.reshape(tf.greaterEqual(rows, tf.scalar(0, 'int32')), [size, 1]), 'float32');
  const fresh = tf.reshape(tf.gather(tokens, tf.maximum(rows, tf.scalar(0, 'int32'))), [size, -1]);
  return {
    taken: tf.sum(hot, 0),
    sums: tf.matMul(hot, tokens as tf.Tensor2D, true),
    fresh: tf.mul(fresh, own),
  };
}

/** Of no token. */
export function noStatistics(size: number, dim: number): CodeStatistics<HostTensor> {
  return { taken: hostTensor([size]), sums: hostTensor([size, dim]), fresh: hostTensor([size, dim]) };
}

/**
 * The codebook after a batch. Counts are Laplace-smoothed before dividing. A code that the batch doesn't take keeps its
 * vector, as in BEiT v2 (microsoft/unilm, beit2/norm_ema_quantizer.py); its averages fade.
 *
 * Revival is a choice of this project: neither VQGAN (CompVis/taming-transformers) nor BEiT v2 revives codes, so their
 * usage is not comparable.
 */
export function updateCodebook(
  codebook: Codebook<tf.Tensor>,
  { taken, sums: added, fresh }: CodeStatistics<tf.Tensor>,
  { decay, epsilon, reviveBelow }: CodebookOptions,
): Codebook<tf.Tensor> {
  const [size] = codebook.vectors.shape;
  const move = (average: tf.Tensor, now: tf.Tensor) => tf.add(tf.mul(average, decay), tf.mul(now, 1 - decay));
  const counts = move(codebook.counts, taken);
  const sums = move(codebook.sums, added);
  const total = tf.sum(counts);
  const smooth = tf.mul(tf.div(tf.add(counts, epsilon), tf.add(total, size * epsilon)), total);
  const column = (condition: tf.Tensor) => tf.reshape(condition, [size, 1]);
  const means = tf.div(sums, column(smooth));
  const vectors = tf.where(column(tf.greater(taken, 0)), means, codebook.vectors);
  if (reviveBelow === 0) return { vectors, counts, sums };

  const alive = tf.greaterEqual(counts, reviveBelow);
  return {
    vectors: tf.where(column(alive), vectors, fresh),
    counts: tf.where(alive, counts, tf.onesLike(counts)),
    sums: tf.where(column(alive), sums, fresh),
  };
}

/**
 * Which tokens of a batch may replace dead codes, int32 [size]: without repetition while there are enough tokens, so
 * that no two revived codes are equal.
 */
export function revivalCandidates(random: Random, size: number, tokens: number): Int32Array {
  const order = random.permutation(tokens);
  return Int32Array.from({ length: size }, (_, code) => order[code % tokens]);
}

/** The candidates as rows of a micro-batch, whose tokens are `count` of the batch's from `first` on; -1 for others. */
export function partOfCandidates(candidates: Int32Array, first: number, count: number): Int32Array {
  return candidates.map((row) => (row >= first && row < first + count ? row - first : -1));
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
