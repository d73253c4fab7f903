import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { floats } from '../support/arbitrary.ts';
import type { GradientCase } from '../support/differences.ts';
import type { GradientCases } from './elementwise.ts';

const x = floats([2, 3, 4], 1);
/** No two values are closer than 0.1: each window has one clear extremum. */
const distinct: HostTensor = { ...x, data: Float32Array.from(x.data, (_, index) => ((index * 7) % 24) / 10) };
/** Zeros where they hurt: one in a row, two in a row. */
const zeros: HostTensor = {
  ...x,
  data: Float32Array.from(x.data, (value, index) => ([2, 8, 9].includes(index) ? 0 : value)),
};
const vector = (seed: number) => floats([4], seed, { min: 0.5, max: 1.5 });

const one = (...ops: readonly GradientCase['op'][]): GradientCase[] => ops.map((op) => ({ inputs: [x], op }));
const of = (input: HostTensor, ...ops: readonly GradientCase['op'][]): GradientCase[] =>
  ops.map((op) => ({ inputs: [input], op }));

const products: [number[], number[], boolean, boolean][] = [
  [[3, 4], [4, 2], false, false],
  [[4, 3], [2, 4], true, true],
  [[2, 3, 4], [2, 5, 4], false, true],
  [[2, 4, 3], [2, 4, 5], true, false],
  [[2, 4, 3], [2, 5, 4], true, true],
  // One factor serves the whole batch.
  [[2, 3, 4], [1, 4, 5], false, false],
  [[2, 3, 4], [1, 5, 4], false, true],
  [[1, 3, 4], [2, 4, 5], false, false],
  [[1, 4, 3], [2, 4, 5], true, false],
  [[2, 3, 1, 4], [1, 3, 4, 2], false, false],
];

const equations: [string, number[], ...number[][]][] = [
  ['bij,bjk->ik', [2, 3, 4], [2, 4, 5]],
  ['ij,kj->ikj', [3, 4], [2, 4]],
  ['ij,ij->', [3, 4], [3, 4]],
  ['i,j->ij', [3], [4]],
  ['ijk->j', [2, 3, 4]],
];

const scan = (
  op: typeof tf.cumprod,
  ...settings: readonly [axis: number, exclusive: boolean, reverse: boolean][]
) =>
  settings.map(
    ([axis, exclusive, reverse]) =>
      (a: Tensor) =>
        op(a, axis, exclusive, reverse),
  );

const settings: readonly [number, boolean, boolean][] = [
  [0, false, false],
  [1, true, false],
  [2, false, true],
  [1, true, true],
];

export const reduceCases: GradientCases = {
  Sum: one(
    (a) => tf.sum(a, [0, 2]),
    (a) => tf.sum(a),
    (a) => tf.sum(a, 1, true),
  ),
  Mean: one(
    (a) => tf.mean(a, 1),
    (a) => tf.mean(a),
    (a) => tf.mean(a, [0, 2], true),
  ),
  Max: of(
    distinct,
    (a) => tf.max(a, 1),
    (a) => tf.max(a, [0, 2], true),
    (a) => tf.max(a),
  ),
  Min: of(
    distinct,
    (a) => tf.min(a, [0, 2]),
    (a) => tf.min(a, -1, true),
  ),
  Prod: [
    ...one(
      (a) => tf.prod(a, 1),
      (a) => tf.prod(a, [0, 2]),
      (a) => tf.prod(a, [0, 2], true),
    ),
    ...of(
      zeros,
      (a) => tf.prod(a, 2),
      (a) => tf.prod(a),
    ),
  ],
  Cumsum: one(...scan(tf.cumsum, ...settings)),
  Cumprod: [...one(...scan(tf.cumprod, ...settings)), ...of(zeros, ...scan(tf.cumprod, ...settings))],
  ArgMax: of(distinct, (a) => tf.argMax(a, 1)),
  ArgMin: of(distinct, (a) => tf.argMin(a, 2)),
  Any: one((a) => tf.any(tf.greater(a, 1.3), 1)),
  All: one((a) => tf.all(tf.greater(a, -1.3), 1)),
  Softmax: one((a) => tf.softmax(a)),
  TopK: of(
    distinct,
    (a) => tf.topk(a, 3).values,
    (a) => tf.topk(tf.reshape(a, [24]), 5).values,
  ),
  BatchMatMul: products.map(([a, b, transposeA, transposeB]) => ({
    inputs: [floats(a, 2), floats(b, 3)],
    op: (left, right) => tf.matMul(left, right, transposeA, transposeB),
  })),
  Einsum: equations.map(([equation, ...shapes]) => ({
    inputs: shapes.map((shape, index) => floats(shape, 10 + index)),
    op: (...operands) => tf.einsum(equation, ...operands),
  })),
  FusedBatchNorm: [
    {
      inputs: [x, vector(20), vector(21), vector(22), vector(23)],
      op: (a, m, v, o, s) => tf.batchNorm(a, m as Tensor1D, v as Tensor1D, o as Tensor1D, s as Tensor1D),
    },
    {
      inputs: [x, ...[24, 25, 26, 27].map((seed) => floats([2, 3, 4], seed, { min: 0.5, max: 1.5 }))],
      op: (a, m, v, o, s) => tf.batchNorm(a, m, v, o, s, 0.1),
    },
  ],
};
