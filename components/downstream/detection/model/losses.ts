import * as tf from '@tensorflow/tfjs-core';

/** Where smooth L1 changes from squares to absolute values (torchvision). */
const beta = 1 / 9;

/** Weighted sum of the binary cross-entropy of logits, elementwise; targets from 0 to 1. With a gradient by hand. */
export function binaryCrossEntropy(logits: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor): tf.Scalar {
  return tf.customGrad((input, save) => {
    const x = input as tf.Tensor;
    // max(x, 0) - x t + log(1 + exp(-|x|)): nothing overflows.
    const tail = tf.log1p(tf.exp(tf.neg(tf.abs(x))));
    const each = tf.add(tf.sub(tf.relu(x), tf.mul(x, targets)), tail);
    (save as tf.GradSaveFunc)([x, targets, weights]);
    const gradFunc = (dy: tf.Tensor, [z, wanted, by]: tf.Tensor[]) =>
      tf.mul(tf.mul(tf.sub(tf.sigmoid(z!), wanted!), by!), dy);
    return { value: tf.sum(tf.mul(each, weights)), gradFunc };
  })(logits) as tf.Scalar;
}

/** Weighted sum of smooth L1 (Girshick 2015), elementwise. With a gradient by hand. */
export function smoothL1(values: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor): tf.Scalar {
  return tf.customGrad((input, save) => {
    const off = tf.sub(input as tf.Tensor, targets);
    const far = tf.abs(off);
    const each = tf.where(tf.less(far, beta), tf.mul(tf.square(off), 0.5 / beta), tf.sub(far, 0.5 * beta));
    (save as tf.GradSaveFunc)([off, weights]);
    const gradFunc = (dy: tf.Tensor, [apart, by]: tf.Tensor[]) =>
      tf.mul(tf.mul(tf.clipByValue(tf.div(apart!, beta), -1, 1), by!), dy);
    return { value: tf.sum(tf.mul(each, weights)), gradFunc };
  })(values) as tf.Scalar;
}

/** sum / count, and 0 where nothing was counted. */
export function perCount(sum: tf.Scalar, count: tf.Tensor): tf.Scalar {
  return tf.div(sum, tf.maximum(count, 1));
}
