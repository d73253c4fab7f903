import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { bools, floats, ints, seeds, shapes } from '../support/arbitrary.ts';
import type { Case } from '../support/compare.ts';
import type { KernelTest } from './kernel-test.ts';
import { kernelTest, pick, shaped } from './kernel-test.ts';

type Reduce = (x: Tensor, axis?: number | number[], keepDims?: boolean) => Tensor;
type Make = (shape: readonly number[], seed: number) => HostTensor;

const axesAndKeep = fc.record({
  shape: shapes(1, 4),
  seed: seeds,
  keep: fc.boolean(),
  chosen: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  all: fc.boolean(),
  transposed: fc.boolean(),
});

function reducing(name: string, of: Reduce, make: Make, gradients: number[] = []): fc.Arbitrary<Case> {
  return axesAndKeep.map(({ shape, seed, keep, chosen, all, transposed }): Case => {
    const axes = shape.flatMap((_, axis) => (chosen[axis] ? [axis] : []));
    const compute = (x: Tensor) =>
      of(transposed ? tf.transpose(x) : x, all || axes.length === 0 ? undefined : axes, keep);
    return { name: `${name} over ${axes}`, inputs: [make(shape, seed)], compute, gradients };
  });
}

const along = (
  name: string,
  of: (x: Tensor, axis: number, seed: number) => Tensor,
  make: Make,
  gradients: number[] = [],
) =>
  shaped([1, 4], (shape, seed): Case => {
    const axis = pick(seed, 0, shape.length);
    return {
      name: `${name} along ${axis}`,
      inputs: [make(shape, seed)],
      compute: (x) => of(x, axis, seed),
      gradients,
    };
  });

/** Small whole numbers: many are equal, and the first of them counts. */
const ties: Make = (shape, seed) => ints(shape, seed, { min: 0, max: 2 });
const cumsum = (x: Tensor, axis: number, seed: number) => tf.cumsum(x, axis, seed % 2 === 0, seed % 3 === 0);
const cumprod = (x: Tensor, axis: number, seed: number) =>
  tf.cumprod(x, axis, seed % 2 === 0, seed % 3 === 0);
const argMax = (x: Tensor, axis: number) => tf.argMax(x, axis);
const argMin = (x: Tensor, axis: number) => tf.argMin(x, axis);

const topk = ([floats, ties] as const).map((make, index) =>
  shaped([1, 4], (shape, seed): Case => {
    const k = 1 + pick(seed, 1, shape[shape.length - 1]);
    return {
      name: `topk ${k}`,
      inputs: [make(shape, seed)],
      compute: (x) => Object.values(tf.topk(x, k)),
      gradients: index === 0 ? [0] : [],
    };
  }),
);

const length = fc.integer({ min: 1, max: 5 });

const matMul = fc
  .record({
    batch: fc.constantFrom([], [1], [3], [2, 3], [2, 1]),
    other: fc.constantFrom('same', 'one'),
    sizes: fc.tuple(length, length, length),
    transposeA: fc.boolean(),
    transposeB: fc.boolean(),
    before: fc.boolean(),
    seed: seeds,
  })
  .map(({ batch, other, sizes: [m, k, n], transposeA, transposeB, before, seed }): Case => {
    const batchB = other === 'one' ? batch.map(() => 1) : batch;
    const a = floats([...batch, ...(transposeA ? [k, m] : [m, k])], seed);
    const b = floats([...batchB, ...(transposeB !== before ? [n, k] : [k, n])], seed + 1);
    const swap = (x: Tensor) => {
      const perm = [...x.shape.keys()];
      perm.push(...perm.splice(-2, 2).reverse());
      return tf.transpose(x, perm);
    };
    // Transposed by hand first, which the engine makes a flag of the product.
    const compute = (x: Tensor, y: Tensor) => tf.matMul(x, before ? swap(y) : y, transposeA, transposeB);
    return { name: `matMul ${transposeA} ${transposeB}`, inputs: [a, b], compute, gradients: [0, 1] };
  });

const integerMatMul = fc.tuple(length, length, length, seeds).map(
  ([m, k, n, seed]): Case => ({
    name: 'matMul int32',
    inputs: [ints([m, k], seed), ints([k, n], seed + 1)],
    compute: (x, y) => tf.matMul(x, y),
  }),
);

const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const;

