import * as tf from '@tensorflow/tfjs-core';

export type Interpolation = 'bilinear' | 'nearest';

/**
 * Enlarges images `[n, h, w, c]` by an integer factor, with pixel centres at half integers (as
 * `torch.nn.functional.interpolate(align_corners=False)`). Two multiplications by small constant matrices: cheap for
 * images of three channels, and every engine differentiates them.
 */
export function enlarge(images: tf.Tensor4D, factor: number, interpolation: Interpolation): tf.Tensor4D {
  if (factor === 1) return images;
  const [count, height, width, channels] = images.shape;
  const rows = tf.tensor2d(interpolationMatrix(height, factor, interpolation), [height * factor, height]);
  const columns = tf.tensor2d(interpolationMatrix(width, factor, interpolation), [width * factor, width]);
  // Both as [kept, summed] x [summed, enlarged]: one product for the whole batch, whatever the rank.
  const tall = along(tf.transpose(images, [0, 2, 3, 1]), rows);
  const large = along(tf.transpose(tall, [0, 3, 2, 1]), columns);
  return tf.reshape(tf.transpose(large, [0, 1, 3, 2]), [count, height * factor, width * factor, channels]);
}

/** Multiplies the last axis by a matrix [enlarged, size]. */
function along(x: tf.Tensor, matrix: tf.Tensor2D): tf.Tensor {
  const [enlarged, size] = matrix.shape;
  const flat = tf.matMul(tf.reshape(x, [-1, size]), matrix, false, true);
  return tf.reshape(flat, [...x.shape.slice(0, -1), enlarged]);
}

/** Weights [size * factor][size] of the source pixels in each enlarged one. */
export function interpolationMatrix(size: number, factor: number, interpolation: Interpolation): number[][] {
  return Array.from({ length: size * factor }, (_, target) => {
    const weights = new Array<number>(size).fill(0);
    if (interpolation === 'nearest') {
      weights[Math.floor(target / factor)] = 1;
      return weights;
    }
    const centre = Math.max(0, (target + 0.5) / factor - 0.5);
    const left = Math.floor(centre);
    const right = Math.min(left + 1, size - 1);
    weights[left] += 1 - (centre - left);
    weights[right] += centre - left;
    return weights;
  });
}
