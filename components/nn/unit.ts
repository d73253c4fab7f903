import * as tf from '@tensorflow/tfjs-core';

/**
 * Pictures as numbers in [0, 1], in a program. They come as bytes (a batch's uint8, which a step has as int32) and are
 * divided by 255 here, rounded to float32 once; float32 pictures are such numbers already.
 *
 * @param images [B, H, W, 3]
 */
export function unit<T extends tf.Tensor>(images: T): T {
  return images.dtype === 'float32' ? images : tf.div(tf.cast(images, 'float32'), 255);
}
