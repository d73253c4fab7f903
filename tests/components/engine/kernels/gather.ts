import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { bools, floats, ints, seeds, shapes } from '../support/arbitrary.ts';
import type { Case } from '../support/compare.ts';
import type { KernelTest } from './kernel-test.ts';
import { kernelTest, pick, shaped } from './kernel-test.ts';

type Make = (shape: readonly number[], seed: number) => HostTensor;

const below = (shape: readonly number[], seed: number, limit: number) =>
  ints(shape, seed, { min: 0, max: limit - 1 });

const gather = ([floats, ints, bools] as const).map((make, index) =>
  fc
    .record({ shape: shapes(1, 4), picked: shapes(0, 2), at: fc.nat(3), batchDims: fc.nat(2), seed: seeds })
    .map(({ shape, picked, at, batchDims, seed }): Case => {
      const axis = at % shape.length;
      const batch = Math.min(batchDims, axis);
      return {
        name: `gather axis ${axis} batchDims ${batch}`,
        inputs: [make(shape, seed + 1), below([...shape.slice(0, batch), ...picked], seed, shape[axis])],
        compute: (x, i) => tf.gather(x, i as Tensor1D, axis, batch),
        // A scalar index has no gradient in tfjs's CPU backend.
        gradients: picked.length === 0 || index > 0 ? [] : [0],
      };
    }),
);

/** Index vectors into the leading axes of a shape; `distinct` ones never meet. */
const places = fc.record({
  shape: shapes(1, 4),
  count: fc.integer({ min: 1, max: 6 }),
  at: fc.nat(3),
  seed: seeds,
});

function vectors(shape: readonly number[], depth: number, count: number, seed: number): HostTensor {
  const data = Int32Array.from({ length: count * depth }, (_, index) =>
    pick(seed, index, shape[index % depth]),
  );
  return { dtype: 'int32', shape: [count, depth], data };
}

const gatherNd = ([floats, ints] as const).map((make, index) =>
  places.map(
    ({ shape, count, at, seed }): Case => ({
      name: 'gatherND',
      inputs: [make(shape, seed), vectors(shape, 1 + (at % shape.length), count, seed)],
      compute: (x, i) => tf.gatherND(x, i),
      gradients: index === 0 ? [0] : [],
    }),
  ),
);

const scatterNd = ([floats, ints] as const).map((make, index) =>
  places.map(({ shape, count, at, seed }): Case => {
    const depth = 1 + (at % shape.length);
    return {
      name: `scatterND to ${shape}`,
      inputs: [vectors(shape, depth, count, seed), make([count, ...shape.slice(depth)], seed)],
      compute: (i, u) => tf.scatterND(i, u, shape),
      gradients: index === 0 ? [1] : [],
    };
  }),
);

const update = ([floats, ints] as const).map((make, index) =>
  places.map(({ shape, count, at, seed }): Case => {
    const depth = 1 + (at % shape.length);
    return {
      name: `tensorScatterUpdate of ${shape}`,
      inputs: [
        make(shape, seed),
        vectors(shape, depth, count, seed + 1),
        make([count, ...shape.slice(depth)], seed + 2),
      ],
      // tfjs's kernel writes into the tensor itself: give it a copy.
      compute: (x, i, u) => tf.tensorScatterUpdate(tf.add(x, tf.zerosLike(x)), i, u),
      gradients: index === 0 ? [0, 2] : [],
    };
  }),
);

const sparseToDense = ([floats, ints, bools] as const).map((make: Make, index) =>
  places.map(({ shape, count, at, seed }): Case => {
    const values = at === 0 ? [] : [count];
    return {
      name: `sparseToDense to ${shape}`,
      inputs: [vectors(shape, shape.length, count, seed), make(values, seed), make([], seed + 1)],
      compute: (i, v, d) => tf.sparseToDense(i, v, shape, d as tf.Scalar),
      gradients: index === 0 ? [1, 2] : [],
    };
  }),
);

