import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import fc from 'fast-check';
import { bools, floats, ints, seeds, shapes } from './support/arbitrary.ts';
import type { Case } from './support/compare.ts';
import { assertSame } from './support/compare.ts';
import { assertAgreement } from './support/property.ts';

const bits = (seed: number, index: number) => (Math.imul(seed + 7, 2654435761 + index * 40503) >>> 9) & 0xff;

/** One op on a tensor of some shape; the seed decides everything else. */
const makers: { readonly [name: string]: (shape: number[], seed: number) => Case } = {
  transpose: (shape, seed) => {
    const perm = [...shape.keys()].sort((a, b) => bits(seed, a) - bits(seed, b));
    return {
      name: `transpose ${perm}`,
      inputs: [floats(shape, seed)],
      compute: (x) => tf.transpose(x, perm),
      gradients: [0],
    };
  },
  reshape: (shape, seed) => ({
    name: 'reshape',
    inputs: [floats(shape, seed)],
    compute: (x) => tf.reshape(tf.transpose(x), [-1, shape[0]]),
    gradients: [0],
  }),
  slice: (shape, seed) => {
    const begin = shape.map((length, axis) => bits(seed, axis) % length);
    const size = shape.map((length, axis) => 1 + (bits(seed + 1, axis) % (length - begin[axis])));
    return {
      name: `slice ${begin} ${size}`,
      inputs: [floats(shape, seed)],
      compute: (x) => tf.slice(x, begin, size),
      gradients: [0],
    };
  },
  stridedSlice: (shape, seed) => {
    const forward = shape.map((_, axis) => bits(seed, axis) % 2 === 0);
    const shrink = bits(seed, 5) % 2;
    // tfjs's CPU backend mixes up the axes when one is dropped and others have strides.
    const strides = forward.map((up, axis) =>
      shrink === 1 ? 1 : (up ? 1 : -1) * (1 + (bits(seed, axis + 9) % 2)),
    );
    const begin = forward.map((up, axis) => (up || shrink === 1 ? 0 : shape[axis] - 1));
    const end = forward.map((up, axis) => (up || shrink === 1 ? shape[axis] : -shape[axis] - 1));
    return {
      name: `stridedSlice ${strides}`,
      inputs: [floats(shape, seed)],
      compute: (x) => tf.stridedSlice(x, begin, end, strides, 0, 0, 0, 0, shrink),
    };
  },
  reverse: (shape, seed) => ({
    name: 'reverse',
    inputs: [floats(shape, seed)],
    compute: (x) => tf.reverse(x, [bits(seed, 0) % shape.length]),
    gradients: [0],
  }),
  pad: (shape, seed) => {
    const paddings = shape.map((_, axis): [number, number] => [
      bits(seed, axis) % 3,
      bits(seed, axis + 5) % 3,
    ]);
    return {
      name: `pad ${paddings}`,
      inputs: [floats(shape, seed)],
      compute: (x) => tf.pad(x, paddings, 0.5),
      gradients: [0],
    };
  },
  mirrorPad: (shape, seed) => {
    const mode = bits(seed, 8) % 2 === 0 ? 'reflect' : 'symmetric';
    const most = (length: number) => (mode === 'reflect' ? length : length + 1);
    const paddings = shape.map((length, axis): [number, number] => [
      bits(seed, axis) % most(length),
      bits(seed, axis + 5) % most(length),
    ]);
    return {
      name: `mirrorPad ${mode} ${paddings}`,
      inputs: [floats(shape, seed)],
      compute: (x) => tf.mirrorPad(x, paddings, mode),
    };
  },
  tile: (shape, seed) => {
    const reps = shape.map((_, axis) => 1 + (bits(seed, axis) % 3));
    return {
      name: `tile ${reps}`,
      inputs: [floats(shape, seed)],
      compute: (x) => tf.tile(x, reps),
      gradients: [0],
    };
  },
  concat: (shape, seed) => {
    const axis = bits(seed, 0) % shape.length;
    const other = shape.map((length, each) => (each === axis ? 1 + (bits(seed, 1) % 3) : length));
    const inputs = [floats(shape, seed), floats(other, seed + 1)];
    return {
      name: `concat ${axis}`,
      inputs,
      compute: (a, b) => tf.concat([a, b, a], axis),
      gradients: [0, 1],
    };
  },
  stack: (shape, seed) => {
    const inputs = [floats(shape, seed), floats(shape, seed + 1)];
    return {
      name: 'stack',
      inputs,
      compute: (a, b) => tf.stack([a, b], bits(seed, 0) % (shape.length + 1)),
      gradients: [0, 1],
    };
  },
  unstack: (shape, seed) => ({
    name: 'unstack',
    inputs: [floats(shape, seed)],
    compute: (x) => tf.unstack(x, bits(seed, 0) % shape.length),
    gradients: [0],
  }),
  split: (shape, seed) => {
    const axis = bits(seed, 0) % shape.length;
    const first = bits(seed, 1) % shape[axis];
    const sizes = first === 0 ? [shape[axis]] : [first, shape[axis] - first];
    return {
      name: `split ${sizes}`,
      inputs: [floats(shape, seed)],
      compute: (x) => tf.split(x, sizes, axis),
      gradients: [0],
    };
  },
  broadcastTo: (shape, seed) => {
    const small = shape.map((length, axis) => (bits(seed, axis) % 2 === 0 ? 1 : length));
    return {
      name: `broadcastTo ${shape}`,
      inputs: [floats(small, seed)],
      compute: (x) => tf.broadcastTo(x, [2, ...shape]),
      gradients: [0],
    };
  },
  expandDims: (shape, seed) => ({
    name: 'expandDims',
    inputs: [floats(shape, seed)],
    compute: (x) => tf.expandDims(x, (bits(seed, 0) % (shape.length + 1)) - (bits(seed, 1) % 2)),
    gradients: [0],
  }),
};

