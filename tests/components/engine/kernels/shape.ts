import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { bools, floats, ints } from '../support/arbitrary.ts';
import type { Case } from '../support/compare.ts';
import type { KernelTest } from './kernel-test.ts';
import { fixed, kernelTest, pick, shaped } from './kernel-test.ts';

type Make = (shape: readonly number[], seed: number) => HostTensor;

/** One op that moves elements, on a tensor of some shape; the seed decides everything else. */
type Mover = (shape: number[], seed: number, make: Make) => Case;

const movers: { readonly [kernel: string]: Mover } = {
  Transpose: (shape, seed, make) => {
    // tfjs runs no kernel for vectors.
    const full = [3, ...shape];
    const perm = [...full.keys()].sort((a, b) => pick(seed, a, 99) - pick(seed, b, 99));
    return {
      name: `transpose ${perm}`,
      inputs: [make(full, seed)],
      compute: (x) => tf.transpose(x, perm),
    };
  },
  Reshape: (shape, seed, make) => ({
    name: 'reshape',
    inputs: [make(shape, seed)],
    compute: (x) => tf.reshape(tf.transpose(x), [-1, shape[0]]),
  }),
  Slice: (shape, seed, make) => {
    const begin = shape.map((length, axis) => pick(seed, axis, length));
    const size = shape.map((length, axis) => 1 + pick(seed + 1, axis, length - begin[axis]));
    return {
      name: `slice ${begin} ${size}`,
      inputs: [make(shape, seed)],
      compute: (x) => tf.slice(x, begin, size),
    };
  },
  StridedSlice: (shape, seed, make) => stridedSlice(shape, seed, make),
  Reverse: (shape, seed, make) => ({
    name: 'reverse',
    inputs: [make(shape, seed)],
    compute: (x) => tf.reverse(x, [pick(seed, 0, shape.length)]),
  }),
  PadV2: (shape, seed, make) => {
    const paddings = shape.map((_, axis): [number, number] => [pick(seed, axis, 3), pick(seed, axis + 5, 3)]);
    return {
      name: `pad ${paddings}`,
      inputs: [make(shape, seed)],
      compute: (x) => tf.pad(x, paddings, 1),
    };
  },
  MirrorPad: (shape, seed, make) => {
    const mode = pick(seed, 8, 2) === 0 ? 'reflect' : 'symmetric';
    const most = (length: number) => (mode === 'reflect' ? length : length + 1);
    const paddings = shape.map((length, axis): [number, number] => [
      pick(seed, axis, most(length)),
      pick(seed, axis + 5, most(length)),
    ]);
    return {
      name: `mirrorPad ${mode} ${paddings}`,
      inputs: [make(shape, seed)],
      compute: (x) => tf.mirrorPad(x, paddings, mode),
    };
  },
  Tile: (shape, seed, make) => {
    if (seed % 2 === 0) return broadcastTo(shape, seed, make);
    const reps = shape.map((_, axis) => 1 + pick(seed, axis, 3));
    return { name: `tile ${reps}`, inputs: [make(shape, seed)], compute: (x) => tf.tile(x, reps) };
  },
  Concat: (shape, seed, make) => {
    const axis = pick(seed, 0, shape.length);
    const other = shape.map((length, each) => (each === axis ? 1 + pick(seed, 1, 3) : length));
    return {
      name: `concat ${axis}`,
      inputs: [make(shape, seed), make(other, seed + 1)],
      compute: (a, b) => tf.concat([a, b, a], axis),
      gradients: [0, 1],
    };
  },
  Pack: (shape, seed, make) => ({
    name: 'stack',
    inputs: [make(shape, seed), make(shape, seed + 1)],
    compute: (a, b) => tf.stack([a, b], pick(seed, 0, shape.length + 1)),
    gradients: [0, 1],
  }),
  Unpack: (shape, seed, make) => ({
    name: 'unstack',
    inputs: [make(shape, seed)],
    compute: (x) => tf.unstack(x, pick(seed, 0, shape.length)),
  }),
  SplitV: (shape, seed, make) => {
    const axis = pick(seed, 0, shape.length);
    const first = pick(seed, 1, shape[axis]);
    const sizes = first === 0 ? [shape[axis]] : [first, shape[axis] - first];
    return { name: `split ${sizes}`, inputs: [make(shape, seed)], compute: (x) => tf.split(x, sizes, axis) };
  },
  ExpandDims: (shape, seed, make) => ({
    name: 'expandDims',
    inputs: [make(shape, seed)],
    compute: (x) => tf.expandDims(x, pick(seed, 0, shape.length + 1) - pick(seed, 1, 2)),
  }),
  Diag: (shape, seed, make) => ({
    name: 'diag',
    inputs: [make(shape.slice(0, 2), seed)],
    compute: (x) => tf.diag(x),
  }),
};

function broadcastTo(shape: number[], seed: number, make: Make): Case {
  const small = shape.map((length, axis) => (pick(seed, axis, 2) === 0 ? 1 : length));
  return {
    name: `broadcastTo 2,${shape}`,
    inputs: [make(small, seed)],
    compute: (x) => tf.broadcastTo(x, [2, ...shape]),
  };
}

