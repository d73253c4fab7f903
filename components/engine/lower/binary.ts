import { binary, cast, unary, where } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { expand } from '../graph/shape.ts';
import type { Value } from '../graph/value.ts';
import { broadcastShapes, splatOf } from '../graph/value.ts';
import type { Lowering, Lowerings } from './lowering.ts';

/** ONNX has no arithmetic on bools: compute in int32, as tfjs in effect does. */
function arithmetic(op: string): Lowering {
  return (g, { a, b }) => {
    if (a.type !== 'bool') return binary(g, op, a, b);
    return cast(g, binary(g, op, cast(g, a, 'int32'), cast(g, b, 'int32')), 'bool');
  };
}

function comparison(op: string): Lowering {
  return (g, { a, b }) =>
    a.type === 'bool'
      ? binary(g, op, cast(g, a, 'int32'), cast(g, b, 'int32'), 'bool')
      : binary(g, op, a, b, 'bool');
}

function logical(op: string): Lowering {
  return (g, { a, b }) => binary(g, op, cast(g, a, 'bool'), cast(g, b, 'bool'));
}

const zero = (g: Graph, like: Value) => g.splat(0, like.type, []);

/** Integer division by zero would stop the process; in tfjs its result is 0. */
function safely(g: Graph, b: Value, divide: (divisor: Value) => Value): Value {
  const byZero = binary(g, 'Equal', b, zero(g, b), 'bool');
  return where(g, byZero, zero(g, b), divide(where(g, byZero, g.splat(1, 'int32', []), b)));
}

/** Rounds down, also for negative numbers, where ONNX's integer division cuts off. */
function floorDiv(g: Graph, a: Value, b: Value): Value {
  if (a.type !== 'int32') return cast(g, unary(g, 'Floor', binary(g, 'Div', a, b)), 'int32');
  return safely(g, b, (divisor) => {
    const remainder = binary(g, 'Mod', a, divisor);
    return binary(g, 'Div', binary(g, 'Sub', a, remainder), divisor);
  });
}

/** The result has the divisor's sign. ONNX has that for integers only. */
function mod(g: Graph, a: Value, b: Value): Value {
  if (a.type === 'int32') return safely(g, b, (divisor) => binary(g, 'Mod', a, divisor));
  const signed = fmod(g, a, b);
  const sameSign = binary(
    g,
    'Equal',
    cast(g, binary(g, 'Less', a, zero(g, a), 'bool'), 'int32'),
    cast(g, binary(g, 'Less', b, zero(g, b), 'bool'), 'int32'),
    'bool',
  );
  return where(g, sameSign, signed, fmod(g, binary(g, 'Add', signed, b), b));
}

function fmod(g: Graph, a: Value, b: Value): Value {
  const { shape } = binary(g, 'Sub', a, b);
  return g.emit('Mod', [a, b], { type: a.type, shape }, { fmod: { int: 1 } });
}

function pow(g: Graph, a: Value, b: Value): Value {
  const exponent = splatOf(b);
  if (exponent === 2) return expand(g, binary(g, 'Mul', a, a), broadcastShapes(a.shape, b.shape));
  if (exponent === 1) return expand(g, a, broadcastShapes(a.shape, b.shape));
  return binary(g, 'Pow', a, b);
}

function squaredDifference(g: Graph, a: Value, b: Value): Value {
  const difference = binary(g, 'Sub', a, b);
  return binary(g, 'Mul', difference, difference);
}

function atan2(g: Graph, y: Value, x: Value): Value {
  const atan = unary(g, 'Atan', binary(g, 'Div', y, x));
  const pi = where(
    g,
    binary(g, 'Less', y, zero(g, y), 'bool'),
    g.splat(-Math.PI, 'float32', []),
    g.splat(Math.PI, 'float32', []),
  );
  const half = binary(g, 'Mul', unary(g, 'Sign', y), g.splat(Math.PI / 2, 'float32', []));
  const left = where(g, binary(g, 'Less', x, zero(g, x), 'bool'), binary(g, 'Add', atan, pi), atan);
  return where(g, binary(g, 'Equal', x, zero(g, x), 'bool'), half, left);
}

export const binaryLowerings: Lowerings = {
  Add: arithmetic('Add'),
  AddN: (g, inputs) => Object.values(inputs).reduce((sum, each) => binary(g, 'Add', sum, each)),
  Sub: arithmetic('Sub'),
  Multiply: arithmetic('Mul'),
  RealDiv: arithmetic('Div'),
  Maximum: arithmetic('Max'),
  Minimum: arithmetic('Min'),
  FloorDiv: (g, { a, b }) => floorDiv(g, a, b),
  Mod: (g, { a, b }) => mod(g, a, b),
  Pow: (g, { a, b }) => pow(g, a, b),
  SquaredDifference: (g, { a, b }) => squaredDifference(g, a, b),
  Atan2: (g, { a, b }) => atan2(g, a, b),
  Equal: comparison('Equal'),
  NotEqual: (g, inputs) => unary(g, 'Not', comparison('Equal')(g, inputs, {}) as Value),
  Greater: comparison('Greater'),
  GreaterEqual: comparison('GreaterOrEqual'),
  Less: comparison('Less'),
  LessEqual: comparison('LessOrEqual'),
  LogicalAnd: logical('And'),
  LogicalOr: logical('Or'),
  LogicalXor: logical('Xor'),
};
