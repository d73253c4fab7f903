import type { CropAndResizeAttrs, GradConfig, RotateWithOffsetAttrs, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { rotatedSources } from '../rotate-rules.ts';
import { gradient, run } from './gradient.ts';

/** Two pixels beside each sample along one axis, [boxes, length], and their shares; outside the image none has any. */
function neighbours(boxes: Tensor, [low, high]: readonly [number, number], from: number, to: number) {
  const end = (column: number) => tf.mul(tf.slice(boxes, [0, column], [boxes.shape[0], 1]), from - 1);
  const [first, last] = [end(low), end(high)];
  const share = to === 1 ? tf.tensor([[0.5]]) : tf.reshape(tf.linspace(0, 1, to), [1, to]);
  const exact = tf.add(tf.mul(first, tf.sub(1, share)), tf.mul(last, share));
  const at = tf.minimum(tf.maximum(exact, tf.minimum(first, last)), tf.maximum(first, last));
  const inside = tf.logicalAnd(tf.greaterEqual(at, 0), tf.lessEqual(at, from - 1));
  const counted = tf.cast(inside, 'float32');
  const clamped = tf.clipByValue(at, 0, from - 1);
  const floor = tf.floor(clamped);
  const upper = tf.sub(clamped, floor);
  return [
    { pixel: tf.cast(floor, 'int32'), share: tf.mul(tf.sub(1, upper), counted) },
    { pixel: tf.cast(tf.ceil(clamped), 'int32'), share: tf.mul(upper, counted) },
  ];
}

/** Adds each pixel's gradient to the four pixels of the image between which it was interpolated. */
function uncrop(
  dy: Tensor,
  image: Tensor,
  boxes: Tensor,
  boxInd: Tensor,
  [height, width]: readonly [number, number],
): Tensor {
  const [batch, fromHeight, fromWidth, channels] = image.shape;
  const count = boxes.shape[0];
  const known = tf.less(boxInd, tf.scalar(batch, 'int32'));
  const item = tf.mul(
    tf.where(known, boxInd, tf.zerosLike(boxInd)),
    tf.scalar(fromHeight * fromWidth, 'int32'),
  );
  const weighted = tf.mul(dy, tf.reshape(tf.cast(known, 'float32'), [count, 1, 1, 1]));
  const corners = neighbours(boxes, [0, 2], fromHeight, height).flatMap((down) =>
    neighbours(boxes, [1, 3], fromWidth, width).map((right) => {
      const row = tf.mul(tf.reshape(down.pixel, [count, height, 1]), tf.scalar(fromWidth, 'int32'));
      const start = tf.add(tf.reshape(item, [count, 1, 1]), row);
      const share = tf.mul(
        tf.reshape(down.share, [count, height, 1]),
        tf.reshape(right.share, [count, 1, width]),
      );
      return {
        pixels: tf.reshape(tf.add(start, tf.reshape(right.pixel, [count, 1, width])), [-1, 1]),
        shares: tf.reshape(tf.mul(weighted, tf.expandDims(share, -1)), [-1, channels]),
      };
    }),
  );
  const sums = tf.scatterND(
    tf.concat(
      corners.map(({ pixels }) => pixels),
      0,
    ),
    tf.concat(
      corners.map(({ shares }) => shares),
      0,
    ),
    [batch * fromHeight * fromWidth, channels],
  );
  return tf.reshape(sums, image.shape);
}

/** Adds each pixel's gradient to the pixel that it copied. */
function unrotate(dy: Tensor, image: Tensor, { radians, center }: RotateWithOffsetAttrs): Tensor {
  const [batch, height, width, channels] = image.shape;
  const pixels = height * width;
  const sources = tf.tensor2d(rotatedSources([height, width], radians, center), [pixels, 1], 'int32');
  const rows = tf.transpose(tf.reshape(dy, [batch, pixels, channels]), [1, 0, 2]);
  // The last row takes what came from outside.
  const sums = tf.slice(
    tf.scatterND(sources, rows, [pixels + 1, batch, channels]),
    [0, 0, 0],
    [pixels, batch, channels],
  );
  return tf.reshape(tf.transpose(sums, [1, 0, 2]), image.shape);
}

export const imageGradients: readonly GradConfig[] = [
  // Boxes have no gradient: tf.grads then says that it can't get past them.
  gradient<CropAndResizeAttrs>(
    'CropAndResize',
    { inputs: ['image', 'boxes', 'boxInd'] },
    (dy, [image, boxes, boxInd], { cropSize, method }) => ({
      image: () => {
        tf.util.assert(
          method === 'bilinear',
          () => `tf.image.cropAndResize with method '${method}' has no gradient; use 'bilinear'`,
        );
        return uncrop(dy, image, boxes, boxInd, cropSize);
      },
    }),
  ),
  gradient('FlipLeftRight', {}, (dy) => ({ image: () => run('FlipLeftRight', { image: dy }) })),
  gradient<RotateWithOffsetAttrs>('RotateWithOffset', { inputs: ['image'] }, (dy, [image], attributes) => ({
    image: () => unrotate(dy, image, attributes),
  })),
];
