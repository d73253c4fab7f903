import * as tf from '@tensorflow/tfjs-core';

/**
 * Mean cross-entropy of rows, weighted: sum(weight * ce) / sum(weight).
 * logits [N, K]; labels int32 [N]; weights float32 [N] (0 for padding). `smoothing` moves that share of the target
 * mass to all classes evenly (Szegedy et al. 2016). The gradient is written by hand: (softmax - target) * weight.
 */
export function crossEntropy(
  logits: tf.Tensor,
  labels: tf.Tensor,
  { weights, smoothing = 0 }: { weights?: tf.Tensor; smoothing?: number } = {},
): tf.Scalar {
  const [rows, classes] = logits.shape;
  const hot = tf.cast(tf.oneHot(tf.cast(labels, 'int32') as tf.Tensor1D, classes), 'float32');
  const target = smoothing === 0 ? hot : tf.add(tf.mul(hot, 1 - smoothing), smoothing / classes);
  const share = weights ? tf.div(weights, tf.maximum(tf.sum(weights), 1)) : tf.fill([rows], 1 / rows);
  const column = tf.reshape(share, [rows, 1]);
  const loss = tf.customGrad((input, save) => {
    const shifted = tf.sub(input as tf.Tensor, tf.max(input as tf.Tensor, -1, true));
    const exponentials = tf.exp(shifted);
    const total = tf.sum(exponentials, -1, true);
    const logProbabilities = tf.sub(shifted, tf.log(total));
    const value = tf.neg(tf.sum(tf.mul(tf.mul(logProbabilities, target), column)));
    (save as tf.GradSaveFunc)([tf.div(exponentials, total), target, column]);
    const gradFunc = (dy: tf.Tensor, [probabilities, wanted, by]: tf.Tensor[]) =>
      tf.mul(tf.mul(tf.sub(probabilities, wanted), by), dy);
    return { value, gradFunc };
  })(logits);
  return loss as tf.Scalar;
}

/** Share of rows whose largest logit is the label, weighted as in `crossEntropy`. Not differentiable. */
export function accuracy(logits: tf.Tensor, labels: tf.Tensor, weights?: tf.Tensor): tf.Scalar {
  const right = tf.cast(tf.equal(tf.argMax(logits, -1), tf.cast(labels, 'int32')), 'float32');
  if (!weights) return tf.mean(right);
  return tf.div(tf.sum(tf.mul(right, weights)), tf.maximum(tf.sum(weights), 1));
}

/** Mean of squared differences over everything. */
export function meanSquaredError(a: tf.Tensor, b: tf.Tensor): tf.Scalar {
  return tf.mean(tf.squaredDifference(a, b));
}
