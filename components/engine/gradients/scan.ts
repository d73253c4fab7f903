import type { CumprodAttrs, CumsumAttrs, GradConfig, SumAttrs, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { axesOf, gradient, withAxes } from './gradient.ts';

/** Products of all other elements, also where some are zero: those before times those after. */
function otherProducts(rows: Tensor): Tensor {
  return tf.mul(tf.cumprod(rows, 1, true, false), tf.cumprod(rows, 1, true, true));
}

function product(dy: Tensor, x: Tensor, axis: SumAttrs['axis'] | undefined): Tensor {
  const axes = axesOf(axis, x);
  const kept = x.shape.map((_, each) => each).filter((each) => !axes.includes(each));
  const perm = [...kept, ...axes];
  const moved = tf.transpose(x, perm);
  const rows = tf.reshape(moved, [tf.util.sizeFromShape(kept.map((each) => x.shape[each])), -1]);
  const others = tf.transpose(
    tf.reshape(otherProducts(rows), moved.shape),
    tf.backend_util.getUndoAxesPermutation(perm),
  );
  return tf.mul(withAxes(dy, x, axis), others);
}

/**
 * y_j is the product of x_k for k <= j (k < j if exclusive). Its derivative to x_i is the product before i times that
 * between i and j: without divisions, so that zeros do no harm, at the price of a matrix [n, n] a row.
 */
function ofRows(dy: Tensor, x: Tensor, exclusive: boolean): Tensor {
  const [rows, length] = x.shape;
  const places = tf.range(0, length, 1, 'int32');
  const [i, j] = [tf.reshape(places, [length, 1]), tf.reshape(places, [1, length])];
  const repeated = tf.broadcastTo(tf.reshape(x, [rows, 1, length]), [rows, length, length]);
  const after = tf.where(tf.greater(j, i), repeated, tf.onesLike(repeated));
  const between = tf.cumprod(after, 2, exclusive, false);
  const counted = tf.cast(exclusive ? tf.greater(j, i) : tf.greaterEqual(j, i), 'float32');
  const sums = tf.sum(tf.mul(tf.mul(tf.reshape(dy, [rows, 1, length]), counted), between), 2);
  return tf.mul(tf.cumprod(x, 1, true, false), sums);
}

function cumprod(dy: Tensor, x: Tensor, { axis, exclusive, reverse }: CumprodAttrs): Tensor {
  const along = axesOf(axis, x)[0];
  const perm = x.shape.map((_, each) => each).filter((each) => each !== along);
  perm.push(along);
  const shape = perm.map((each) => x.shape[each]);
  const asRows = (each: Tensor) => {
    const rows = tf.reshape(tf.transpose(tf.cast(each, 'float32'), perm), [-1, x.shape[along]]);
    return reverse ? tf.reverse(rows, 1) : rows;
  };
  const grad = ofRows(asRows(dy), asRows(x), exclusive);
  const forward = reverse ? tf.reverse(grad, 1) : grad;
  return tf.transpose(tf.reshape(forward, shape), tf.backend_util.getUndoAxesPermutation(perm));
}

export const scanGradients: readonly GradConfig[] = [
  gradient<SumAttrs>('Prod', { inputs: ['x'] }, (dy, [x], { axis }) => ({ x: () => product(dy, x, axis) })),
  gradient<CumsumAttrs>('Cumsum', {}, (dy, _, { axis, exclusive, reverse }) => ({
    x: () => tf.cumsum(dy, axis, exclusive, !reverse),
  })),
  gradient<CumprodAttrs>('Cumprod', { inputs: ['x'] }, (dy, [x], attributes) => ({
    x: () => cumprod(dy, x, attributes),
  })),
];
