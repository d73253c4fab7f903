import type { GradConfig, StridedSliceAttrs, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { gradient } from './gradient.ts';

/** Puts what was picked along one axis back to its places: `start`, `start + stride`, ... of `length`. */
function spread(dy: Tensor, axis: number, start: number, stride: number, length: number): Tensor {
  const count = dy.shape[axis];
  const step = Math.abs(stride);
  const span = (count - 1) * step + 1;
  const first = stride > 0 ? start : start + (count - 1) * stride;
  const ordered = stride > 0 ? dy : tf.reverse(dy, axis);
  const [outer, inner] = [dy.shape.slice(0, axis), dy.shape.slice(axis + 1)];
  const margins = (rank: number, at: number, before: number, after: number) =>
    Array.from({ length: rank }, (_, each): [number, number] => (each === at ? [before, after] : [0, 0]));
  const apart = tf.pad(
    tf.reshape(ordered, [...outer, count, 1, ...inner]),
    margins(dy.rank + 1, axis + 1, 0, step - 1),
  );
  const long = tf.reshape(apart, [...outer, count * step, ...inner]);
  const exact = tf.slice(long, new Array<number>(dy.rank).fill(0), [...outer, span, ...inner]);
  return tf.pad(exact, margins(dy.rank, axis, first, length - first - span));
}

/** tfjs has no gradient of strided slices. */
function unslice(dy: Tensor, x: Tensor, attributes: StridedSliceAttrs): Tensor {
  const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attributes;
  const masks = [beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask] as const;
  const info = tf.slice_util.sliceInfo(x.shape, begin, end, strides, ...masks);
  const counts = info.begin.map((start, axis) =>
    Math.max(0, Math.ceil((info.end[axis] - start) / info.strides[axis])),
  );
  if (counts.includes(0)) return tf.zeros(x.shape);
  return info.begin.reduce(
    (grad: Tensor, start, axis) =>
      counts[axis] === x.shape[axis] && info.strides[axis] === 1
        ? grad
        : spread(grad, axis, start, info.strides[axis], x.shape[axis]),
    tf.reshape(dy, counts),
  );
}

export const stridedGradients: readonly GradConfig[] = [
  gradient<StridedSliceAttrs>('StridedSlice', { inputs: ['x'] }, (dy, [x], attributes) => ({
    x: () => unslice(dy, x, attributes),
  })),
];
