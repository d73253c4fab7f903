import * as tf from '@tensorflow/tfjs-core';
import { relativeBias, relativeGradient } from './positions.ts';

/** What scores get by distance: a table [rows, heads], and `relativeIndices` of the tokens. */
export interface Relative {
  readonly table: tf.Tensor;
  readonly indices: tf.Tensor1D;
}

/**
 * Multi-head attention (Vaswani et al. 2017): queries, keys and values [3, B, heads, N, size] -> [B, heads, N, size]; `bias`
 * [heads, N, N] is added to the scores.
 */
export function attend(qkv: tf.Tensor, bias: tf.Tensor | undefined): tf.Tensor {
  const [query, key, value] = tf.unstack(qkv);
  return tf.matMul(tf.softmax(scoresOf(query, key, bias)), value);
}

function scoresOf(query: tf.Tensor, key: tf.Tensor, bias: tf.Tensor | undefined): tf.Tensor {
  const scores = tf.matMul(tf.mul(query, 1 / Math.sqrt(query.shape.at(-1)!)), key, false, true);
  return bias ? tf.add(scores, bias) : scores;
}

/**
 * The same head by head. For the backward pass it keeps the logarithm of each query's sum, from which probabilities are made
 * again (Dao et al. 2022): some [B, N, N] at a time instead of some [B, heads, N, N] of each block, for a seventh more
 * products.
 */
export function attendHeadByHead(qkv: tf.Tensor, relative: Relative | undefined): tf.Tensor {
  const [, , heads, tokens] = qkv.shape as [number, number, number, number, number];
  const all = Array.from({ length: heads }, (_, head) => head);
  const biasOf = (table: tf.Tensor, indices: tf.Tensor1D, head: number) =>
    relativeBias(tf.slice(table, [0, head], [-1, 1]), tokens, indices);
  return tf.customGrad((...given) => {
    const save = given.pop() as unknown as tf.GradSaveFunc;
    const [whole, table] = given as tf.Tensor[];
    const done = all.map((head) =>
      headForward(headOf(whole, head), table && biasOf(table, relative!.indices, head)),
    );
    const value = tf.stack(
      done.map(({ mixed }) => mixed),
      1,
    );
    const sums = tf.stack(
      done.map(({ logSum }) => logSum),
      1,
    );
    save([whole, value, sums, ...(table ? [table, relative!.indices] : [])]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [kept, mixed, logSums, rows, indices] = saved;
      // What is computed again waits for dy: it would be the values of the forward pass otherwise, kept until now.
      const own = tf.slice(tf.reshape(dy, [-1]), 0, 1);
      const [again, later] = [waitFor(kept, own), rows && waitFor(rows, own)];
      const parts = all.map((head) =>
        headBackward(headOf(again, head), {
          bias: later && biasOf(later, indices as tf.Tensor1D, head),
          mixed: headIn(mixed, head),
          logSum: headIn(logSums, head),
          dy: headIn(dy, head),
        }),
      );
      const ofQkv = tf.stack(
        parts.map(({ ofQkv }) => ofQkv),
        2,
      );
      return rows
        ? [
            ofQkv,
            tf.stack(
              parts.map(({ ofColumn }) => ofColumn!),
              1,
            ),
          ]
        : ofQkv;
    };
    return { value, gradFunc };
  })(...[qkv, ...(relative ? [relative.table] : [])]);
}

/** Queries, keys and values of a head, [B, N, size] each. */
function headOf(qkv: tf.Tensor, head: number): [tf.Tensor, tf.Tensor, tf.Tensor] {
  const [, batch, , tokens, size] = qkv.shape as [number, number, number, number, number];
  const own = tf.slice(qkv, [0, 0, head], [3, batch, 1]);
  return tf.unstack(tf.reshape(own, [3, batch, tokens, size])) as [tf.Tensor, tf.Tensor, tf.Tensor];
}

/** [B, heads, N, size] -> [B, N, size] */
function headIn(values: tf.Tensor, head: number): tf.Tensor {
  const [batch, , tokens, size] = values.shape as [number, number, number, number];
  return tf.reshape(tf.slice(values, [0, head], [batch, 1]), [batch, tokens, size]);
}

/**
 * The numbers of x, which aren't there before all of `others` are: what is added is 0, the smaller one of it and a square. An
 * engine orders what it computes by what needs what.
 */
function waitFor(x: tf.Tensor, others: tf.Tensor): tf.Tensor {
  return tf.add(x, tf.sum(tf.minimum(tf.square(others), 0)));
}

function headForward([query, key, value]: readonly tf.Tensor[], bias: tf.Tensor | undefined) {
  const scores = scoresOf(query, key, bias);
  const most = tf.max(scores, -1, true);
  const weights = tf.exp(tf.sub(scores, most));
  const sum = tf.sum(weights, -1, true);
  return { mixed: tf.div(tf.matMul(weights, value), sum), logSum: tf.add(most, tf.log(sum)) };
}

interface Backward {
  readonly bias: tf.Tensor | undefined;
  /** What came out, [B, N, size]. */
  readonly mixed: tf.Tensor;
  /** [B, N, 1] */
  readonly logSum: tf.Tensor;
  readonly dy: tf.Tensor;
}

/** Gradients of a head: of queries, keys and values [3, B, N, size], and of its column of the table. */
function headBackward(
  [query, key, value]: readonly tf.Tensor[],
  { bias, mixed, logSum, dy }: Backward,
): { readonly ofQkv: tf.Tensor; readonly ofColumn: tf.Tensor | undefined } {
  const factor = 1 / Math.sqrt(query.shape.at(-1)!);
  const weights = tf.exp(tf.sub(scoresOf(query, key, bias), logSum));
  const along = tf.sum(tf.mul(dy, mixed), -1, true);
  const ofScores = tf.mul(weights, tf.sub(tf.matMul(dy, value, false, true), along));
  const ofQkv = tf.stack([
    tf.mul(tf.matMul(ofScores, key), factor),
    tf.mul(tf.matMul(ofScores, query, true), factor),
    tf.matMul(weights, dy, true),
  ]);
  if (!bias) return { ofQkv, ofColumn: undefined };
  const ofColumn = relativeGradient(tf.sum(ofScores, 0));
  // Whichever is asked for first, both are computed: otherwise what they have in common is kept, of all heads.
  return { ofQkv: waitFor(ofQkv, ofColumn), ofColumn: waitFor(ofColumn, ofQkv) };
}