/** tfjs's CPU backend mixes up the axes when one is dropped and others have strides. */
function stridedSlice(shape: number[], seed: number, make: Make): Case {
  const drop = pick(seed, 5, 2) === 1;
  const strides = shape.map((_, axis) => (drop ? 1 : [1, 2, 3, -1, -2][pick(seed, axis, 5)]));
  const masks = [0, 1].map((each) => (drop ? 0 : pick(seed, 20 + each, 16)));
  const begin = shape.map(
    (length, axis) => pick(seed, axis + 9, length) - (pick(seed, axis + 13, 2) ? length : 0),
  );
  const end = shape.map((length, axis) => {
    const start = (begin[axis] + length) % length;
    const next =
      strides[axis] > 0
        ? start + 1 + pick(seed, axis + 30, length - start)
        : start - 1 - pick(seed, axis + 30, start + 1);
    return next < 0 ? -length - 1 : next;
  });
  const newAxis = !drop && pick(seed, 40, 3) === 0 ? 1 : 0;
  return {
    name: `stridedSlice ${begin} ${end} ${strides} masks ${masks} ${newAxis} ${drop}`,
    inputs: [make(shape, seed)],
    compute: (x) =>
      newAxis
        ? tf.stridedSlice(
            x,
            [0, ...begin],
            [0, ...end],
            [1, ...strides],
            2 * masks[0],
            2 * masks[1],
            0,
            newAxis,
          )
        : tf.stridedSlice(x, begin, end, strides, masks[0], masks[1], 0, 0, drop ? 1 : 0),
  };
}

function moverTest(kernel: string, mover: Mover): KernelTest {
  const draw = (make: Make, withGradient: boolean) =>
    shaped([1, 4], (shape, seed) => {
      const made = mover(shape, seed, make);
      return withGradient ? { gradients: [0], ...made } : { ...made, gradients: [] };
    });
  return kernelTest(kernel, [draw(floats, true), draw(ints, false), draw(bools, false)]);
}

const block = fc.record({
  rows: fc.integer({ min: 1, max: 3 }),
  columns: fc.integer({ min: 1, max: 3 }),
  seed: fc.nat(999),
});

const depthToSpace = block.map(({ rows, columns, seed }): Case => {
  const size = 2 + (seed % 2);
  return {
    name: `depthToSpace ${size}`,
    inputs: [floats([2, rows, columns, size * size * (1 + (seed % 3))], seed)],
    compute: (x) => tf.depthToSpace(x as tf.Tensor4D, size),
    gradients: [0],
  };
});

const spaceToBatch = block.map(
  ({ rows, columns, seed }): Case => ({
    name: `spaceToBatchND ${rows} ${columns}`,
    inputs: [floats([2, rows * 2 - 1, columns * 3 - 2, 2], seed)],
    compute: (x) =>
      tf.spaceToBatchND(
        x,
        [rows, columns],
        [
          [1, 0],
          [0, 2],
        ],
      ),
    gradients: [0],
  }),
);

const batchToSpace = block.map(
  ({ rows, columns, seed }): Case => ({
    name: `batchToSpaceND ${rows} ${columns}`,
    inputs: [floats([2 * rows * columns, 3, 2, 2], seed)],
    compute: (x) =>
      tf.batchToSpaceND(
        x,
        [rows, columns],
        [
          [0, rows - 1],
          [columns - 1, 0],
        ],
      ),
    gradients: [0],
  }),
);

const made = { none: 'it has no tensor to read' };

const ranges = fixed(
  { name: 'range of floats', inputs: [], compute: () => tf.range(0, 3, 0.4) },
  { name: 'range of int32', inputs: [], compute: () => tf.range(5, -4, -3, 'int32') },
  { name: 'empty range', inputs: [], compute: () => tf.concat([tf.range(2, 2), tf.range(0, 1)]) },
);
const linspaces = fixed(
  { name: 'linspace', inputs: [], compute: () => tf.linspace(-1, 2, 7) },
  { name: 'linspace of one', inputs: [], compute: () => tf.linspace(3, 9, 1) },
);
const fills = fixed(
  { name: 'fill of int32', inputs: [], compute: () => tf.fill([2, 2], 7, 'int32') },
  { name: 'fill', inputs: [], compute: () => tf.fill([70, 70], 0.1) },
);

export const shapeTests: readonly KernelTest[] = [
  ...Object.entries(movers).map(([kernel, mover]) => moverTest(kernel, mover)),
  kernelTest('DepthToSpace', [depthToSpace]),
  kernelTest('SpaceToBatchND', [spaceToBatch]),
  kernelTest('BatchToSpaceND', [batchToSpace]),
  kernelTest('Range', [ranges], { special: made }),
  kernelTest('LinSpace', [linspaces], { special: made }),
  kernelTest('Fill', [fills], { special: made }),
];
