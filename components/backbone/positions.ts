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

/**
 * What is added to the scores of attention: table [rows, heads] -> [heads, tokens, tokens] for 1 + side * side tokens,
 * queries first.
 *
 * @throws Error if the table is for another grid
 */
export function relativeBias(table: tf.Tensor, tokens: number): tf.Tensor {
  const side = Math.round(Math.sqrt(tokens - 1));
  const [rows, heads] = table.shape as [number, number];
  if (side ** 2 + 1 !== tokens || relativeRows(side) !== rows)
    throw new Error(`${rows} relative positions don't fit ${tokens - 1} patches: resize the backbone first`);
  const index = tf.tensor1d(relativeIndex(side), 'int32');
  return tf.reshape(tf.gather(tf.transpose(table), index, 1), [heads, tokens, tokens]);
}
