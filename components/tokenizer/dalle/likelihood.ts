import * as tf from '@tensorflow/tfjs-core';
import { mapPixels } from './model.ts';

/**
 * Negative logarithm of the density of images under the decoder's output, in nats, averaged over all numbers of the
 * images: the logit-Laplace distribution of x = 0.8 image + 0.1 (Ramesh et al. 2021, appendix A.3),
 *
 *   f(x | m, b) = exp(-|logit(x) - m| / b) / (2 b x (1 - x)).
 *
 * @param images [B, H, W, 3] in [0, 1]
 * @param output [B, H, W, 6]: m of the three colours, then the logarithms of b
 */
export function logitLaplace(images: tf.Tensor, output: tf.Tensor4D): tf.Scalar {
  const [locations, logScales] = tf.split(output, 2, 3) as [tf.Tensor4D, tf.Tensor4D];
  const x = mapPixels(images);
  const odds = tf.log(tf.div(x, tf.sub(1, x)));
  const distance = tf.mul(tf.abs(tf.sub(odds, locations)), tf.exp(tf.neg(logScales)));
  const volume = tf.log(tf.mul(tf.mul(x, tf.sub(1, x)), 2));
  return tf.mean(tf.add(tf.add(distance, logScales), volume));
}

/** Mean over tokens of KL(posterior || uniform) in nats: log K minus the entropy. logits [N, K]. */
export function tokenDivergence(logits: tf.Tensor2D): tf.Scalar {
  const [, codes] = logits.shape;
  const logs = tf.logSoftmax(logits);
  return tf.add(tf.mean(tf.sum(tf.mul(tf.exp(logs), logs), 1)), Math.log(codes)) as tf.Scalar;
}
