import { tf } from 'peco-exp/kit';

/** images [B, H, W, 3] -> patches [B * tokens, stride * stride * 3], row by row. */
export function toPatches(images: tf.Tensor, stride: number): tf.Tensor2D {
  const [batch, height, width] = images.shape as [number, number, number, number];
  const split = tf.reshape(images, [batch, height / stride, stride, width / stride, stride, 3]);
  return tf.reshape(tf.transpose(split, [0, 1, 3, 2, 4, 5]), [-1, stride * stride * 3]);
}

/** The way back, for square images. */
export function toImages(patches: tf.Tensor, stride: number, tokens: number): tf.Tensor4D {
  const side = Math.sqrt(tokens);
  const split = tf.reshape(patches, [-1, side, side, stride, stride, 3]);
  return tf.reshape(tf.transpose(split, [0, 1, 3, 2, 4, 5]), [-1, side * stride, side * stride, 3]);
}
