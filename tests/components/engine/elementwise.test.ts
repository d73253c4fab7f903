import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import fc from 'fast-check';
import type { HostTensor } from '../../../components/engine/types.ts';
import { bools, broadcastPairs, floats, ints, seeds, shapes } from './support/arbitrary.ts';
import type { Case } from './support/compare.ts';
import { assertSame } from './support/compare.ts';
import { assertAgreement } from './support/property.ts';

type Unary = (x: Tensor) => Tensor;
type Binary = (a: Tensor, b: Tensor) => Tensor;

/** Domain on which the function is defined and smooth enough for float32. */
const unary: { readonly [name: string]: { of: Unary; min?: number; max?: number; flat?: boolean } } = {
  abs: { of: tf.abs },
  neg: { of: tf.neg },
  sign: { of: tf.sign },
  square: { of: tf.square },
  exp: { of: tf.exp },
  expm1: { of: tf.expm1 },
  log: { of: tf.log, min: 0.1 },
  log1p: { of: tf.log1p, min: -0.9 },
  sqrt: { of: tf.sqrt, min: 0.1 },
  rsqrt: { of: tf.rsqrt, min: 0.1 },
  reciprocal: { of: tf.reciprocal, min: 0.2 },
  sin: { of: tf.sin },
  cos: { of: tf.cos },
  tan: { of: tf.tan, min: -1.2, max: 1.2 },
  asin: { of: tf.asin, min: -0.9, max: 0.9 },
  acos: { of: tf.acos, min: -0.9, max: 0.9 },
  atan: { of: tf.atan },
  sinh: { of: tf.sinh },
  cosh: { of: tf.cosh },
  tanh: { of: tf.tanh, min: -6, max: 6 },
  asinh: { of: tf.asinh },
  acosh: { of: tf.acosh, min: 1.2, max: 4 },
  atanh: { of: tf.atanh, min: -0.9, max: 0.9 },
  sigmoid: { of: tf.sigmoid, min: -9, max: 9 },
  softplus: { of: tf.softplus, min: -9, max: 9 },
  erf: { of: tf.erf, min: -3, max: 3 },
  floor: { of: tf.floor },
  ceil: { of: tf.ceil },
  round: { of: tf.round },
  relu: { of: tf.relu },
  relu6: { of: tf.relu6, min: -9, max: 9 },
  elu: { of: tf.elu },
  selu: { of: tf.selu },
  leakyRelu: { of: (x) => tf.leakyRelu(x, 0.3) },
  step: { of: (x) => tf.step(x) },
  stepWithAlpha: { of: (x) => tf.step(x, 0.25) },
  clipByValue: { of: (x) => tf.clipByValue(x, -1, 0.75) },
  isNaN: { of: tf.isNaN },
  isInf: { of: tf.isInf },
  isFinite: { of: tf.isFinite },
};

const binary: { readonly [name: string]: { of: Binary; min?: number } } = {
  add: { of: tf.add },
  sub: { of: tf.sub },
  mul: { of: tf.mul },
  div: { of: tf.div, min: 0.3 },
  maximum: { of: tf.maximum },
  minimum: { of: tf.minimum },
  pow: { of: tf.pow, min: 0.2 },
  squaredDifference: { of: tf.squaredDifference },
  mod: { of: tf.mod, min: 0.3 },
  floorDiv: { of: tf.floorDiv, min: 0.3 },
  atan2: { of: tf.atan2 },
  equal: { of: tf.equal },
  notEqual: { of: tf.notEqual },
  greater: { of: tf.greater },
  greaterEqual: { of: tf.greaterEqual },
  less: { of: tf.less },
  lessEqual: { of: tf.lessEqual },
  prelu: { of: (a, b) => tf.prelu(a, b) },
};

const logical: { readonly [name: string]: Binary } = {
  logicalAnd: tf.logicalAnd,
  logicalOr: tf.logicalOr,
  logicalXor: tf.logicalXor,
  equal: tf.equal,
  greater: tf.greater,
  mul: tf.mul,
};

test('functions of one variable and their gradients agree with tfjs', async (t) => {
  const names = Object.keys(unary);
  await assertAgreement(t, fc.tuple(shapes(0, 4), seeds), {
    perProgram: names.length,
    programs: 4,
    seed: 1,
    tolerance: { absolute: 2e-6, relative: 2e-5 },
    toCases: ([shape, seed], index) => {
      const name = names[index];
      const { of, min, max } = unary[name];
      return [
        {
          name,
          inputs: [floats(shape, seed, { min, max })],
          compute: of,
          gradients: name.startsWith('is') ? [] : [0],
        },
      ];
    },
  });
});

