import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import fc from 'fast-check';
import { bools, floats, ints, seeds, shapes } from './support/arbitrary.ts';
import type { Case } from './support/compare.ts';
import { assertSame } from './support/compare.ts';
import { assertAgreement } from './support/property.ts';

type Reduce = (x: Tensor, axis?: number | number[], keepDims?: boolean) => Tensor;

const reductions: { readonly [name: string]: Reduce } = {
  sum: tf.sum,
  mean: tf.mean,
  max: tf.max,
  min: tf.min,
  prod: tf.prod,
  logSumExp: tf.logSumExp,
};

const axesAndKeep = fc.record({
  shape: shapes(1, 4),
  seed: seeds,
  keep: fc.boolean(),
  chosen: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  all: fc.boolean(),
  transposed: fc.boolean(),
});

test('reductions over any axes, and their gradients, agree with tfjs', async (t) => {
  const count = Object.keys(reductions).length;
  await assertAgreement(t, axesAndKeep, {
    perProgram: count * 2,
    programs: 8,
    seed: 6,
    toCases: ({ shape, seed, keep, chosen, all, transposed }, index) => {
      const name = Object.keys(reductions)[index % count];
      const axes = shape.flatMap((_, axis) => (chosen[axis] ? [axis] : []));
      const compute = (x: Tensor) => {
        const y = transposed ? tf.transpose(x) : x;
        return reductions[name](y, all || axes.length === 0 ? undefined : axes, keep);
      };
      return { name: `${name} over ${axes}`, inputs: [floats(shape, seed)], compute, gradients: [0] };
    },
  });
});

test('reductions of integers and bools agree with tfjs', async (t) => {
  const x = ints([3, 4, 2], 1);
  const b = bools([3, 4, 2], 2);
  await assertSame(t, [
    { name: 'sum', inputs: [x], compute: (a) => tf.sum(a, 1) },
    { name: 'prod', inputs: [x], compute: (a) => tf.prod(a, [0, 2]) },
    { name: 'max', inputs: [x], compute: (a) => tf.max(a, -1) },
    { name: 'min', inputs: [x], compute: (a) => tf.min(a) },
    { name: 'mean', inputs: [x], compute: (a) => tf.mean(a, 0) },
    { name: 'sum of bools', inputs: [b], compute: (a) => tf.sum(a, 1) },
    { name: 'any', inputs: [b], compute: (a) => tf.any(a, 1) },
    { name: 'all', inputs: [b], compute: (a) => tf.all(a, [0, 1], true) },
    { name: 'cumsum', inputs: [x], compute: (a) => tf.cumsum(a, 1) },
  ]);
});

test('softmax, running sums, extremes and the largest k agree with tfjs', async (t) => {
  const given = fc.sample(fc.tuple(shapes(1, 4), seeds), { numRuns: 12, seed: 7 });
  const cases = given.flatMap(([shape, seed]): Case[] => {
    const inputs = [floats(shape, seed, { min: -4, max: 4 })];
    const axis = seed % shape.length;
    const k = 1 + (seed % shape[shape.length - 1]);
    return [
      { name: 'softmax', inputs, compute: (x) => tf.softmax(x), gradients: [0] },
      { name: 'logSoftmax', inputs, compute: (x) => tf.logSoftmax(x), gradients: [0] },
      {
        name: 'cumsum',
        inputs,
        compute: (x) => tf.cumsum(x, axis, seed % 2 === 0, seed % 3 === 0),
        gradients: [0],
      },
      { name: 'argMax', inputs, compute: (x) => tf.argMax(x, axis) },
      { name: 'argMin', inputs, compute: (x) => tf.argMin(x, axis) },
      { name: 'topk', inputs, compute: (x) => Object.values(tf.topk(x, k)) },
    ];
  });
  await assertSame(t, cases);
});

test('of equal elements the first is the extreme one', async (t) => {
  const x = ints([6, 8], 3, { min: 0, max: 2 });
  await assertSame(t, [
    { name: 'argMax', inputs: [x], compute: (a) => tf.argMax(a, 1) },
    { name: 'argMin', inputs: [x], compute: (a) => tf.argMin(a, 0) },
    { name: 'argMax of floats', inputs: [x], compute: (a) => tf.argMax(tf.cast(a, 'float32'), 1) },
    { name: 'topk', inputs: [x], compute: (a) => Object.values(tf.topk(a, 4)) },
  ]);
});

test('matrix products with every transposition, batch and gradient agree with tfjs', async (t) => {
  const given = fc.record({
    batch: fc.constantFrom([], [1], [3], [2, 3], [2, 1]),
    other: fc.constantFrom('same', 'one'),
    sizes: fc.tuple(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
    ),
    transposeA: fc.boolean(),
    transposeB: fc.boolean(),
    before: fc.boolean(),
    seed: seeds,
  });
  await assertAgreement(t, given, {
    perProgram: 25,
    programs: 4,
    seed: 8,
    toCases: ({ batch, other, sizes: [m, k, n], transposeA, transposeB, before, seed }) => {
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
    },
  });
});

test('einsum, fused products and batch normalisation agree with tfjs', async (t) => {
  const x = floats([2, 3, 4], 1);
  const vector = (seed: number) => floats([4], seed, { min: 0.5, max: 2 });
  const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu'] as const;
  await assertSame(t, [
    {
      name: 'einsum bij,bjk->bik',
      inputs: [x, floats([2, 4, 5], 2)],
      compute: (a, b) => tf.einsum('bij,bjk->bik', a, b),
      gradients: [0, 1],
    },
    {
      name: 'einsum bij,j->bi',
      inputs: [x, vector(3)],
      compute: (a, b) => tf.einsum('bij,j->bi', a, b),
      gradients: [0, 1],
    },
    ...activations.map(
      (activation): Case => ({
        name: `fused ${activation}`,
        inputs: [floats([3, 4], 4), floats([4, 2], 5), floats([2], 6)],
        compute: (a, b, bias) => tf.fused.matMul({ a, b, bias, activation }),
      }),
    ),
    {
      name: 'batchNorm',
      inputs: [x, vector(7), vector(8), vector(9), vector(10)],
      compute: (a, mean, variance, offset, scale) =>
        tf.batchNorm(
          a,
          mean as tf.Tensor1D,
          variance as tf.Tensor1D,
          offset as tf.Tensor1D,
          scale as tf.Tensor1D,
        ),
      gradients: [0, 1, 2, 3, 4],
    },
    { name: 'moments', inputs: [x], compute: (a) => tf.moments(a, [1]).variance, gradients: [0] },
  ]);
});
