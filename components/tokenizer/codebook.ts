import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../engine/types.ts';
import { normal } from '../nn/init.ts';
import type { Random } from '../nn/random.ts';
import { hostTensor } from '../nn/tree.ts';

/** A codebook that follows the encoder by exponential moving averages (van den Oord et al. 2017, appendix A.1). */
export interface Codebook<T> {
  /** [K, D]: the code vectors; of length 1 where codes are normalised. */
  readonly vectors: T;
  /** [K]: moving average of how many tokens of a batch take each code. */
  readonly counts: T;
  /** [K, D]: moving average of the sum of the tokens that take each code; absent where codes are normalised. */
  readonly sums?: T;
}

export interface CodebookOptions {
  readonly decay: number;
  readonly epsilon: number;
  /** A code whose average count falls below this becomes a random token of the batch; 0 switches revival off. */
  readonly reviveBelow: number;
  /** Codes and tokens have length 1: a token takes the code at the smallest angle. */
  readonly normalise: boolean;
}

/**
 * All averages are 0, so a code that the first batch takes becomes the mean of its tokens; with revival, one that it
 * takes for fewer than `reviveBelow / (1 - decay)` tokens becomes a token of that batch.
 */
export function initCodebook(
  random: Random,
  { size, dim, normalise }: { readonly size: number; readonly dim: number; readonly normalise: boolean },
): Codebook<HostTensor> {
  const vectors = normal(random, 1, size, dim);
  const counts = hostTensor([size]);
  return normalise
    ? { vectors: unitRowsOf(vectors), counts }
    : { vectors, counts, sums: hostTensor([size, dim]) };
}

/** Rows [N, D] divided by their length, as `F.normalize` of PyTorch; a row of zeros stays one, and so does its gradient. */
export function unitRows(rows: tf.Tensor): tf.Tensor {
  return tf.div(rows, tf.sqrt(tf.add(tf.sum(tf.square(rows), -1, true), 1e-24)));
}

/** The same of a tensor in the host's memory. */
export function unitRowsOf({ shape, data }: HostTensor): HostTensor {
  const [, dim] = shape;
  const lengths = Float64Array.from({ length: data.length / dim }, (_, row) =>
    Math.hypot(...data.subarray(row * dim, (row + 1) * dim)),
  );
  return hostTensor(
    shape,
    Float32Array.from(data, (value, i) => value / lengths[Math.floor(i / dim)]),
  );
}

/**
 * How many numbers of a matrix of tokens by codes are in memory at once: 16 MiB. 25,088 tokens (128 images of 14x14) by
 * 8,192 codes would be 784 MiB, several times over.
 */
const BLOCK = 2 ** 22;

interface Block {
  readonly start: number;
  readonly rows: tf.Tensor2D;
}

/** The tokens [N, D] in blocks of rows, few enough for a number for each of `size` codes. */
function blocksOf(tokens: tf.Tensor, size: number): Block[] {
  const [count, dim] = tokens.shape as [number, number];
  const most = Math.max(1, Math.floor(BLOCK / size));
  return Array.from({ length: Math.ceil(count / most) }, (_, block) => {
    const start = block * most;
    const rows = Math.min(most, count - start);
    const whole = rows === count;
    return { start, rows: (whole ? tokens : tf.slice(tokens, [start, 0], [rows, dim])) as tf.Tensor2D };
  });
}

/** Index of the nearest code by squared distance: tokens [N, D], vectors [K, D] -> int32 [N]. */
export function nearestCodes(tokens: tf.Tensor, vectors: tf.Tensor): tf.Tensor1D {
  return inBlocks(tokens, vectors, (scores) => tf.argMax(scores, 1));
}

/**
 * The same as a frozen tokenizer gives codes: -1 where the numbers aren't finite, of which `argMax` would make the first
 * code.
 */
export function codesOfTokens(tokens: tf.Tensor, vectors: tf.Tensor): tf.Tensor1D {
  return inBlocks(tokens, vectors, bestCodes);
}

function inBlocks(
  tokens: tf.Tensor,
  vectors: tf.Tensor,
  choose: (scores: tf.Tensor) => tf.Tensor1D,
): tf.Tensor1D {
  const [size] = vectors.shape;
  const squares = tf.sum(tf.square(vectors), 1);
  const chosen = blocksOf(tokens, size).map(({ rows }) => {
    // |t|^2 is the same for every code, so it can't change the minimum.
    const products = tf.matMul(rows, vectors as tf.Tensor2D, false, true);
    return choose(tf.sub(tf.mul(products, 2), squares));
  });
  return chosen.length === 1 ? chosen[0] : tf.concat(chosen);
}