const fusedMatMul = fc
  .record({
    sizes: fc.tuple(length, length, length),
    activation: fc.constantFrom(...activations),
    seed: seeds,
  })
  .map(
    ({ sizes: [m, k, n], activation, seed }): Case => ({
      name: `fused ${activation}`,
      inputs: [floats([m, k], seed), floats([k, n], seed + 1), floats([n], seed + 2), floats([n], seed + 3)],
      compute: (a, b, bias, slopes) =>
        tf.fused.matMul({
          a,
          b,
          bias,
          activation,
          ...(activation === 'prelu' ? { preluActivationWeights: slopes } : {}),
          ...(activation === 'leakyrelu' ? { leakyreluAlpha: 0.3 } : {}),
        }),
      gradients: activation === 'linear' ? [0, 1, 2] : [],
    }),
  );

const equations = fc.constantFrom(
  'bij,bjk->bik',
  'ij,jk->ki',
  'ij,kj->ikj',
  'ij,ij->',
  'i,j->ij',
  'bij,j->bi',
  'ijk->ik',
  'ij->ji',
  'ijk->j',
);

const einsum = fc
  .record({ equation: equations, sizes: fc.array(length, { minLength: 5, maxLength: 5 }), seed: seeds })
  .map(({ equation, sizes, seed }): Case => {
    const terms = equation.split('->')[0].split(',');
    const lengthOf = (letter: string) => sizes[letter.charCodeAt(0) % 5];
    return {
      name: `einsum ${equation}`,
      inputs: terms.map((term, index) => floats([...term].map(lengthOf), seed + index)),
      compute: (...operands) => tf.einsum(equation, ...operands),
      gradients: terms.map((_, index) => index),
    };
  });

const batchNorm = shaped([2, 4], (shape, seed): Case => {
  const channels = [shape[shape.length - 1]];
  const vector = (index: number) => floats(channels, seed + index, { min: 0.5, max: 2 });
  const parts = seed % 4;
  return {
    name: `batchNorm ${parts}`,
    inputs: [floats(shape, seed), vector(1), vector(2), vector(3), vector(4)],
    compute: (x, mean, variance, offset, scale) =>
      tf.batchNorm(
        x,
        mean as Tensor1D,
        variance as Tensor1D,
        parts & 1 ? (offset as Tensor1D) : undefined,
        parts & 2 ? (scale as Tensor1D) : undefined,
        0.01,
      ),
    // tfjs's tape stumbles over an offset or a scale that is not there.
    gradients: parts === 3 ? [0, 1, 2, 3, 4] : [],
  };
});

const maybeLost = { special: { withoutNaN: 'NaN may get lost among numbers' } };

export const reduceTests: readonly KernelTest[] = [
  kernelTest('Sum', [
    reducing('sum', tf.sum, floats, [0]),
    reducing('sum', tf.sum, ints),
    reducing('sum', tf.sum, bools),
  ]),
  kernelTest('Mean', [reducing('mean', tf.mean, floats, [0]), reducing('mean', tf.mean, ints)]),
  kernelTest('Prod', [reducing('prod', tf.prod, floats, [0]), reducing('prod', tf.prod, ints)]),
  kernelTest('Max', [reducing('max', tf.max, floats, [0]), reducing('max', tf.max, ints)], maybeLost),
  kernelTest('Min', [reducing('min', tf.min, floats, [0]), reducing('min', tf.min, ints)], maybeLost),
  kernelTest('Any', [reducing('any', tf.any, bools)]),
  kernelTest('All', [reducing('all', tf.all, bools)]),
  kernelTest('ArgMax', [along('argMax', argMax, floats), along('argMax', argMax, ties)], maybeLost),
  kernelTest('ArgMin', [along('argMin', argMin, floats), along('argMin', argMin, ties)], maybeLost),
  kernelTest('Softmax', [shaped([1, 4], softmax)]),
  kernelTest('Cumsum', [
    along('cumsum', cumsum, floats, [0]),
    along('cumsum', cumsum, ints),
    along('cumsum', cumsum, bools),
  ]),
  kernelTest('Cumprod', [
    along('cumprod', cumprod, floats, [0]),
    along('cumprod', cumprod, ints),
    along('cumprod', cumprod, bools),
  ]),
  kernelTest('TopK', topk),
  kernelTest('BatchMatMul', [matMul, integerMatMul], { runs: 40 }),
  kernelTest('_FusedMatMul', [fusedMatMul], { runs: 20 }),
  kernelTest('Einsum', [einsum], { runs: 20 }),
  kernelTest('FusedBatchNorm', [batchNorm], {
    runs: 8,
    special: { inputs: [0], why: 'x - mean is computed last here, first in tfjs' },
  }),
];

function softmax(shape: number[], seed: number): Case {
  return {
    name: 'softmax',
    inputs: [floats(shape, seed, { min: -4, max: 4 })],
    compute: (x) => tf.softmax(x),
    gradients: [0],
  };
}
