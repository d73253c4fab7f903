import type {
  BincountAttrs,
  DenseBincountAttrs,
  GradConfig,
  SparseToDenseAttrs,
  Tensor,
} from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { gradient } from './gradient.ts';

/** A list of numbers is a list of indices into the first axis. */
function vectors(indices: Tensor): Tensor {
  return indices.rank > 1
    ? tf.reshape(indices, [-1, indices.shape[indices.rank - 1]])
    : tf.reshape(indices, [indices.size, 1]);
}

/** Which rows of an assignment hold in the end (the last one for an index), and which places keep their old value. */
function outcome(
  indices: Tensor,
  shape: readonly number[],
): { readonly wins: Tensor; readonly kept: Tensor } {
  const [rows, depth] = indices.shape;
  const order = tf.range(0, rows, 1, 'int32');
  const none = tf.fill(shape.slice(0, depth), -1, 'int32');
  const winners = tf.tensorScatterUpdate(none, indices, order);
  const wide = [...shape.slice(0, depth), ...new Array<number>(shape.length - depth).fill(1)];
  return {
    wins: tf.cast(tf.equal(tf.gatherND(winners, indices), order), 'float32'),
    kept: tf.reshape(tf.cast(tf.less(winners, tf.scalar(0, 'int32')), 'float32'), wide),
  };
}

/** dy of each row that was assigned: [rows, ...what one index addresses]. */
function assigned(dy: Tensor, indices: Tensor, wins: Tensor): Tensor {
  const rows = tf.gatherND(dy, indices);
  return tf.mul(rows, tf.reshape(wins, [wins.size, ...new Array<number>(rows.rank - 1).fill(1)]));
}

/** Adds each value's gradient to the element that it was. */
function untop(dy: Tensor, x: Tensor, indices: Tensor): Tensor {
  const length = x.shape[x.rank - 1];
  const rows = x.size / length;
  const starts = tf.reshape(tf.range(0, x.size, length, 'int32'), [rows, 1]);
  const places = tf.add(tf.reshape(indices, [rows, -1]), starts);
  const sums = tf.scatterND(tf.reshape(places, [indices.size, 1]), tf.reshape(dy, [indices.size]), [x.size]);
  return tf.reshape(sums, x.shape);
}

/** What each number counted for; numbers out of range counted for nothing. */
function uncount(dy: Tensor, x: Tensor, weights: Tensor, size: number): Tensor {
  if (weights.size === 0 || size === 0) return tf.zeros(weights.shape);
  const counts = tf.reshape(dy, [-1, size]);
  const rows = tf.reshape(x, [counts.shape[0], -1]);
  const known = tf.minimum(rows, tf.scalar(size - 1, 'int32')) as tf.Tensor1D;
  const shares = tf.gather(counts, known, 1, 1);
  return tf.reshape(tf.mul(shares, tf.cast(tf.equal(rows, known), 'float32')), weights.shape);
}

export const scatterGradients: readonly GradConfig[] = [
  gradient(
    'TensorScatterUpdate',
    { inputs: ['tensor', 'indices', 'updates'] },
    (dy, [tensor, given, updates]) => {
      const indices = vectors(given);
      return {
        tensor: () => tf.mul(dy, outcome(indices, tensor.shape).kept),
        indices: () => tf.zeros(given.shape),
        updates: () => tf.reshape(assigned(dy, indices, outcome(indices, tensor.shape).wins), updates.shape),
      };
    },
  ),
  gradient<SparseToDenseAttrs>(
    'SparseToDense',
    { inputs: ['sparseIndices', 'sparseValues', 'defaultValue'] },
    (dy, [given, values, fallback], { outputShape }) => {
      const indices = vectors(given);
      return {
        sparseIndices: () => tf.zeros(given.shape),
        sparseValues: () => {
          const rows = assigned(dy, indices, outcome(indices, outputShape).wins);
          return tf.reshape(values.rank === 0 ? tf.sum(rows) : rows, values.shape);
        },
        defaultValue: () =>
          tf.reshape(tf.sum(tf.mul(dy, outcome(indices, outputShape).kept)), fallback.shape),
      };
    },
  ),
  {
    kernelName: 'TopK',
    inputsToSave: ['x'],
    outputsToSave: [false, true],
    gradFunc: (dy, [x, indices]) => ({ x: () => untop((dy as Tensor[])[0], x, indices) }),
  },
  gradient<BincountAttrs>('Bincount', { inputs: ['x', 'weights'] }, (dy, [x, weights], { size }) => ({
    x: () => tf.zeros(x.shape),
    weights: () => uncount(dy, x, weights, size),
  })),
  gradient<DenseBincountAttrs>(
    'DenseBincount',
    { inputs: ['x', 'weights'] },
    (dy, [x, weights], { size, binaryOutput }) => ({
      x: () => tf.zeros(x.shape),
      weights: () => (binaryOutput && x.rank > 1 ? tf.zeros(weights.shape) : uncount(dy, x, weights, size)),
    }),
  ),
];