const segmentSum = fc
  .record({
    rest: shapes(0, 2),
    rows: fc.integer({ min: 1, max: 12 }),
    count: fc.constantFrom(1, 4, 5, 600),
    seed: seeds,
  })
  .map(
    ({ rest, rows, count, seed }): Case => ({
      name: `unsortedSegmentSum ${count}`,
      inputs: [floats([rows, ...rest], seed), ints([rows], seed, { min: -1, max: Math.min(count, 6) - 1 })],
      compute: (x, ids) => tf.unsortedSegmentSum(x, ids as Tensor1D, count),
      gradients: [0],
    }),
  );

const segmentSumOfIntegers = shaped(
  [2, 3],
  (shape, seed): Case => ({
    name: 'unsortedSegmentSum of integers',
    inputs: [ints(shape, seed), below([shape[0]], seed, 4)],
    compute: (x, ids) => tf.unsortedSegmentSum(x, ids as Tensor1D, 4),
  }),
);

const oneHot = shaped([1, 3], (shape, seed): Case => {
  const type = (['float32', 'int32', 'bool'] as const)[seed % 3];
  const values: [number, number] = type === 'float32' ? [0.9, 0.1] : [1, 0];
  return {
    name: `oneHot of ${type}`,
    inputs: [ints(shape, seed, { min: -2, max: 6 })],
    compute: (i) => tf.oneHot(i, 4, ...values, type),
  };
});

const bincount = shaped([1, 1], (shape, seed): Case => {
  const size = 1 + (seed % 6);
  const weights = seed % 2 === 0 ? floats(shape, seed) : floats([0], seed);
  return {
    name: `bincount ${size}`,
    inputs: seed % 2 === 0 ? [below(shape, seed, 7), weights] : [below(shape, seed, 7)],
    compute: (x, w = tf.tensor1d([])) => tf.bincount(x as Tensor1D, w as Tensor1D, size),
    gradients: seed % 2 === 0 ? [1] : [],
  };
});

const denseBincount = shaped([1, 2], (shape, seed): Case => {
  const size = 1 + (seed % 6);
  const weighted = seed % 3 !== 0;
  const binary = seed % 2 === 0;
  return {
    name: `denseBincount ${size} ${binary}`,
    inputs: weighted ? [below(shape, seed, 7), ints(shape, seed + 1)] : [below(shape, seed, 7)],
    compute: (x, w = tf.tensor1d([])) => tf.denseBincount(x as Tensor2D, w as Tensor2D, size, binary),
  };
});

const searchSorted = shaped([1, 3], (shape, seed): Case => {
  const sorted = ints([...shape.slice(0, -1), 6], seed);
  for (let row = 0; row < sorted.data.length; row += 6)
    (sorted.data as Int32Array).subarray(row, row + 6).sort();
  const values = seed % 2 === 0 ? ints(shape, seed + 1) : floats(shape, seed + 1, { min: -6, max: 6 });
  return {
    name: 'searchSorted',
    inputs: [sorted, values],
    compute: (s, v) => tf.searchSorted(s, v, seed % 4 < 2 ? 'left' : 'right'),
  };
});

export const gatherTests: readonly KernelTest[] = [
  kernelTest('GatherV2', gather, { runs: 20 }),
  kernelTest('GatherNd', gatherNd),
  kernelTest('ScatterNd', scatterNd),
  kernelTest('TensorScatterUpdate', update),
  kernelTest('SparseToDense', sparseToDense),
  kernelTest('UnsortedSegmentSum', [segmentSum, segmentSumOfIntegers], {
    special: { none: 'NaN gets into every segment in tfjs, here where there are at most 512' },
  }),
  kernelTest('OneHot', [oneHot], { runs: 12 }),
  kernelTest('Bincount', [bincount], { runs: 10 }),
  kernelTest('DenseBincount', [denseBincount], { runs: 14 }),
  kernelTest('SearchSorted', [searchSorted], { runs: 14 }),
];
