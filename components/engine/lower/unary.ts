import type { CastAttrs, ClipByValueAttrs, LeakyReluAttrs, StepAttrs } from '@tensorflow/tfjs-core';
import { binary, cast, log, unary, where } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import type { ElementType, Value } from '../graph/value.ts';
import type { Lowering, Lowerings } from './lowering.ts';
import { withAttributes } from './lowering.ts';

/** An ONNX operator of the same meaning that has float kernels only. */
function floating(op: string): Lowering {
  return (g, { x }) => inFloat(g, x, (value) => unary(g, op, value));
}

function inFloat(g: Graph, x: Value, work: (value: Value) => Value): Value {
  return cast(g, work(cast(g, x, 'float32')), x.type);
}

/** Integers are round already. */
function rounding(op: string): Lowering {
  return (g, { x }) => (x.type === 'float32' ? unary(g, op, x) : x);
}

const number = (g: Graph, value: number, type: ElementType = 'float32') => g.splat(value, type, []);

function isNegative(g: Graph, x: Value): Value {
  return binary(g, 'Less', x, number(g, 0, x.type), 'bool');
}

/** Accurate near 0, where log(1 + x) loses digits (Kahan). */
function log1p(g: Graph, x: Value): Value {
  const u = binary(g, 'Add', x, number(g, 1));
  const corrected = binary(g, 'Mul', log(g, u), binary(g, 'Div', x, binary(g, 'Sub', u, number(g, 1))));
  const tiny = binary(g, 'Equal', u, number(g, 1), 'bool');
  const infinite = binary(g, 'Equal', x, number(g, Number.POSITIVE_INFINITY), 'bool');
  return where(g, binary(g, 'Or', tiny, infinite), x, corrected);
}

/** log(1 + exp(x)) by `log`, for the reason given there. */
function softplus(g: Graph, x: Value): Value {
  const small = unary(g, 'Exp', unary(g, 'Neg', unary(g, 'Abs', x)));
  return binary(g, 'Add', binary(g, 'Max', x, number(g, 0)), log1p(g, small));
}

/** Accurate near 0, where exp(x) - 1 loses digits (Kahan). */
function expm1(g: Graph, x: Value): Value {
  const u = unary(g, 'Exp', x);
  const less = binary(g, 'Sub', u, number(g, 1));
  const corrected = binary(g, 'Mul', less, binary(g, 'Div', x, log(g, u)));
  const far = binary(g, 'Greater', unary(g, 'Abs', x), number(g, 1), 'bool');
  const tiny = binary(g, 'Equal', u, number(g, 1), 'bool');
  return where(g, tiny, x, where(g, far, less, corrected));
}

function clip(g: Graph, x: Value, low: number, high: number): Value {
  // Max and Min hand on NaN, as tfjs does; Clip needn't.
  return binary(g, 'Min', binary(g, 'Max', x, number(g, low, x.type)), number(g, high, x.type));
}

function relu(g: Graph, x: Value): Value {
  return x.type === 'float32' ? unary(g, 'Relu', x) : binary(g, 'Max', x, number(g, 0, x.type));
}

/** 1 where x is positive, `alpha` elsewhere. */
function step(g: Graph, x: Value, alpha: number): Value {
  const positive = binary(g, 'Greater', x, number(g, 0, x.type), 'bool');
  return alpha === 0
    ? cast(g, positive, x.type)
    : where(g, positive, number(g, 1, x.type), number(g, alpha, x.type));
}

/** SELU's scale and alpha (Klambauer et al. 2017), with tfjs's digits. */
const seluScale = 1.0507009873554805;
const seluAlpha = 1.6732632423543772;

function selu(g: Graph, x: Value): Value {
  const negative = binary(g, 'Mul', expm1(g, x), number(g, seluScale * seluAlpha));
  return where(g, isNegative(g, x), negative, binary(g, 'Mul', x, number(g, seluScale)));
}

/** exp(x) - 1 for negative x; x itself above. */
function elu(g: Graph, x: Value): Value {
  return where(g, isNegative(g, x), expm1(g, x), x);
}

function isInfinite(g: Graph, x: Value): Value {
  return binary(g, 'Equal', unary(g, 'Abs', x), number(g, Number.POSITIVE_INFINITY), 'bool');
}

