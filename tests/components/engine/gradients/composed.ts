import type { Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { floats, ints } from '../support/arbitrary.ts';
import type { GradientCases } from './elementwise.ts';

const x = floats([2, 3, 4], 1);
const labels = ints([3], 2, { min: 0, max: 3 });

/** Ops that have no kernel of their own, by name; some have gradients of tfjs's own. */
export const composedCases: GradientCases = {
  logSoftmax: [{ inputs: [x], op: (a) => tf.logSoftmax(a) }],
  logSumExp: [{ inputs: [x], op: (a) => tf.logSumExp(a, 1) }],
  logSigmoid: [{ inputs: [x], op: (a) => tf.logSigmoid(a) }],
  moments: [{ inputs: [x], op: (a) => tf.moments(a, [0, 2]).variance }],
  norm: [{ inputs: [x], op: (a) => tf.norm(a, 2, 1) }],
  softmaxCrossEntropy: [
    {
      inputs: [floats([3, 4], 3), labels],
      op: (a, i) => tf.losses.softmaxCrossEntropy(tf.oneHot(i as Tensor1D, 4), a as Tensor2D),
      variables: 1,
    },
  ],
  fusedMatMul: [
    {
      inputs: [floats([3, 4], 4), floats([4, 2], 5), floats([2], 6)],
      op: (a, b, bias) => tf.fused.matMul({ a, b, bias }),
    },
  ],
  fusedConv2d: [
    {
      inputs: [floats([1, 3, 4, 2], 7), floats([2, 2, 2, 3], 8), floats([3], 9)],
      op: (a, filter, bias) =>
        tf.fused.conv2d({
          x: a as Tensor4D,
          filter: filter as Tensor4D,
          bias,
          strides: 1,
          pad: 'same',
        }),
    },
  ],
  conv1d: [
    {
      inputs: [floats([2, 5, 2], 10), floats([3, 2, 2], 11)],
      op: (a, filter) => tf.conv1d(a as Tensor3D, filter as Tensor3D, 1, 'same'),
    },
  ],
  separableConv2d: [
    {
      inputs: [floats([1, 4, 4, 2], 12), floats([2, 2, 2, 2], 13), floats([1, 1, 4, 3], 14)],
      op: (a, depth, point) =>
        tf.separableConv2d(a as Tensor4D, depth as Tensor4D, point as Tensor4D, 1, 'same'),
    },
  ],
  dilatedPool: [
    {
      inputs: [floats([1, 5, 5, 1], 15)],
      op: (a) => tf.pool(a as Tensor4D, [2, 2], 'avg', 'valid', [2, 2]),
    },
  ],
  // Differentiated twice: the gradient of a gradient penalty.
  gradientPenalty: [
    {
      inputs: [floats([1, 4, 4, 2], 16), floats([2, 2, 2, 3], 17)],
      op: (a, filter) => {
        const score = (image: tf.Tensor) =>
          tf.sum(tf.softplus(tf.conv2d(image as Tensor4D, filter as Tensor4D, 2, 'same')));
        return tf.sum(tf.square(tf.grad(score)(a)));
      },
    },
  ],
};