test('ops that move elements, and their gradients, agree with tfjs', async (t) => {
  const all = Object.values(makers);
  await assertAgreement(t, fc.tuple(shapes(1, 4), seeds), {
    perProgram: all.length,
    programs: 12,
    seed: 5,
    toCases: ([shape, seed], index) => [all[index](shape, seed)],
  });
});

test('moving integers and bools agrees with tfjs', async (t) => {
  const values = [ints([3, 4], 1), bools([3, 4], 2)];
  const cases = values.flatMap((value): Case[] => [
    { name: 'transpose', inputs: [value], compute: (x) => tf.transpose(x) },
    { name: 'slice', inputs: [value], compute: (x) => tf.slice(x, [1, 1], [2, 2]) },
    { name: 'concat', inputs: [value, value], compute: (a, b) => tf.concat([a, b], 1) },
    { name: 'tile', inputs: [value], compute: (x) => tf.tile(x, [2, 3]) },
    { name: 'reverse', inputs: [value], compute: (x) => tf.reverse(x, 1) },
    {
      name: 'pad',
      inputs: [value],
      compute: (x) =>
        tf.pad(x, [
          [1, 0],
          [0, 2],
        ]),
    },
    { name: 'stack', inputs: [value, value], compute: (a, b) => tf.stack([a, b], 1) },
    { name: 'unstack', inputs: [value], compute: (x) => tf.unstack(x, 1) },
  ]);
  await assertSame(t, cases);
});

test('tensors made inside the function become constants', async (t) => {
  const x = floats([2, 3], 1);
  await assertSame(t, [
    { name: 'range', inputs: [x], compute: (a) => tf.add(a, tf.range(0, 3)) },
    { name: 'range of int32', inputs: [], compute: () => tf.range(5, -4, -3, 'int32') },
    { name: 'empty range', inputs: [], compute: () => tf.concat([tf.range(2, 2), tf.range(0, 1)]) },
    { name: 'linspace', inputs: [x], compute: (a) => tf.mul(a, tf.linspace(0, 1, 3)) },
    { name: 'fill', inputs: [], compute: () => tf.fill([2, 2], 7, 'int32') },
    { name: 'large zeros', inputs: [], compute: () => tf.zeros([70, 70]) },
    { name: 'zerosLike, onesLike', inputs: [x], compute: (a) => [tf.zerosLike(a), tf.onesLike(a)] },
    {
      name: 'tensor',
      inputs: [x],
      compute: (a) =>
        tf.matMul(
          a as tf.Tensor2D,
          tf.tensor2d([
            [1, 2],
            [3, 4],
            [5, 6],
          ]),
        ),
    },
    {
      name: 'bools',
      inputs: [x],
      compute: (a) => tf.where(tf.tensor1d([1, 0, 1], 'bool'), a, tf.scalar(-1)),
    },
    { name: 'eye', inputs: [x], compute: (a) => tf.matMul(a as tf.Tensor2D, tf.eye(3)) },
  ]);
});

test('blocks of pixels go between space, depth and batch as in tfjs', async (t) => {
  const x = floats([2, 4, 6, 8], 1);
  await assertSame(t, [
    {
      name: 'depthToSpace',
      inputs: [x],
      compute: (a) => tf.depthToSpace(a as tf.Tensor4D, 2),
      gradients: [0],
    },
    {
      name: 'spaceToBatchND',
      inputs: [x],
      compute: (a) =>
        tf.spaceToBatchND(
          a,
          [2, 3],
          [
            [0, 0],
            [1, 2],
          ],
        ),
      gradients: [0],
    },
    {
      name: 'batchToSpaceND',
      inputs: [floats([4, 2, 3, 1], 2)],
      compute: (a) =>
        tf.batchToSpaceND(
          a,
          [2, 2],
          [
            [0, 1],
            [1, 0],
          ],
        ),
      gradients: [0],
    },
  ]);
});