/** Slopes of activations that fused kernels name; `linear` is none. */
export function activate(g: Graph, x: Value, activation: string, leakyAlpha: number, slopes?: Value): Value {
  switch (activation) {
    case 'relu':
      return relu(g, x);
    case 'relu6':
      return clip(g, x, 0, 6);
    case 'elu':
      return elu(g, x);
    case 'sigmoid':
      return unary(g, 'Sigmoid', x);
    case 'leakyrelu':
      return prelu(g, x, number(g, leakyAlpha));
    case 'prelu':
      return prelu(g, x, slopes ?? number(g, 0));
    default:
      return x;
  }
}

function prelu(g: Graph, x: Value, slope: Value): Value {
  return where(g, isNegative(g, x), binary(g, 'Mul', x, slope), x);
}

export const unaryLowerings: Lowerings = {
  Abs: (g, { x }) => unary(g, 'Abs', x),
  Neg: (g, { x }) => unary(g, 'Neg', x),
  Sign: (g, { x }) => unary(g, 'Sign', x),
  Square: (g, { x }) => binary(g, 'Mul', x, x),
  // Alone among these, tfjs's kernel makes floats of integers.
  Exp: (g, { x }) => unary(g, 'Exp', cast(g, x, 'float32')),
  Expm1: (g, { x }) => inFloat(g, x, (value) => expm1(g, value)),
  Log: (g, { x }) => inFloat(g, x, (value) => log(g, value)),
  Log1p: (g, { x }) => inFloat(g, x, (value) => log1p(g, value)),
  Sqrt: floating('Sqrt'),
  Rsqrt: (g, { x }) => inFloat(g, x, (value) => unary(g, 'Reciprocal', unary(g, 'Sqrt', value))),
  Reciprocal: floating('Reciprocal'),
  Sin: floating('Sin'),
  Cos: floating('Cos'),
  Tan: floating('Tan'),
  Asin: floating('Asin'),
  Acos: floating('Acos'),
  Atan: floating('Atan'),
  Sinh: floating('Sinh'),
  Cosh: floating('Cosh'),
  Tanh: floating('Tanh'),
  Asinh: floating('Asinh'),
  Acosh: floating('Acosh'),
  Atanh: floating('Atanh'),
  Sigmoid: floating('Sigmoid'),
  Erf: floating('Erf'),
  Softplus: (g, { x }) => inFloat(g, x, (value) => softplus(g, value)),
  Floor: rounding('Floor'),
  Ceil: rounding('Ceil'),
  Round: rounding('Round'),
  Relu: (g, { x }) => relu(g, x),
  Relu6: (g, { x }) => clip(g, x, 0, 6),
  Elu: (g, { x }) => elu(g, x),
  Selu: (g, { x }) => selu(g, x),
  LeakyRelu: withAttributes<LeakyReluAttrs>((g, { x }, { alpha }) =>
    prelu(g, cast(g, x, 'float32'), number(g, alpha)),
  ),
  Prelu: (g, { x, alpha }) => prelu(g, cast(g, x, 'float32'), cast(g, alpha, 'float32')),
  EluGrad: (g, { dy, y }) => {
    const above = binary(g, 'GreaterOrEqual', y, number(g, 0), 'bool');
    const slope = where(g, above, number(g, 1), binary(g, 'Add', y, number(g, 1)));
    return binary(g, 'Mul', dy, slope);
  },
  Step: withAttributes<StepAttrs>((g, { x }, { alpha }) => step(g, x, alpha)),
  ClipByValue: withAttributes<ClipByValueAttrs>((g, { x }, { clipValueMin, clipValueMax }) =>
    clip(g, x, clipValueMin, clipValueMax),
  ),
  Cast: withAttributes<CastAttrs>((g, { x }, { dtype }) => cast(g, x, dtype as ElementType)),
  Identity: (_, { x }) => x,
  LogicalNot: (g, { x }) => unary(g, 'Not', cast(g, x, 'bool')),
  IsNan: (g, { x }) => unary(g, 'Not', binary(g, 'Equal', x, x, 'bool')),
  IsInf: (g, { x }) => isInfinite(g, x),
  IsFinite: (g, { x }) => {
    const size = unary(g, 'Abs', x);
    return binary(g, 'Less', size, number(g, Number.POSITIVE_INFINITY), 'bool');
  },
};
