import * as tf from '@tensorflow/tfjs-core';

/** Target shares of classes, float32 [N, K]: all of it at the label, but for `smoothing`, which all classes share evenly. */
export function softLabels(labels: tf.Tensor, classes: number, smoothing = 0): tf.Tensor {
  const hot = tf.cast(tf.oneHot(tf.cast(labels, 'int32') as tf.Tensor1D, classes), 'float32');
  return smoothing === 0 ? hot : tf.add(tf.mul(hot, 1 - smoothing), smoothing / classes);
}

/**
 * Mean cross-entropy of rows, weighted: sum(weight * ce) / sum(weight), and 0 where no row has weight.
 * logits [N, K]; labels int32 [N], or float32 [N, K], shares of classes that sum to 1; weights float32 [N], not negative
 * (0 for padding). `smoothing` moves that share of the target mass of a label to all classes evenly (Szegedy et al. 2016; not of
 * shares, which say all). The gradient is written by hand: (softmax - target) * weight.
 */
export function crossEntropy(
  logits: tf.Tensor,
  labels: tf.Tensor,
  { weights, smoothing = 0 }: { weights?: tf.Tensor; smoothing?: number } = {},
): tf.Scalar {
  const [rows, classes] = logits.shape;
  const target = labels.rank === 2 ? labels : softLabels(labels, classes, smoothing);
  const share = weights ? tf.div(weights, totalOf(weights)) : tf.fill([rows], 1 / rows);
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
  return tf.div(tf.sum(tf.mul(right, weights)), totalOf(weights));
}

/** The sum of the weights to divide by; 1 where all of them are 0, so that what is divided, also 0, stays 0. */
function totalOf(weights: tf.Tensor): tf.Tensor {
  const total = tf.sum(weights);
  return tf.where(tf.greater(total, 0), total, tf.onesLike(total));
}

/** Mean of squared differences over everything. */
export function meanSquaredError(a: tf.Tensor, b: tf.Tensor): tf.Scalar {
  return tf.mean(tf.squaredDifference(a, b));
}
