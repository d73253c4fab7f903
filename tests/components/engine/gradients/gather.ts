import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { floats, ints } from '../support/arbitrary.ts';
import type { GradientCases } from './elementwise.ts';

const x = floats([2, 3, 4], 1);
const below = (shape: number[], seed: number, limit: number) => ints(shape, seed, { min: 0, max: limit - 1 });
const integers = (shape: number[], ...data: number[]): HostTensor => ({
  dtype: 'int32',
  shape,
  data: Int32Array.from(data),
});
/** The second and the fourth meet: the later one wins, or both add. */
const vectors = integers([4, 2], 0, 1, 1, 2, 0, 0, 1, 2);
/** Written over: tfjs's kernel works in the tensor itself, so it gets a copy. */
const copied = (a: tf.Tensor) => tf.add(a, tf.scalar(0));

export const gatherCases: GradientCases = {
  GatherV2: [
    { inputs: [x, below([5], 2, 3)], op: (a, i) => tf.gather(a, i as Tensor1D, 1), variables: 1 },
    { inputs: [x, below([2, 2], 3, 2)], op: (a, i) => tf.gather(a, i as Tensor2D, 0), variables: 1 },
    { inputs: [x, below([2, 2], 4, 3)], op: (a, i) => tf.gather(a, i as Tensor2D, 1, 1), variables: 1 },
    { inputs: [x, below([2, 5], 5, 4)], op: (a, i) => tf.gather(a, i as Tensor2D, 2, 1), variables: 1 },
  ],
  GatherNd: [
    { inputs: [x, vectors], op: (a, i) => tf.gatherND(a, i), variables: 1 },
    { inputs: [x, integers([3, 1], 1, 0, 1)], op: (a, i) => tf.gatherND(a, i), variables: 1 },
  ],
  ScatterNd: [
    { inputs: [floats([4, 4], 6), vectors], op: (u, i) => tf.scatterND(i, u, [2, 3, 4]), variables: 1 },
    {
      inputs: [floats([4, 3], 7), below([4, 1], 8, 3)],
      op: (u, i) => tf.scatterND(i, u, [3, 3]),
      variables: 1,
    },
  ],
  UnsortedSegmentSum: [
    {
      inputs: [floats([5, 2], 9), integers([5], 2, 0, 2, -1, 1)],
      op: (a, i) => tf.unsortedSegmentSum(a, i as Tensor1D, 3),
      variables: 1,
    },
  ],
  TensorScatterUpdate: [
    {
      inputs: [x, floats([4, 4], 10), vectors],
      op: (a, u, i) => tf.tensorScatterUpdate(copied(a), i, u),
      variables: 2,
    },
    {
      inputs: [x, floats([1, 3, 4], 11), integers([1, 1], 1)],
      op: (a, u, i) => tf.tensorScatterUpdate(copied(a), i, u),
      variables: 2,
    },
  ],
  SparseToDense: [
    {
      inputs: [floats([4], 12), floats([], 13), vectors],
      op: (v, d, i) => tf.sparseToDense(i, v, [2, 3], d as tf.Scalar),
      variables: 2,
    },
    {
      inputs: [floats([], 14), floats([], 15), integers([3], 4, 1, 4)],
      op: (v, d, i) => tf.sparseToDense(i, v, [6], d as tf.Scalar),
      variables: 2,
    },
  ],
  Bincount: [
    {
      inputs: [floats([6], 16), integers([6], 0, 3, 1, 3, 5, 0)],
      op: (w, i) => tf.bincount(i as Tensor1D, w as Tensor1D, 4),
      variables: 1,
    },
  ],
  DenseBincount: [
    {
      inputs: [floats([2, 3], 17), integers([2, 3], 0, 3, 1, 3, 5, 3)],
      op: (w, i) => tf.denseBincount(i as Tensor2D, w as Tensor2D, 4),
      variables: 1,
    },
    {
      inputs: [floats([2, 3], 18), integers([2, 3], 0, 3, 1, 3, 5, 3)],
      op: (w, i) => tf.denseBincount(i as Tensor2D, w as Tensor2D, 4, true),
      variables: 1,
    },
  ],
  SearchSorted: [
    {
      inputs: [floats([1, 4], 19), floats([1, 3], 20)],
      op: (s, v) => tf.searchSorted(tf.cumsum(tf.square(s), 1), v),
    },
  ],
  OneHot: [
    {
      inputs: [floats([5], 21, { min: 0.2, max: 3.8 })],
      op: (a) => tf.oneHot(tf.cast(a, 'int32') as Tensor1D, 4, 0.9, 0.1, 'float32'),
    },
  ],
};
