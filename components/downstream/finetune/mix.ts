import * as tf from '@tensorflow/tfjs-core';

/**
 * Images [B, H, W, 3] mixed with their partners: the first with the second, the third with the fourth and so on, and each the
 * other way round. timm pairs the first with the last; since batches are shuffled, that is the same, but pairs of neighbours
 * lie in one micro-batch.
 *
 * @param mixes float32 [B, 6], as `mixesOf` gives them
 */
export function mixImages(images: tf.Tensor, mixes: tf.Tensor): tf.Tensor {
  const [count, height, width] = images.shape as [number, number, number];
  const [pixels, , top, bottom, left, right] = columnsOf(mixes, [count, 1, 1, 1]);
  const rows = tf.reshape(tf.range(0, height), [1, height, 1, 1]);
  const columns = tf.reshape(tf.range(0, width), [1, 1, width, 1]);
  const within = (place: tf.Tensor, from: tf.Tensor, to: tf.Tensor): tf.Tensor =>
    tf.logicalAnd(tf.greaterEqual(place, from), tf.less(place, to));
  const cut = tf.cast(tf.logicalAnd(within(rows, top, bottom), within(columns, left, right)), 'float32');
  const own = tf.mul(pixels, tf.sub(1, cut));
  return tf.add(tf.mul(images, own), tf.mul(partnersOf(images), tf.sub(1, own)));
}

/** Soft labels [B, classes] of mixed images; `labels` are those of the images alone, [B, classes]. */
export function mixLabels(labels: tf.Tensor, mixes: tf.Tensor): tf.Tensor {
  const [count] = labels.shape as [number];
  const [, own] = columnsOf(mixes, [count, 1]);
  return tf.add(tf.mul(labels, own), tf.mul(partnersOf(labels), tf.sub(1, own)));
}

type Columns = [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];

function columnsOf(mixes: tf.Tensor, shape: number[]): Columns {
  return tf.split(mixes, 6, 1).map((column) => tf.reshape(column, shape)) as Columns;
}

/** Each pair in the other order. */
function partnersOf(values: tf.Tensor): tf.Tensor {
  const [count, ...rest] = values.shape as [number, ...number[]];
  const width = rest.reduce((product, extent) => product * extent, 1);
  const pairs = tf.reshape(values, [count / 2, 2, width]);
  return tf.reshape(tf.reverse(pairs, 1), values.shape);
}
