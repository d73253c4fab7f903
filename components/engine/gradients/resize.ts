import type {
  GradConfig,
  ResizeBilinearAttrs,
  ResizeNearestNeighborAttrs,
  Tensor,
} from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { ResizeRule } from '../resize-rules.ts';
import { bilinearMatrix, nearestMatrix, wholeFactor } from '../resize-rules.ts';
import { gradient } from './gradient.ts';

// tfjs's own kernels for these gradients are not used: on its CPU backend the one for nearest neighbours reads the
// wrong images of a batch, and the one for bilinear resizing confuses height and width.

/** Resizing is linear along each axis, so its gradient is the transposed matrix along each axis. */
function byMatrices(dy: Tensor, images: Tensor, matrix: (from: number, to: number) => Float32Array): Tensor {
  const [batch, height, width, channels] = images.shape;
  const [, outHeight, outWidth] = dy.shape;
  const rows = tf.tensor(matrix(height, outHeight), [1, outHeight, height]);
  const columns = tf.tensor(matrix(width, outWidth), [1, outWidth, width]);
  const narrow = tf.matMul(columns, tf.reshape(dy, [batch * outHeight, outWidth, channels]), true, false);
  return tf.reshape(
    tf.matMul(rows, tf.reshape(narrow, [batch, outHeight, width * channels]), true, false),
    images.shape,
  );
}

function nearest(dy: Tensor, images: Tensor, rule: ResizeRule): Tensor {
  const [batch, height, width, channels] = images.shape;
  const [, outHeight, outWidth] = dy.shape;
  const down = wholeFactor(height, outHeight, rule);
  const right = wholeFactor(width, outWidth, rule);
  if (down === undefined || right === undefined) {
    return byMatrices(dy, images, (from, to) => nearestMatrix(from, to, rule));
  }
  return tf.sum(tf.reshape(dy, [batch, height, down, width, right, channels]), [2, 4]);
}

export const resizeGradients: readonly GradConfig[] = [
  gradient<ResizeNearestNeighborAttrs>(
    'ResizeNearestNeighbor',
    { inputs: ['images'] },
    (dy, [images], rule) => ({
      images: () => nearest(dy, images, rule),
    }),
  ),
  gradient<ResizeBilinearAttrs>('ResizeBilinear', { inputs: ['images'] }, (dy, [images], rule) => ({
    images: () => byMatrices(dy, images, (from, to) => bilinearMatrix(from, to, rule)),
  })),
];