/**
 * The place of the largest score of each row, scores [N, K] -> int32 [N]. -1 where the scores are no numbers, of which
 * `argMax` would make the first code.
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
  const { taken, sums } = sumsByCode(tokens, codes, size);
  const rows = tf.cast(candidates, 'int32');
  const own = tf.cast(tf.reshape(tf.greaterEqual(rows, tf.scalar(0, 'int32')), [size, 1]), 'float32');
  const fresh = tf.reshape(tf.gather(tokens, tf.maximum(rows, tf.scalar(0, 'int32'))), [size, -1]);
  return {
    taken,
    sums,
    fresh: tf.mul(fresh, own),
  };
}

/** How many tokens take each code, [K], and the sums of them, [K, D]. */
export function sumsByCode(
  tokens: tf.Tensor,
  codes: tf.Tensor,
  size: number,
): { readonly taken: tf.Tensor; readonly sums: tf.Tensor } {
  const partOf = ({ start, rows }: Block): tf.Tensor => {
    const own = tf.slice(codes as tf.Tensor1D, start, rows.shape[0]);
    const hot = tf.cast(tf.oneHot(own, size), 'float32') as tf.Tensor2D;
    // Counts are sums of ones: one product that uses `hot` up.
    return tf.matMul(hot, tf.concat([rows, tf.ones([rows.shape[0], 1])], 1), true);
  };
  const [first, ...others] = blocksOf(tokens, size);
  // The sum of those before comes last, since ONNX Runtime computes the last operand first: then no more than one block and
  // its sums are there at once.
  const all = others.reduce((before, block) => tf.add(partOf(block), before), partOf(first));
  const dim = tokens.shape[1] as number;
  return {
    taken: tf.reshape(tf.slice(all, [0, dim], [size, 1]), [size]),
    sums: tf.slice(all, [0, 0], [size, dim]),
  };
}

/** Of no token. */
export function noStatistics(size: number, dim: number): CodeStatistics<HostTensor> {
  return { taken: hostTensor([size]), sums: hostTensor([size, dim]), fresh: hostTensor([size, dim]) };
}

/**
 * The codebook after a batch. A code that the batch doesn't take keeps its vector, as in BEiT v2 (microsoft/unilm,
 * beit2/norm_ema_quantizer.py); its averages fade.
 *
 * Revival is a choice of this project: neither VQGAN (CompVis/taming-transformers) nor BEiT v2 revives codes, so their
 * usage is not comparable.
 */
export function updateCodebook(
  codebook: Codebook<tf.Tensor>,
  statistics: CodeStatistics<tf.Tensor>,
  options: CodebookOptions,
): Codebook<tf.Tensor> {
  const { taken, fresh } = statistics;
  const counts = averaged(codebook.counts, taken, options);
  const moved = options.normalise
    ? { vectors: turned(codebook.vectors, statistics, options) }
    : means({ ...codebook, counts }, statistics, options);
  if (options.reviveBelow === 0) return { ...moved, counts };

  const alive = tf.greaterEqual(counts, options.reviveBelow);
  const revived = (values: tf.Tensor) => tf.where(column(alive), values, fresh);
  return {
    vectors: revived(moved.vectors),
    counts: tf.where(alive, counts, tf.onesLike(counts)),
    ...(moved.sums ? { sums: revived(moved.sums) } : {}),
  };
}

const averaged = (average: tf.Tensor, now: tf.Tensor, { decay }: CodebookOptions) =>
  tf.add(tf.mul(average, decay), tf.mul(now, 1 - decay));

const column = (values: tf.Tensor) => tf.reshape(values, [-1, 1]);

/** Each vector as the mean of its tokens, from moving averages; counts are Laplace-smoothed before dividing. */
function means(
  { vectors, counts, sums: before }: Codebook<tf.Tensor>,
  { taken, sums: added }: CodeStatistics<tf.Tensor>,
  options: CodebookOptions,
): { readonly vectors: tf.Tensor; readonly sums?: tf.Tensor } {
  const [size] = counts.shape;
  const { epsilon } = options;
  const sums = averaged(before!, added, options);
  const total = tf.sum(counts);
  const smooth = tf.mul(tf.div(tf.add(counts, epsilon), tf.add(total, size * epsilon)), total);
  const here = tf.div(sums, column(smooth));
  return { vectors: tf.where(column(tf.greater(taken, 0)), here, vectors), sums };
}

/** Each unit vector turned towards the mean of its tokens, which are unit vectors as well: BEiT v2's moving average. */
function turned(
  vectors: tf.Tensor,
  { taken, sums }: CodeStatistics<tf.Tensor>,
  options: CodebookOptions,
): tf.Tensor {
  const towards = tf.where(column(tf.greater(taken, 0)), unitRows(sums), vectors);
  return unitRows(averaged(vectors, towards, options));
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

/** `perplexity` and `codebookUsage` of how many tokens take each code, [K] and at least one, as scalars of a step. */
export function codeUse(taken: tf.Tensor): { readonly perplexity: tf.Scalar; readonly codesUsed: tf.Scalar } {
  const shares = tf.div(taken, tf.sum(taken));
  // A share of 0 adds 0.
  const entropy = tf.neg(tf.sum(tf.mul(shares, tf.log(tf.maximum(shares, 1e-20)))));
  return {
    perplexity: tf.exp(entropy) as tf.Scalar,
    codesUsed: tf.mean(tf.cast(tf.greater(taken, 0), 'float32')),
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
