import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { run } from '../../../../components/engine/gradients/gradient.ts';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { bools, broadcastPairs, floats, ints, seeds } from '../support/arbitrary.ts';
import type { Case } from '../support/compare.ts';
import type { KernelTest, Special } from './kernel-test.ts';
import { kernelTest, shaped } from './kernel-test.ts';

const tolerance = { absolute: 2e-6, relative: 2e-5 };

type Unary = (x: Tensor) => Tensor;
type Make = (shape: number[], seed: number) => HostTensor;

const drawUnary = (name: string, of: Unary, make: Make, gradients: number[] = []) =>
  shaped([0, 4], (shape, seed): Case => ({ name, inputs: [make(shape, seed)], compute: of, gradients }));

interface UnaryTest {
  readonly of: Unary;
  /** Where the function is defined and smooth enough for float32. */
  readonly min?: number;
  readonly max?: number;
  readonly integers?: boolean;
  readonly bools?: boolean;
  readonly special?: Special;
}

const extremes = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1, -1];

/** Every extreme number by itself, or each with each other. */
function allExtremes(
  kernel: string,
  { withoutNaN, none, inputs }: Special,
  operands: 1 | 2,
  compute: Case['compute'],
): Case[] {
  if (none !== undefined || inputs !== undefined) return [];
  const data = Float32Array.from(withoutNaN === undefined ? extremes : extremes.slice(1));
  const row: HostTensor = { dtype: 'float32', shape: [data.length], data };
  const column: HostTensor = { ...row, shape: [data.length, 1] };
  return [{ name: `${kernel} of extremes`, inputs: operands === 1 ? [row] : [column, row], compute }];
}

const noInteger = { none: 'NaN and infinities have no defined integer' };

const unary: { readonly [kernel: string]: UnaryTest } = {
  Abs: { of: tf.abs, integers: true },
  Neg: { of: tf.neg, integers: true },
  Sign: { of: tf.sign, integers: true, special: { withoutNaN: 'the sign of NaN is NaN; 0 in tfjs' } },
  Square: { of: tf.square, integers: true },
  Exp: { of: tf.exp, integers: true },
  Expm1: { of: tf.expm1 },
  Log: { of: tf.log, min: 0.1 },
  Log1p: { of: tf.log1p, min: -0.9 },
  Sqrt: { of: tf.sqrt, min: 0.1 },
  Rsqrt: { of: tf.rsqrt, min: 0.1 },
  Reciprocal: { of: tf.reciprocal, min: 0.2 },
  Sin: { of: tf.sin },
  Cos: { of: tf.cos },
  Tan: { of: tf.tan, min: -1.2, max: 1.2 },
  Asin: { of: tf.asin, min: -0.9, max: 0.9 },
  Acos: { of: tf.acos, min: -0.9, max: 0.9 },
  Atan: { of: tf.atan },
  Sinh: { of: tf.sinh },
  Cosh: { of: tf.cosh },
  Tanh: { of: tf.tanh, min: -6, max: 6 },
  Asinh: { of: tf.asinh },
  Acosh: { of: tf.acosh, min: 1.2, max: 4 },
  Atanh: { of: tf.atanh, min: -0.9, max: 0.9 },
  Sigmoid: { of: tf.sigmoid, min: -9, max: 9 },
  Softplus: { of: tf.softplus, min: -9, max: 9 },
  Erf: { of: tf.erf, min: -3, max: 3 },
  Floor: { of: tf.floor },
  Ceil: { of: tf.ceil },
  Round: { of: tf.round },
  Relu: { of: tf.relu, integers: true },
  Relu6: { of: tf.relu6, min: -9, max: 9, integers: true },
  Elu: { of: tf.elu },
  Selu: { of: tf.selu },
  LeakyRelu: { of: (x) => tf.leakyRelu(x, 0.3) },
  Step: {
    of: (x) => tf.step(x, 0.25),
    integers: true,
    special: { withoutNaN: 'the step of NaN is alpha; NaN in tfjs' },
  },
  ClipByValue: { of: (x) => tf.clipByValue(x, -1, 0.75) },
  Identity: { of: (x) => tf.clone(x), integers: true, bools: true },
  ZerosLike: { of: tf.zerosLike, integers: true, bools: true },
  OnesLike: { of: tf.onesLike, integers: true, bools: true },
};

function unaryTest(
  kernel: string,
  { of, min, max, integers, bools: withBools, special = {} }: UnaryTest,
): KernelTest {
  const draws = [
    drawUnary(
      kernel,
      of,
      (shape, seed) =>
        floats(shape, seed, { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) }),
      [0],
    ),
  ];
  if (integers) draws.push(drawUnary(kernel, of, ints));
  if (withBools) draws.push(drawUnary(kernel, of, bools));
  return kernelTest(kernel, draws, { tolerance, special, extremes: allExtremes(kernel, special, 1, of) });
}

const tests = { isNaN: tf.isNaN, isInf: tf.isInf, isFinite: tf.isFinite };

const casts = (['float32', 'int32', 'bool'] as const).flatMap((type) => {
  const of = (x: Tensor) => tf.cast(x, type);
  return [(shape: number[], seed: number) => floats(shape, seed, { min: -3, max: 3 }), ints, bools].map(
    (make) => drawUnary(`cast to ${type}`, of, make),
  );
});

type Binary = (a: Tensor, b: Tensor) => Tensor;

interface BinaryTest {
  readonly of: Binary;
  readonly min?: number;
  readonly gradient?: boolean;
  readonly integers?: boolean;
  readonly bools?: boolean;
  readonly floats?: false;
  readonly special?: Special;
}

