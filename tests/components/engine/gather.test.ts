import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import fc from 'fast-check';
import { floats, ints, seeds, shapes } from './support/arbitrary.ts';
import type { Case } from './support/compare.ts';
import { assertSame } from './support/compare.ts';
import { assertAgreement } from './support/property.ts';

test('gathering along any axis, with and without batch axes, agrees with tfjs', async (t) => {
  const given = fc.record({
    shape: shapes(1, 4),
    picked: shapes(0, 2),
    at: fc.nat(3),
    batchDims: fc.nat(2),
    seed: seeds,
  });
  await assertAgreement(t, given, {
    perProgram: 15,
    programs: 4,
    seed: 9,
    toCases: ({ shape, picked, at, batchDims, seed }) => {
      const axis = at % shape.length;
      const batch = Math.min(batchDims, axis);
      const indices = ints([...shape.slice(0, batch), ...picked], seed, { min: 0, max: shape[axis] - 1 });
      return {
        name: `gather axis ${axis} batchDims ${batch}`,
        inputs: [floats(shape, seed + 1), indices],
        compute: (x, i) => tf.gather(x, i as tf.Tensor1D, axis, batch),
        // A scalar index has no gradient in tfjs's CPU backend.
        gradients: picked.length === 0 ? [] : [0],
      };
    },
  });
});

test('sums by segment leave out ids that are no segment, few segments or many', async (t) => {
  const x = floats([12, 3], 1);
  const ids = ints([12], 2, { min: -1, max: 5 });
  await assertSame(
    t,
    [4, 5, 600].flatMap((count): Case[] => [
      {
        name: `unsortedSegmentSum ${count}`,
        inputs: [x, ids],
        compute: (a, i) =>
          tf.unsortedSegmentSum(a, tf.minimum(i, tf.scalar(count - 1, 'int32')) as tf.Tensor1D, count),
        gradients: [0],
      },
    ]),
  );
});

test('one-hot rows are empty for indices out of range', async (t) => {
  const indices = ints([3, 5], 1, { min: -2, max: 6 });
  await assertSame(t, [
    { name: 'oneHot', inputs: [indices], compute: (i) => tf.oneHot(i, 4) },
    { name: 'oneHot with values', inputs: [indices], compute: (i) => tf.oneHot(i, 7, 0.9, 0.1, 'float32') },
    {
      name: 'oneHot of a vector',
      inputs: [ints([6], 2, { min: 0, max: 3 })],
      compute: (i) => tf.oneHot(i, 4),
    },
  ]);
});

test('gatherND and scatterND agree with tfjs, adding where indices meet', async (t) => {
  const params = floats([3, 4, 2], 1);
  const pairs = ints([5, 2], 2, { min: 0, max: 2 });
  const single = ints([4, 1], 3, { min: 0, max: 2 });
  await assertSame(t, [
    {
      name: 'gatherND of pairs',
      inputs: [params, pairs],
      compute: (x, i) => tf.gatherND(x, i),
      gradients: [0],
    },
    {
      name: 'gatherND of rows',
      inputs: [params, single],
      compute: (x, i) => tf.gatherND(x, i),
      gradients: [0],
    },
    {
      name: 'scatterND',
      inputs: [pairs, floats([5, 2], 4)],
      compute: (i, u) => tf.scatterND(i, u, [3, 4, 2]),
      gradients: [1],
    },
    {
      name: 'scatterND of integers',
      inputs: [single, ints([4, 3], 5)],
      compute: (i, u) => tf.scatterND(i, u, [3, 3]),
    },
  ]);
});
