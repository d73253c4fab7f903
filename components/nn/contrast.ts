import * as tf from '@tensorflow/tfjs-core';
import { accuracy, crossEntropy } from './losses.ts';

/** Below any similarity: a vector is no candidate for its own partner. */
const NEVER = -1e9;

/**
 * NT-Xent, the loss of SimCLR (Chen et al. 2020, section 2.1; google-research/simclr, objective.py): of all other vectors
 * of the batch, each should be most similar to that of its image's other view. The mean over both views of all images.
 * Similarity is that of directions, divided by the temperature.
 *
 * @param first [N, D], of one view of each image
 * @param second [N, D], of the other
 * @returns the loss, and the share of vectors that are most similar to their partner
 */
export function contrast(
  first: tf.Tensor,
  second: tf.Tensor,
  temperature: number,
): { readonly loss: tf.Scalar; readonly accuracy: tf.Scalar } {
  const [images] = first.shape;
  const count = 2 * images;
  const vectors = directions(tf.concat([first, second], 0));
  const similar = tf.div(tf.matMul(vectors, vectors, false, true), temperature);
  const places = tf.tensor1d(
    Int32Array.from({ length: count }, (_, place) => place),
    'int32',
  );
  const itself = tf.equal(tf.reshape(places, [count, 1]), tf.reshape(places, [1, count]));
  const logits = tf.add(similar, tf.mul(tf.cast(itself, 'float32'), NEVER));
  const partners = tf.tensor1d(
    Int32Array.from({ length: count }, (_, place) => (place + images) % count),
    'int32',
  );
  return { loss: crossEntropy(logits, partners), accuracy: accuracy(logits, partners) };
}

/** Rows divided by their lengths, as PyTorch's `normalize`: by no less than 1e-12. */
function directions(rows: tf.Tensor): tf.Tensor2D {
  const squares = tf.maximum(tf.sum(tf.square(rows), 1, true), 1e-24);
  return tf.div(rows, tf.sqrt(squares)) as tf.Tensor2D;
}