const binary: { readonly [kernel: string]: BinaryTest } = {
  Add: { of: tf.add, gradient: true, integers: true },
  AddN: { of: (a, b) => tf.addN([tf.add(a, b), tf.add(b, a), tf.add(a, b)]), gradient: true, integers: true },
  Sub: { of: tf.sub, gradient: true, integers: true },
  Multiply: { of: tf.mul, gradient: true, integers: true, bools: true },
  RealDiv: { of: tf.div, min: 0.3, gradient: true },
  Maximum: { of: tf.maximum, gradient: true, integers: true },
  Minimum: { of: tf.minimum, gradient: true, integers: true },
  Pow: {
    of: tf.pow,
    min: 0.2,
    gradient: true,
    special: { inputs: [0], why: '1 to the power of NaN or infinity is 1; NaN in JavaScript' },
  },
  SquaredDifference: { of: tf.squaredDifference, gradient: true, integers: true },
  Mod: { of: tf.mod, min: 0.3, integers: true },
  FloorDiv: { of: tf.floorDiv, min: 0.3, integers: true, special: noInteger },
  Atan2: { of: tf.atan2, gradient: true },
  Equal: { of: tf.equal, integers: true, bools: true },
  NotEqual: { of: tf.notEqual, integers: true, bools: true },
  Greater: { of: tf.greater, integers: true, bools: true },
  GreaterEqual: { of: tf.greaterEqual, integers: true, bools: true },
  Less: { of: tf.less, integers: true, bools: true },
  LessEqual: { of: tf.lessEqual, integers: true, bools: true },
  LogicalAnd: { of: tf.logicalAnd, bools: true, floats: false },
  LogicalOr: { of: tf.logicalOr, bools: true, floats: false },
};

function drawBinary(name: string, of: Binary, make: Make, gradients: number[] = []): fc.Arbitrary<Case> {
  return fc.tuple(broadcastPairs, seeds).map(([[a, b], seed]): Case => {
    return { name, inputs: [make(a, seed), make(b, seed + 1)], compute: of, gradients };
  });
}

function binaryTest(kernel: string, given: BinaryTest): KernelTest {
  const { of, min, gradient, integers, bools: withBools, floats: withFloats = true, special = {} } = given;
  const draws: fc.Arbitrary<Case>[] = [];
  const make: Make = (shape, seed) => floats(shape, seed, min === undefined ? {} : { min });
  if (withFloats) draws.push(drawBinary(kernel, of, make, gradient ? [0, 1] : []));
  if (integers) draws.push(drawBinary(kernel, of, ints));
  if (withBools) draws.push(drawBinary(kernel, of, bools));
  const most = withFloats ? allExtremes(kernel, special, 2, of) : [];
  return kernelTest(kernel, draws, { tolerance, special, extremes: most });
}

const bitwiseAnd = shaped(
  [0, 3],
  (shape, seed): Case => ({
    name: 'bitwiseAnd',
    inputs: [ints(shape, seed, { min: -999, max: 999 }), ints(shape, seed + 1, { min: -999, max: 999 })],
    compute: (a, b) => tf.bitwiseAnd(a, b),
  }),
);

/** tfjs broadcasts a prelu's slopes to x, not x to the slopes. */
const prelu = shaped([1, 4], (shape, seed): Case => {
  const slopes = shape
    .slice(seed % shape.length)
    .map((length, axis) => ((seed >> axis) % 2 === 0 ? 1 : length));
  return {
    name: 'prelu',
    inputs: [floats(shape, seed), floats(slopes, seed + 1)],
    compute: (x, alpha) => tf.prelu(x, alpha),
    gradients: [0, 1],
  };
});

/** The condition may be of any shape that can be broadcast. */
const select = ([floats, ints, bools] as const).map((make, index) =>
  fc.tuple(broadcastPairs, broadcastPairs, seeds).map(([[a, b], [small], seed]): Case => {
    const shape = tf.broadcast_util.assertAndGetBroadcastShape(a, b);
    const condition = seed % 2 === 0 ? shape.slice(Math.min(small.length, shape.length)) : shape;
    return {
      name: 'where',
      inputs: [bools(condition, seed), make(a, seed + 1), make(b, seed + 2)],
      compute: (c, x, y) => tf.where(c, x, y),
      gradients: index === 0 ? [1, 2] : [],
    };
  }),
);

const eluGrad = shaped(
  [0, 3],
  (shape, seed): Case => ({
    name: 'EluGrad',
    inputs: [floats(shape, seed), floats(shape, seed + 1, { min: -0.9 })],
    compute: (dy, y) => run('EluGrad', { dy, y }),
  }),
);

export const elementwiseTests: readonly KernelTest[] = [
  ...Object.entries(unary).map(([kernel, given]) => unaryTest(kernel, given)),
  ...Object.entries(binary).map(([kernel, given]) => binaryTest(kernel, given)),
  kernelTest('IsNan', [drawUnary('isNaN', tests.isNaN, floats)]),
  kernelTest('IsInf', [drawUnary('isInf', tests.isInf, floats)]),
  kernelTest('IsFinite', [drawUnary('isFinite', tests.isFinite, floats)]),
  kernelTest('LogicalNot', [drawUnary('logicalNot', tf.logicalNot, bools)]),
  kernelTest('BitwiseAnd', [bitwiseAnd]),
  kernelTest('Cast', casts, { runs: 2, special: noInteger }),
  kernelTest('Prelu', [prelu], { tolerance }),
  kernelTest('EluGrad', [eluGrad], { tolerance }),
  kernelTest('Select', select),
];
