import { createRequire } from 'node:module';
import type { Scalar, Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import test from 'ava';
import '../../../components/engine/gradients/register.ts';
import type { HostTensor } from '../../../components/engine/types.ts';
import { bools, floats, ints } from './support/arbitrary.ts';

type Op = (...inputs: Tensor[]) => Tensor;

interface GradientCase {
  readonly inputs: readonly HostTensor[];
  readonly op: Op;
  /** How many of the inputs, from the first on, have a gradient; all unless said. */
  readonly variables?: number;
}

const x = floats([2, 3, 4], 1);
/** No value is within 0.05 of -1, 0 or 1, where some functions have kinks. */
const apart: HostTensor = {
  ...x,
  data: (x.data as Float32Array).map((value) =>
    Math.abs(value - Math.round(value)) < 0.05 ? value + 0.1 : value,
  ),
};
const positive = floats([2, 3, 4], 2, { min: 0.3, max: 2 });
const image = floats([2, 4, 4, 2], 3);
/** The same as `image`, but no two values are closer than 0.1, so that each window has one clear maximum. */
const distinct: HostTensor = { ...image, data: image.data.map((_, index) => ((index * 37) % 64) / 10) };
const vector = (seed: number) => floats([4], seed, { min: 0.5, max: 1.5 });

const cases: { readonly [name: string]: GradientCase } = {
  add: { inputs: [x, floats([4], 5)], op: tf.add },
  sub: { inputs: [x, floats([3, 1], 6)], op: tf.sub },
  mul: { inputs: [x, floats([2, 1, 4], 7)], op: tf.mul },
  div: { inputs: [x, positive], op: tf.div },
  pow: { inputs: [positive, floats([4], 8, { min: 1, max: 2 })], op: tf.pow },
  squaredDifference: { inputs: [x, positive], op: tf.squaredDifference },
  maximum: { inputs: [x, floats([4], 9)], op: tf.maximum },
  minimum: { inputs: [x, floats([2, 3, 4], 10)], op: tf.minimum },
  mod: { inputs: [positive, floats([2, 3, 4], 11, { min: 3, max: 4 })], op: tf.mod },
  atan2: { inputs: [x, positive], op: tf.atan2 },
  addN: { inputs: [x, positive], op: (a, b) => tf.addN([a, b, a]) },
  select: { inputs: [x, positive, bools([2, 3, 4], 12)], op: (a, b, c) => tf.where(c, a, b), variables: 2 },
  exp: { inputs: [x], op: tf.exp },
  expm1: { inputs: [x], op: tf.expm1 },
  log: { inputs: [positive], op: tf.log },
  log1p: { inputs: [positive], op: tf.log1p },
  sqrt: { inputs: [positive], op: tf.sqrt },
  rsqrt: { inputs: [positive], op: tf.rsqrt },
  square: { inputs: [x], op: tf.square },
  reciprocal: { inputs: [positive], op: tf.reciprocal },
  sin: { inputs: [x], op: tf.sin },
  cos: { inputs: [x], op: tf.cos },
  tan: { inputs: [floats([5], 13, { min: -1, max: 1 })], op: tf.tan },
  asin: { inputs: [floats([5], 14, { min: -0.8, max: 0.8 })], op: tf.asin },
  acos: { inputs: [floats([5], 15, { min: -0.8, max: 0.8 })], op: tf.acos },
  atan: { inputs: [x], op: tf.atan },
  sinh: { inputs: [x], op: tf.sinh },
  cosh: { inputs: [x], op: tf.cosh },
  asinh: { inputs: [x], op: tf.asinh },
  acosh: { inputs: [floats([5], 16, { min: 1.5, max: 3 })], op: tf.acosh },
  atanh: { inputs: [floats([5], 17, { min: -0.8, max: 0.8 })], op: tf.atanh },
  tanh: { inputs: [x], op: tf.tanh },
  sigmoid: { inputs: [x], op: tf.sigmoid },
  softplus: { inputs: [x], op: tf.softplus },
  erf: { inputs: [x], op: tf.erf },
  elu: { inputs: [x], op: tf.elu },
  selu: { inputs: [x], op: tf.selu },
  leakyRelu: { inputs: [apart], op: (a) => tf.leakyRelu(a, 0.1) },
  relu: { inputs: [apart], op: tf.relu },
  relu6: { inputs: [apart], op: (a) => tf.relu6(tf.mul(a, 6)) },
  prelu: { inputs: [apart, vector(18)], op: (a, b) => tf.prelu(a, b) },
  clipByValue: { inputs: [apart], op: (a) => tf.clipByValue(a, -1, 1) },
  sum: { inputs: [x], op: (a) => tf.sum(a, [0, 2]) },
  mean: { inputs: [x], op: (a) => tf.mean(a, 1) },
  max: { inputs: [x], op: (a) => tf.max(a, 1) },
  min: { inputs: [x], op: (a) => tf.min(a, [0, 2]) },
  prod: { inputs: [positive], op: (a) => tf.prod(a, 1) },
  cumsum: { inputs: [x], op: (a) => tf.cumsum(a, 1, true) },
  softmax: { inputs: [x], op: (a) => tf.softmax(a) },
  logSoftmax: { inputs: [x], op: (a) => tf.logSoftmax(a) },
  matMul: { inputs: [x, floats([2, 5, 4], 19)], op: (a, b) => tf.matMul(a, b, false, true) },
  batchNorm: {
    inputs: [x, vector(20), vector(21), vector(22), vector(23)],
    op: (a, m, v, o, s) => tf.batchNorm(a, m as Tensor1D, v as Tensor1D, o as Tensor1D, s as Tensor1D),
  },
  transpose: { inputs: [x], op: (a) => tf.transpose(a, [2, 0, 1]) },
  slice: { inputs: [x], op: (a) => tf.slice(a, [0, 1, 1], [2, 2, 2]) },
  pad: { inputs: [floats([3], 24)], op: (a) => tf.pad1d(a as Tensor1D, [1, 2]) },
  tile: { inputs: [x], op: (a) => tf.tile(a, [1, 2, 3]) },
  concat: { inputs: [x, positive], op: (a, b) => tf.concat([a, b, a], 2) },
  stack: { inputs: [x, positive], op: (a, b) => tf.stack([a, b], 1) },
  unstack: { inputs: [x], op: (a) => tf.unstack(a, 1)[2] },
  split: { inputs: [x], op: (a) => tf.split(a, [1, 3], 2)[1] },
  reverse: { inputs: [x], op: (a) => tf.reverse(a, [0, 2]) },
  gather: {
    inputs: [x, ints([5], 25, { min: 0, max: 2 })],
    op: (a, i) => tf.gather(a, i as Tensor1D, 1),
    variables: 1,
  },
  segmentSum: {
    inputs: [floats([5, 2], 26), ints([5], 27, { min: 0, max: 2 })],
    op: (a, i) => tf.unsortedSegmentSum(a, i as Tensor1D, 3),
    variables: 1,
  },
  spaceToBatch: {
    inputs: [image],
    op: (a) =>
      tf.spaceToBatchND(
        a,
        [2, 2],
        [
          [0, 0],
          [0, 0],
        ],
      ),
  },
  batchToSpace: {
    inputs: [floats([4, 2, 2, 1], 28)],
    op: (a) =>
      tf.batchToSpaceND(
        a,
        [2, 2],
        [
          [0, 0],
          [0, 0],
        ],
      ),
  },
  conv2d: {
    inputs: [image, floats([3, 3, 2, 3], 29)],
    op: (a, f) => tf.conv2d(a as Tensor4D, f as Tensor4D, 2, 'same'),
  },
  conv2dTranspose: {
    inputs: [image, floats([3, 3, 3, 2], 30)],
    op: (a, f) => tf.conv2dTranspose(a as Tensor4D, f as Tensor4D, [2, 8, 8, 3], 2, 'same'),
  },
  depthwiseConv2d: {
    inputs: [image, floats([3, 3, 2, 2], 31)],
    op: (a, f) => tf.depthwiseConv2d(a as Tensor4D, f as Tensor4D, 1, 'same'),
  },
  maxPool: { inputs: [distinct], op: (a) => tf.maxPool(a as Tensor4D, 3, 1, 'valid') },
  avgPool: { inputs: [image], op: (a) => tf.avgPool(a as Tensor4D, 2, 2, 'valid') },
};

/** Not differentiable in tfjs itself, or wrong there: only finite differences can tell. */
const beyondTfjs: { readonly [name: string]: GradientCase } = {
  einsum: { inputs: [x, floats([2, 4, 5], 32)], op: (a, b) => tf.einsum('bij,bjk->ik', a, b) },
  gatherNd: {
    inputs: [x, ints([5, 2], 33, { min: 0, max: 1 })],
    op: (a, i) => tf.gatherND(a, i),
    variables: 1,
  },
  scatterNd: {
    inputs: [floats([4, 3], 34), ints([4, 1], 35, { min: 0, max: 2 })],
    op: (u, i) => tf.scatterND(i, u, [3, 3]),
    variables: 1,
  },
  depthToSpace: { inputs: [floats([1, 2, 3, 4], 36)], op: (a) => tf.depthToSpace(a as Tensor4D, 2) },
  mirrorPadReflect: {
    inputs: [x],
    op: (a) =>
      tf.mirrorPad(
        a,
        [
          [0, 1],
          [2, 1],
          [0, 0],
        ],
        'reflect',
      ),
  },
  mirrorPadSymmetric: {
    inputs: [x],
    op: (a) =>
      tf.mirrorPad(
        a,
        [
          [0, 1],
          [2, 1],
          [0, 0],
        ],
        'symmetric',
      ),
  },
  sharedFactor: { inputs: [x, floats([1, 4, 5], 37)], op: (a, b) => tf.matMul(a, b) },
  matMulOfFirst: { inputs: [floats([1, 3, 4], 38), floats([2, 4, 5], 39)], op: (a, b) => tf.matMul(a, b) },
  nearest: { inputs: [image], op: (a) => tf.image.resizeNearestNeighbor(a as Tensor4D, [8, 12]) },
  nearestUneven: { inputs: [image], op: (a) => tf.image.resizeNearestNeighbor(a as Tensor4D, [5, 3], true) },
  bilinear: { inputs: [floats([2, 3, 4, 2], 40)], op: (a) => tf.image.resizeBilinear(a as Tensor4D, [6, 5]) },
  bilinearHalfPixel: {
    inputs: [floats([2, 3, 4, 2], 41)],
    op: (a) => tf.image.resizeBilinear(a as Tensor4D, [5, 9], false, true),
  },
};

const toTensor = ({ data, shape, dtype }: HostTensor) => tf.tensor(data, [...shape], dtype);

/** A sum of the op's results with weights, so that no gradient is the same everywhere. */
function weighted(op: Op, inputs: readonly Tensor[]): Scalar {
  const y = op(...inputs);
  const weights = Float32Array.from({ length: y.size }, (_, index) => Math.cos(index * 1.7 + 0.3));
  return tf.sum(tf.mul(y, tf.tensor(weights, y.shape)));
}

function gradientsOf({ inputs, op, variables = inputs.length }: GradientCase): Float32Array[] {
  return tf.tidy(() => {
    const tensors = inputs.map(toTensor);
    const rest = tensors.slice(variables);
    const grads = tf.grads((...given: Tensor[]) => weighted(op, [...given, ...rest]))(
      tensors.slice(0, variables),
    );
    return grads.map((grad) => grad.dataSync() as Float32Array);
  });
}

/** Central differences; float32 leaves about three digits. */
function differencesOf({ inputs, op, variables = inputs.length }: GradientCase): Float32Array[] {
  const step = 1e-2;
  const value = (changed: number, index: number, by: number) =>
    tf.tidy(() => {
      const tensors = inputs.map((input, each) => {
        const data = input.data.slice();
        if (each === changed) data[index] += by;
        return toTensor({ ...input, data });
      });
      return weighted(op, tensors).dataSync()[0];
    });
  return inputs
    .slice(0, variables)
    .map(({ data }, each) =>
      Float32Array.from(
        { length: data.length },
        (_, index) => (value(each, index, step) - value(each, index, -step)) / (2 * step),
      ),
    );
}

function furthest(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  return Math.max(
    ...a.flatMap((list, each) =>
      [...list].map((value, index) => Math.abs(value - b[each][index]) / (1 + Math.abs(b[each][index]))),
    ),
  );
}

test.before(async () => {
  await tf.setBackend('cpu');
});

test.serial('gradients agree with finite differences', (t) => {
  for (const [name, given] of Object.entries({ ...cases, ...beyondTfjs })) {
    const distance = furthest(gradientsOf(given), differencesOf(given));
    t.true(distance < 1e-2, `${name}: ${distance}`);
  }
});

test.serial('gradients agree with those of tfjs-core', (t) => {
  const ours = new Map(Object.entries(cases).map(([name, given]) => [name, gradientsOf(given)]));
  const before = tf.getGradient('Conv2D');
  const { warn } = console;
  console.warn = () => {};
  // tfjs-core's own definitions replace the engine's from here on; only a loader such as tsx can import them.
  createRequire(import.meta.url)('@tensorflow/tfjs-core/dist/register_all_gradients.js');
  console.warn = warn;
  t.not(tf.getGradient('Conv2D'), before);
  // Wrong there: operands of maximum and minimum that were repeated, cumsum along an inner axis. The gradient of prod
  // needs methods that only all of tfjs has.
  const broken = ['maximum', 'minimum', 'cumsum', 'prod'];
  for (const [name, given] of Object.entries(cases).filter(([each]) => !broken.includes(each))) {
    const distance = furthest(ours.get(name)!, gradientsOf(given));
    t.true(distance < 1e-5, `${name}: ${distance}`);
  }
});
