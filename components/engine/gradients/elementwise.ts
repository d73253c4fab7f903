import type { ClipByValueAttrs, GradConfig, LeakyReluAttrs, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { gradient, run, unbroadcast } from './gradient.ts';

/** A function of one variable: its slope at x. */
function slope(kernel: string, slopeAt: (x: Tensor) => Tensor): GradConfig {
  return gradient(kernel, { inputs: ['x'] }, (dy, [x]) => ({ x: () => tf.mul(dy, slopeAt(x)) }));
}

/** The same where the slope is easier to say by the function's value y. */
function slopeOfValue(kernel: string, slopeAt: (y: Tensor) => Tensor): GradConfig {
  return gradient(kernel, { output: true }, (dy, [y]) => ({ x: () => tf.mul(dy, slopeAt(y)) }));
}

/** A function of two variables that are broadcast together: both partial derivatives, times dy. */
function partials(
  kernel: string,
  ofA: (dy: Tensor, a: Tensor, b: Tensor) => Tensor,
  ofB: (dy: Tensor, a: Tensor, b: Tensor) => Tensor,
): GradConfig {
  return gradient(kernel, { inputs: ['a', 'b'] }, (dy, [a, b]) => ({
    a: () => unbroadcast(ofA(dy, a, b), a.shape),
    b: () => unbroadcast(ofB(dy, a, b), b.shape),
  }));
}

/** Step functions and what has no derivative: zero. */
function flat(kernel: string, names: readonly string[] = ['x']): GradConfig {
  return gradient(kernel, { inputs: names }, (_, saved) =>
    Object.fromEntries(names.map((name, index) => [name, () => tf.zeros(saved[index].shape)])),
  );
}

const where = (condition: Tensor, dy: Tensor) => tf.mul(dy, tf.cast(condition, 'float32'));

/** d(a^b)/db is a^b log(a); where a is not positive it is taken as 0. */
function powerOfExponent(dy: Tensor, a: Tensor, b: Tensor): Tensor {
  const positive = tf.greater(a, 0);
  const log = tf.where(positive, tf.log(tf.where(positive, a, tf.onesLike(a))), tf.zerosLike(a));
  return tf.mul(dy, tf.mul(tf.pow(a, b), log));
}

const binaryGradients: readonly GradConfig[] = [
  partials(
    'Add',
    (dy) => dy,
    (dy) => dy,
  ),
  partials(
    'Sub',
    (dy) => dy,
    (dy) => tf.neg(dy),
  ),
  partials(
    'Multiply',
    (dy, _, b) => tf.mul(dy, tf.cast(b, 'float32')),
    (dy, a) => tf.mul(dy, tf.cast(a, 'float32')),
  ),
  partials(
    'RealDiv',
    (dy, _, b) => tf.div(dy, tf.cast(b, 'float32')),
    (dy, a, b) => tf.neg(tf.div(tf.mul(dy, tf.cast(a, 'float32')), tf.square(tf.cast(b, 'float32')))),
  ),
  partials('Pow', (dy, a, b) => tf.mul(dy, tf.mul(b, tf.pow(a, tf.sub(b, tf.scalar(1))))), powerOfExponent),
  partials(
    'Maximum',
    (dy, a, b) => where(tf.greaterEqual(a, b), dy),
    (dy, a, b) => where(tf.less(a, b), dy),
  ),
  partials(
    'Minimum',
    (dy, a, b) => where(tf.lessEqual(a, b), dy),
    (dy, a, b) => where(tf.greater(a, b), dy),
  ),
  partials(
    'SquaredDifference',
    (dy, a, b) => tf.mul(dy, tf.mul(tf.sub(a, b), tf.scalar(2))),
    (dy, a, b) => tf.mul(dy, tf.mul(tf.sub(b, a), tf.scalar(2))),
  ),
  partials(
    'Mod',
    (dy) => dy,
    (dy, a, b) => tf.mul(dy, tf.neg(tf.floor(tf.div(a, b)))),
  ),
  partials(
    'Atan2',
    (dy, a, b) => tf.mul(dy, tf.div(b, tf.add(tf.square(a), tf.square(b)))),
    (dy, a, b) => tf.neg(tf.mul(dy, tf.div(a, tf.add(tf.square(a), tf.square(b))))),
  ),
  ...[
    'FloorDiv',
    'Equal',
    'NotEqual',
    'Greater',
    'GreaterEqual',
    'Less',
    'LessEqual',
    'LogicalAnd',
    'LogicalOr',
    'BitwiseAnd',
  ].map((kernel) => flat(kernel, ['a', 'b'])),
  flat('SearchSorted', ['sortedSequence', 'values']),
];

const unaryGradients: readonly GradConfig[] = [
  gradient('Neg', {}, (dy) => ({ x: () => tf.neg(dy) })),
  gradient('Identity', {}, (dy) => ({ x: () => tf.cast(dy, 'float32') })),
  gradient('Cast', {}, (dy) => ({ x: () => tf.cast(dy, 'float32') })),
  slope('Abs', (x) => tf.sign(x)),
  slope('Square', (x) => tf.mul(tf.cast(x, 'float32'), tf.scalar(2))),
  slopeOfValue('Exp', (y) => y),
  slopeOfValue('Expm1', (y) => tf.add(y, tf.scalar(1))),
  slope('Log', (x) => tf.reciprocal(x)),
  slope('Log1p', (x) => tf.reciprocal(tf.add(x, tf.scalar(1)))),
  slopeOfValue('Sqrt', (y) => tf.div(tf.scalar(0.5), y)),
  slopeOfValue('Rsqrt', (y) => tf.mul(tf.mul(tf.square(y), y), tf.scalar(-0.5))),
  slopeOfValue('Reciprocal', (y) => tf.neg(tf.square(y))),
  slope('Sin', (x) => tf.cos(x)),
  slope('Cos', (x) => tf.neg(tf.sin(x))),
  slopeOfValue('Tan', (y) => tf.add(tf.square(y), tf.scalar(1))),
  slope('Asin', (x) => tf.rsqrt(tf.sub(tf.scalar(1), tf.square(x)))),
  slope('Acos', (x) => tf.neg(tf.rsqrt(tf.sub(tf.scalar(1), tf.square(x))))),
  slope('Atan', (x) => tf.reciprocal(tf.add(tf.square(x), tf.scalar(1)))),
  slope('Sinh', (x) => tf.cosh(x)),
  slope('Cosh', (x) => tf.sinh(x)),
  slope('Asinh', (x) => tf.rsqrt(tf.add(tf.square(x), tf.scalar(1)))),
  slope('Acosh', (x) => tf.rsqrt(tf.sub(tf.square(x), tf.scalar(1)))),
  slope('Atanh', (x) => tf.reciprocal(tf.sub(tf.scalar(1), tf.square(x)))),
  slopeOfValue('Tanh', (y) => tf.sub(tf.scalar(1), tf.square(y))),
  slopeOfValue('Sigmoid', (y) => tf.mul(y, tf.sub(tf.scalar(1), y))),
  slope('Softplus', (x) => tf.sigmoid(x)),
  slope('Erf', (x) => tf.mul(tf.exp(tf.neg(tf.square(x))), tf.scalar(2 / Math.sqrt(Math.PI)))),
  slope('Relu', (x) => tf.step(x)),
  slope('Relu6', (x) => tf.mul(tf.step(x), tf.cast(tf.lessEqual(x, 6), 'float32'))),
  gradient('Elu', { output: true }, (dy, [y]) => ({ x: () => run('EluGrad', { dy, y }) })),
  slope('Selu', (x) =>
    tf.where(
      tf.greater(x, 0),
      tf.fill(x.shape, 1.0507009873554805),
      tf.mul(tf.exp(x), tf.scalar(1.7580993408473768)),
    ),
  ),
  gradient<LeakyReluAttrs>('LeakyRelu', { inputs: ['x'] }, (dy, [x], { alpha }) => ({
    x: () => tf.mul(dy, tf.step(x, alpha)),
  })),
  gradient('Prelu', { inputs: ['x', 'alpha'] }, (dy, [x, alpha]) => ({
    x: () => tf.where(tf.greater(x, 0), dy, tf.mul(dy, alpha)),
    alpha: () => unbroadcast(tf.where(tf.greater(x, 0), tf.zerosLike(dy), tf.mul(dy, x)), alpha.shape),
  })),
  gradient<ClipByValueAttrs>('ClipByValue', { inputs: ['x'] }, (dy, [x], { clipValueMin, clipValueMax }) => ({
    x: () => where(tf.logicalAnd(tf.greaterEqual(x, clipValueMin), tf.lessEqual(x, clipValueMax)), dy),
  })),
  ...[
    'Step',
    'Sign',
    'Floor',
    'Ceil',
    'Round',
    'ZerosLike',
    'OnesLike',
    'LogicalNot',
    'IsNan',
    'IsInf',
    'IsFinite',
  ].map((kernel) => flat(kernel)),
];

export const elementwiseGradients: readonly GradConfig[] = [
  ...unaryGradients,
  ...binaryGradients,
  {
    kernelName: 'AddN',
    saveAllInputs: true,
    gradFunc: (dy, saved) =>
      Object.fromEntries(saved.map((_, index) => [index, () => (dy as Tensor).clone()])),
  },
  gradient('Select', { inputs: ['condition'] }, (dy, [condition]) => ({
    condition: () => tf.zeros(condition.shape),
    t: () => tf.mul(dy, tf.cast(rowsOf(condition, dy.rank), 'float32')),
    e: () => tf.mul(dy, tf.cast(tf.logicalNot(rowsOf(condition, dy.rank)), 'float32')),
  })),
];

/** A condition of rank 1 chooses whole rows. */
function rowsOf(condition: Tensor, rank: number): Tensor {
  if (condition.rank !== 1 || rank === 1) return condition;
  return tf.reshape(condition, [condition.shape[0], ...new Array<number>(rank - 1).fill(1)]);
}