test('functions of two variables, broadcast together, and their gradients agree with tfjs', async (t) => {
  const names = Object.keys(binary);
  const differentiable = [
    'add',
    'sub',
    'mul',
    'div',
    'maximum',
    'minimum',
    'pow',
    'squaredDifference',
    'atan2',
  ];
  await assertAgreement(t, fc.tuple(broadcastPairs, seeds), {
    perProgram: names.length,
    programs: 4,
    seed: 2,
    tolerance: { absolute: 2e-6, relative: 2e-5 },
    toCases: ([[a, b], seed], index) => {
      const name = names[index];
      const { of, min } = binary[name];
      // tfjs broadcasts a prelu's slopes to x, not x to the slopes.
      if (
        name === 'prelu' &&
        (b.length > a.length || b.some((each, axis) => each > a[axis - b.length + a.length]))
      )
        return [];
      const inputs = [floats(a, seed, { min }), floats(b, seed + 1, { min })];
      return [{ name, inputs, compute: of, gradients: differentiable.includes(name) ? [0, 1] : [] }];
    },
  });
});

test('integers are added, divided and compared as tfjs does it, also with zero and negative divisors', async (t) => {
  const names = [
    'add',
    'sub',
    'mul',
    'div',
    'maximum',
    'minimum',
    'mod',
    'floorDiv',
    'equal',
    'less',
    'greaterEqual',
  ];
  const given = fc.sample(fc.tuple(broadcastPairs, seeds), { numRuns: names.length * 3, seed: 3 });
  const cases = given.map(([[a, b], seed], index): Case => {
    const name = names[index % names.length];
    return { name, inputs: [ints(a, seed), ints(b, seed + 1)], compute: binary[name].of };
  });
  await assertSame(t, cases);
});

test('integers go through functions of one variable as in tfjs', async (t) => {
  const names = ['abs', 'neg', 'sign', 'square', 'exp', 'relu', 'relu6', 'step', 'clipByValue'];
  const cases = names.map(
    (name, index): Case => ({ name, inputs: [ints([3, 4], index)], compute: unary[name].of }),
  );
  await assertSame(t, cases);
});

test('bools agree with tfjs', async (t) => {
  const given = fc.sample(fc.tuple(broadcastPairs, seeds), { numRuns: 18, seed: 4 });
  const names = Object.keys(logical);
  const cases = given.map(([[a, b], seed], index): Case => {
    const name = names[index % names.length];
    return { name, inputs: [bools(a, seed), bools(b, seed + 1)], compute: logical[name] };
  });
  const not: Case = { name: 'logicalNot', inputs: [bools([7], 1)], compute: (x) => tf.logicalNot(x) };
  await assertSame(t, [...cases, not]);
});

test('every cast agrees with tfjs', async (t) => {
  const sources: readonly HostTensor[] = [floats([9], 1, { min: -3, max: 3 }), ints([9], 2), bools([9], 3)];
  const types = ['float32', 'int32', 'bool'] as const;
  const cases = sources.flatMap((source) =>
    types.map(
      (type): Case => ({ name: `cast to ${type}`, inputs: [source], compute: (x) => tf.cast(x, type) }),
    ),
  );
  await assertSame(t, cases);
});

test('where chooses by element, by row and by broadcasting, for every type', async (t) => {
  const shape = [4, 3];
  const pairs: readonly (readonly [HostTensor, HostTensor])[] = [
    [floats(shape, 1), floats(shape, 2)],
    [ints(shape, 1), ints(shape, 2)],
    [bools(shape, 1), bools(shape, 2)],
  ];
  const conditions = [bools(shape, 3), bools([1, 3], 4), bools([4, 1], 5), bools([], 6)];
  const cases = pairs.flatMap(([a, b]) =>
    conditions.map(
      (condition): Case => ({
        name: 'where',
        inputs: [condition, a, b],
        compute: (c, x, y) => tf.where(c, x, y),
        gradients: a.dtype === 'float32' ? [1, 2] : [],
      }),
    ),
  );
  await assertSame(t, cases);
});

test('NaN and infinities go through arithmetic as in tfjs', async (t) => {
  const data = Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1, -1);
  const special: HostTensor = { dtype: 'float32', shape: [7, 1], data };
  const row: HostTensor = { dtype: 'float32', shape: [7], data };
  const names = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'equal', 'less', 'greaterEqual'];
  const two = names.map((name): Case => ({ name, inputs: [special, row], compute: binary[name].of }));
  const one = [
    'neg',
    'abs',
    'exp',
    'log',
    'sqrt',
    'rsqrt',
    'tanh',
    'sigmoid',
    'relu',
    'relu6',
    'log1p',
    'expm1',
    'isNaN',
    'isInf',
    'isFinite',
    'clipByValue',
  ];
  const cases = one.map((name): Case => ({ name, inputs: [row], compute: unary[name].of }));
  await assertSame(t, [...two, ...cases]);
});
