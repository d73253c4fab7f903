import * as tf from '@tensorflow/tfjs-core';
import { uniformRows } from '../engine/uniform.ts';

/** Numbers in (0, 1), [rows, columns], from the words of a batch. */
export type Draw = (noise: tf.Tensor, rows: number, columns: number) => tf.Tensor;

/**
 * Gumbel noise, one row a token, [rows, columns] (Jang et al. 2017, section 2.1).
 *
 * @param noise int32 [3]: what `uniformRows` wants
 */
export function gumbelNoise(
  noise: tf.Tensor,
  rows: number,
  columns: number,
  draw: Draw = uniformRows,
): tf.Tensor {
  return tf.neg(tf.log(tf.neg(tf.log(draw(noise, rows, columns)))));
}

/** Codes that a gradient goes through: logits and noise [N, K] -> shares of the codes [N, K], 1 in all. */
export function relaxedCodes(logits: tf.Tensor, noise: tf.Tensor, temperature: tf.Tensor): tf.Tensor2D {
  return tf.softmax(tf.div(tf.add(logits, noise), temperature)) as tf.Tensor2D;
}
