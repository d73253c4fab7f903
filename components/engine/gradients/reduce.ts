import type {
  BatchMatMulAttrs,
  EinsumAttrs,
  FusedBatchNormAttrs,
  GradConfig,
  MaxAttrs,
  SoftmaxAttrs,
  SumAttrs,
  Tensor,
} from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Axis } from './gradient.ts';
import { gradient, keptOf, unbroadcast, withAxes } from './gradient.ts';

function spread(dy: Tensor, x: Tensor, axis: Axis): Tensor {
  return tf.broadcastTo(withAxes(dy, x, axis), x.shape);
}

/** All elements that equal the extremum get dy. */
function extremum(kernel: string): GradConfig {
  return gradient<MaxAttrs & SumAttrs>(kernel, { inputs: ['x'], output: true }, (dy, [x, y], attributes) => {
    const axis = attributes.reductionIndices ?? attributes.axis;
    return {
      x: () => tf.mul(withAxes(dy, x, axis), tf.cast(tf.equal(x, withAxes(y, x, axis)), 'float32')),
    };
  });
}

/** Gradient to one factor of a batched product; a factor that served the whole batch gets the sum. */
function factor(
  left: Tensor,
  right: Tensor,
  transposeLeft: boolean,
  transposeRight: boolean,
  like: Tensor,
): Tensor {
  const shared = like.rank > 2 && tf.util.sizeFromShape(like.shape.slice(0, -2)) === 1;
  if (shared && transposeLeft && !transposeRight) {
    // The batch is just more rows of both.
    const rows = (x: Tensor) => tf.reshape(x, [-1, x.shape[x.rank - 1]]);
    return tf.reshape(tf.matMul(rows(left), rows(right), true, false), like.shape);
  }
  return unbroadcast(tf.matMul(left, right, transposeLeft, transposeRight), like.shape);
}

function matMul(dy: Tensor, a: Tensor, b: Tensor, { transposeA, transposeB }: BatchMatMulAttrs) {
  return {
    a: () => (transposeA ? factor(b, dy, transposeB, true, a) : factor(dy, b, false, !transposeB, a)),
    b: () => (transposeB ? factor(dy, a, true, transposeA, b) : factor(a, dy, !transposeA, false, b)),
  };
}

/** `ab,bc->ac` has the gradients `ac,bc->ab` and `ac,ab->bc`. */
function einsum(dy: Tensor, operands: readonly Tensor[], equation: string) {
  const [terms, result] = equation.replace(/\s/g, '').split('->');
  const letters = terms.split(',');
  return Object.fromEntries(
    operands.map((operand, index) => [
      index,
      () => {
        const others = operands.filter((_, each) => each !== index);
        const known = [result, ...letters.filter((_, each) => each !== index)];
        const present = [...letters[index]].filter((letter) => known.some((term) => term.includes(letter)));
        const partial = tf.einsum(`${known.join(',')}->${present.join('')}`, dy, ...others);
        const shape = [...letters[index]].map((letter, axis) =>
          present.includes(letter) ? operand.shape[axis] : 1,
        );
        return tf.broadcastTo(tf.reshape(partial, shape), operand.shape);
      },
    ]),
  );
}

function batchNorm(dy: Tensor, saved: readonly Tensor[], { varianceEpsilon }: FusedBatchNormAttrs) {
  const [x, mean, variance, scale] = saved;
  const factorOf = tf.rsqrt(tf.add(variance, tf.scalar(varianceEpsilon)));
  const centred = tf.sub(x, mean);
  const weighted = scale ? tf.mul(dy, scale) : dy;
  return {
    x: () => tf.mul(weighted, factorOf),
    mean: () => unbroadcast(tf.neg(tf.mul(weighted, factorOf)), mean.shape),
    variance: () => {
      const cubed = tf.mul(factorOf, tf.square(factorOf));
      return unbroadcast(tf.mul(tf.mul(weighted, centred), tf.mul(cubed, tf.scalar(-0.5))), variance.shape);
    },
    scale: () => unbroadcast(tf.mul(dy, tf.mul(centred, factorOf)), (scale ?? mean).shape),
    offset: () => unbroadcast(dy, mean.shape),
  };
}

export const reduceGradients: readonly GradConfig[] = [
  gradient<SumAttrs>('Sum', { inputs: ['x'] }, (dy, [x], { axis }) => ({ x: () => spread(dy, x, axis) })),
  gradient<SumAttrs>('Mean', { inputs: ['x'] }, (dy, [x], { axis }) => ({
    x: () => spread(tf.mul(dy, tf.scalar(tf.util.sizeFromShape(keptOf(x, axis)) / x.size)), x, axis),
  })),
  extremum('Max'),
  extremum('Min'),
  gradient('ArgMax', { inputs: ['x'] }, (_, [x]) => ({ x: () => tf.zeros(x.shape) })),
  gradient('ArgMin', { inputs: ['x'] }, (_, [x]) => ({ x: () => tf.zeros(x.shape) })),
  gradient('Any', { inputs: ['x'] }, (_, [x]) => ({ x: () => tf.zeros(x.shape) })),
  gradient('All', { inputs: ['x'] }, (_, [x]) => ({ x: () => tf.zeros(x.shape) })),
  gradient<SoftmaxAttrs>('Softmax', { output: true }, (dy, [y], { dim }) => ({
    logits: () => {
      const weighted = tf.mul(dy, y);
      return tf.sub(weighted, tf.mul(tf.sum(weighted, dim ?? -1, true), y));
    },
  })),
  gradient<BatchMatMulAttrs>('BatchMatMul', { inputs: ['a', 'b'] }, (dy, [a, b], attributes) =>
    matMul(dy, a, b, attributes),
  ),
  {
    kernelName: 'Einsum',
    saveAllInputs: true,
    gradFunc: (dy, saved, attributes) =>
      einsum(dy as Tensor, saved, (attributes as unknown as EinsumAttrs).equation),
  },
  gradient<FusedBatchNormAttrs>('FusedBatchNorm', { inputs: ['x', 'mean', 'variance', 'scale'] }, batchNorm),
];
