import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { floats } from '../support/arbitrary.ts';
import type { GradientCase } from '../support/differences.ts';
import type { GradientCases } from './elementwise.ts';

const x = floats([2, 3, 4], 1);
const other = floats([2, 3, 4], 2);

const one = (...ops: readonly GradientCase['op'][]): GradientCase[] => ops.map((op) => ({ inputs: [x], op }));

const mirrored = (mode: 'reflect' | 'symmetric'): GradientCase['op'] => {
  const paddings: [number, number][] = [
    [0, 1],
    [2, 1],
    [0, 0],
  ];
  return (a) => tf.mirrorPad(a, paddings, mode);
};

export const shapeCases: GradientCases = {
  Reshape: one((a) => tf.reshape(a, [6, 4])),
  ExpandDims: one((a) => tf.expandDims(a, 1)),
  Transpose: one((a) => tf.transpose(a, [2, 0, 1])),
  Tile: one(
    (a) => tf.tile(a, [1, 2, 3]),
    (a) => tf.broadcastTo(tf.reshape(a, [2, 1, 12]), [3, 2, 5, 12]),
  ),
  Slice: one(
    (a) => tf.slice(a, [0, 1, 1], [2, 2, 2]),
    (a) => tf.slice(a, [1], [1]),
  ),
  StridedSlice: one(
    (a) => tf.stridedSlice(a, [0, 0, 0], [2, 3, 4], [1, 2, 3]),
    (a) => tf.stridedSlice(a, [-1, 2, 3], [-3, -4, 0], [-1, -1, -2]),
    (a) => tf.stridedSlice(a, [1, 0, 1], [2, 3, 3], [1, 1, 1], 0, 0, 0, 0, 1),
    (a) => tf.stridedSlice(a, [0, 0, 1], [0, 0, 4], [1, 1, 2], 3, 3, 0, 1),
    (a) => tf.stridedSlice(a, [0, 1], [0, 4], [1, 2], 0, 0, 1),
  ),
  Concat: [{ inputs: [x, other], op: (a, b) => tf.concat([a, b, a], 2) }],
  Pack: [{ inputs: [x, other], op: (a, b) => tf.stack([a, b], 1) }],
  // Of the first, only one part is used: the others' gradients are zero.
  Unpack: one(
    (a) => tf.unstack(a, 1)[2],
    (a) => tf.unstack(a, 2),
  ),
  SplitV: one(
    (a) => tf.split(a, [1, 3], 2)[1],
    (a) => tf.split(a, 2, 2),
  ),
  PadV2: [
    ...one((a) =>
      tf.pad(a, [
        [1, 0],
        [0, 0],
        [2, 1],
      ]),
    ),
    { inputs: [floats([3], 3)], op: (a) => tf.pad1d(a as Tensor1D, [1, 2], 5) },
  ],
  MirrorPad: one(mirrored('reflect'), mirrored('symmetric')),
  Reverse: one((a) => tf.reverse(a, [0, 2])),
  Diag: [{ inputs: [floats([2, 3], 4)], op: (a) => tf.diag(a) }],
  DepthToSpace: [
    { inputs: [floats([1, 2, 3, 8], 5)], op: (a) => tf.depthToSpace(a as Tensor4D, 2) },
    { inputs: [floats([2, 1, 2, 9], 6)], op: (a) => tf.depthToSpace(a as Tensor4D, 3) },
  ],
  SpaceToBatchND: [
    {
      inputs: [floats([2, 3, 4, 1], 7)],
      op: (a) =>
        tf.spaceToBatchND(
          a,
          [2, 3],
          [
            [1, 0],
            [0, 2],
          ],
        ),
    },
  ],
  BatchToSpaceND: [
    {
      inputs: [floats([4, 2, 2, 1], 8)],
      op: (a) =>
        tf.batchToSpaceND(
          a,
          [2, 2],
          [
            [0, 1],
            [1, 0],
          ],
        ),
    },
  ],
};
