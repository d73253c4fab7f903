import * as tf from '@tensorflow/tfjs-core';
import { relativeRows } from './sizes.ts';

/**
 * Which row of the table says how far token i is from token j, for [1 + side * side] tokens, i row by row. Patches:
 * (dy + side - 1) (2 side - 1) + dx + side - 1 with d = i - j. The last three rows are: class token to patch, patch to
 * class token, class token to itself (microsoft/unilm, beit/modeling_finetune.py, `relative_position_index`).
 */
export function relativeIndex(side: number): Int32Array {
  const tokens = 1 + side ** 2;
  const rows = relativeRows(side);
  const index = new Int32Array(tokens ** 2).fill(rows - 3, 1, tokens);
  index[0] = rows - 1;
  for (let i = 1; i < tokens; i++) {
    index[i * tokens] = rows - 2;
    for (let j = 1; j < tokens; j++) {
      const dy = Math.floor((i - 1) / side) - Math.floor((j - 1) / side);
      const dx = ((i - 1) % side) - ((j - 1) % side);
      index[i * tokens + j] = (dy + side - 1) * (2 * side - 1) + dx + side - 1;
    }
  }
  return index;
}

/** `relativeIndex` for so many tokens, for several uses in a program: there are many numbers. */
export function relativeIndices(tokens: number): tf.Tensor1D {
  return tf.tensor1d(relativeIndex(sideOf(tokens)), 'int32');
}

function sideOf(tokens: number): number {
  return Math.round(Math.sqrt(tokens - 1));
}

/**
 * What is added to the scores of attention: table [rows, heads] -> [heads, tokens, tokens] for 1 + side * side tokens,
 * queries first.
 *
 * @throws Error if the table is for another grid
 */
export function relativeBias(
  table: tf.Tensor,
  tokens: number,
  indices: tf.Tensor1D = relativeIndices(tokens),
): tf.Tensor {
  const side = sideOf(tokens);
  const [rows, heads] = table.shape as [number, number];
  if (side ** 2 + 1 !== tokens || relativeRows(side) !== rows)
    throw new Error(`${rows} relative positions don't fit ${tokens - 1} patches: resize the backbone first`);
  return tf.reshape(tf.gather(tf.transpose(table), indices, 1), [heads, tokens, tokens]);
}

/**
 * The gradient of a column of the table from that of its scores, [tokens, tokens] -> [rows]: sums over pairs of rows of the
 * grid at equal distances, then over pairs of columns, instead of over all pairs of tokens one by one.
 */
export function relativeGradient(ofScores: tf.Tensor): tf.Tensor1D {
  const tokens = ofScores.shape[0]!;
  const side = sideOf(tokens);
  const count = 2 * side - 1;
  const distances = Int32Array.from(
    { length: side ** 2 },
    (_, pair) => Math.floor(pair / side) - (pair % side) + side - 1,
  );
  const ids = tf.tensor1d(distances, 'int32');
  const patches = tf.reshape(tf.slice(ofScores, [1, 1], [-1, -1]), [side, side, side, side]);
  const pairs = tf.reshape(tf.transpose(patches, [0, 2, 1, 3]), [side ** 2, side ** 2]);
  const byRows = tf.unsortedSegmentSum(pairs, ids, count);
  const byBoth = tf.unsortedSegmentSum(tf.transpose(byRows), ids, count);
  return tf.concat([
    tf.reshape(tf.transpose(byBoth), [count ** 2]),
    tf.reshape(tf.sum(tf.slice(ofScores, [0, 1], [1, -1])), [1]),
    tf.reshape(tf.sum(tf.slice(ofScores, [1, 0], [-1, 1])), [1]),
    tf.reshape(tf.slice(ofScores, [0, 0], [1, 1]), [1]),
  ]) as tf.Tensor1D;
}
