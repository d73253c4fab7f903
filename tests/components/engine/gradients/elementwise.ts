import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { bools, floats, ints } from '../support/arbitrary.ts';
import type { GradientCase } from '../support/differences.ts';

/** Cases by the kernel whose gradient they check. */
export interface GradientCases {
  readonly [kernel: string]: readonly GradientCase[];
}

const shape = [2, 3, 4];

/** Moved away from whole and half numbers, where some functions have kinks or jumps. */
export function apart(input: HostTensor): HostTensor {
  const data = Float32Array.from(input.data, (value) => {
    const distance = value * 2 - Math.round(value * 2);
    return Math.abs(distance) < 0.1 ? value + 0.1 : value;
  });
  return { ...input, data };
}

const x = apart(floats(shape, 1));
const positive = floats(shape, 2, { min: 0.3, max: 2 });
const inUnit = floats(shape, 3, { min: -0.8, max: 0.8 });

const one = (op: (a: Tensor) => Tensor, input: HostTensor = x, tolerance?: number): GradientCase[] => [
  { inputs: [input], op, ...(tolerance ? { tolerance } : {}) },
];

/** With operands repeated along axes: the first, the second, and neither. */
const two = (op: (a: Tensor, b: Tensor) => Tensor, a: HostTensor = x, min = -2, max = 2): GradientCase[] => [
  { inputs: [a, apart(floats([3, 1], 4, { min, max }))], op },
  { inputs: [{ ...a, shape: [4], data: a.data.slice(0, 4) }, apart(floats(shape, 5, { min, max }))], op },
  { inputs: [a, apart(floats(shape, 6, { min, max }))], op },
];

const flags = (compare: (a: Tensor, b: Tensor) => Tensor) => two((a, b) => tf.cast(compare(a, b), 'float32'));
const asBool = (a: Tensor) => tf.greater(a, 0.25);

export const elementwiseCases: GradientCases = {
  Add: two(tf.add),
  Sub: two(tf.sub),
  Multiply: [...two(tf.mul), { inputs: [x, ints(shape, 7)], op: (a, b) => tf.mul(a, b), variables: 1 }],
  RealDiv: two(tf.div, x, 0.4),
  Pow: [
    ...two(tf.pow, positive, 1, 2),
    // Of numbers that are not positive, with a whole exponent.
    { inputs: [x], op: (a) => tf.pow(a, tf.scalar(3)) },
  ],
  Maximum: two(tf.maximum),
  Minimum: two(tf.minimum),
  SquaredDifference: two(tf.squaredDifference),
  Mod: two(tf.mod, positive, 2.6, 3.4),
  Atan2: two(tf.atan2, positive),
  FloorDiv: two((a, b) => tf.cast(tf.floorDiv(a, b), 'float32'), positive, 2.6, 3.4),
  Equal: flags(tf.equal),
  NotEqual: flags(tf.notEqual),
  Greater: flags(tf.greater),
  GreaterEqual: flags(tf.greaterEqual),
  Less: flags(tf.less),
  LessEqual: flags(tf.lessEqual),
  LogicalAnd: flags((a, b) => tf.logicalAnd(asBool(a), asBool(b))),
  LogicalOr: flags((a, b) => tf.logicalOr(asBool(a), asBool(b))),
  LogicalNot: one((a) => tf.cast(tf.logicalNot(asBool(a)), 'float32')),
  BitwiseAnd: one((a) =>
    tf.cast(tf.bitwiseAnd(tf.cast(a, 'int32'), tf.cast(tf.mul(a, 9), 'int32')), 'float32'),
  ),
  AddN: [{ inputs: [x, positive], op: (a, b) => tf.addN([a, b, a]) }],
  Select: [
    { inputs: [x, positive, bools(shape, 12)], op: (a, b, c) => tf.where(c, a, b), variables: 2 },
    { inputs: [x, floats([4], 8), bools([3, 1], 12)], op: (a, b, c) => tf.where(c, a, b), variables: 2 },
    // The condition depends on x, but only by jumps.
    { inputs: [x], op: (a) => tf.where(tf.greater(a, 0.25), tf.square(a), tf.neg(a)) },
  ],
  Neg: one(tf.neg),
  Identity: one((a) => tf.clone(a)),
  Cast: one((a) => tf.cast(tf.mul(a, a), 'float32')),
  Abs: one(tf.abs),
  Square: one(tf.square),
  Exp: one(tf.exp),
  Expm1: one(tf.expm1),
  Log: one(tf.log, positive),
  Log1p: one(tf.log1p, positive),
  Sqrt: one(tf.sqrt, positive),
  Rsqrt: one(tf.rsqrt, positive),
  Reciprocal: one(tf.reciprocal, positive),
  Sin: one(tf.sin),
  Cos: one(tf.cos),
  Tan: one(tf.tan, inUnit),
  Asin: one(tf.asin, inUnit),
  Acos: one(tf.acos, inUnit),
  Atan: one(tf.atan),
  Sinh: one(tf.sinh),
  Cosh: one(tf.cosh),
  Tanh: one(tf.tanh),
  Asinh: one(tf.asinh),
  Acosh: one(tf.acosh, floats(shape, 9, { min: 1.3, max: 3 })),
  Atanh: one(tf.atanh, inUnit),
  Sigmoid: one(tf.sigmoid),
  Softplus: one(tf.softplus),
  // tfjs's erf is a polynomial that is right to seven digits; its slope is not the gaussian's to more.
  Erf: one(tf.erf, x, 5e-6),
  Relu: one(tf.relu),
  Relu6: one((a) => tf.relu6(tf.mul(a, 6))),
  Elu: one(tf.elu),
  Selu: one(tf.selu),
  LeakyRelu: one((a) => tf.leakyRelu(a, 0.1)),
  Prelu: [
    { inputs: [x, floats([4], 10)], op: (a, b) => tf.prelu(a, b) },
    { inputs: [x, floats(shape, 11)], op: (a, b) => tf.prelu(a, b) },
  ],
  ClipByValue: one((a) => tf.clipByValue(a, -1, 1)),
  Step: one((a) => tf.step(a, 0.3)),
  Sign: one(tf.sign),
  Floor: one(tf.floor),
  Ceil: one(tf.ceil),
  Round: one(tf.round),
  ZerosLike: one((a) => tf.zerosLike(a)),
  OnesLike: one((a) => tf.onesLike(a)),
  IsNan: one((a) => tf.cast(tf.isNaN(a), 'float32')),
  IsInf: one((a) => tf.cast(tf.isInf(a), 'float32')),
  IsFinite: one((a) => tf.cast(tf.isFinite(a), 'float32')),
};
