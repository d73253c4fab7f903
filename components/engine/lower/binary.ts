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

/**
 * Two integer divisions would stop the process: by zero, whose result is 0 in tfjs, and of the smallest integer by -1,
 * which overflows. `byMinusOne` is the result where the divisor is -1.
 */
function safely(g: Graph, b: Value, byMinusOne: Value, divide: (divisor: Value) => Value): Value {
  const byZero = binary(g, 'Equal', b, zero(g, b), 'bool');
  const negated = binary(g, 'Equal', b, g.splat(-1, 'int32', []), 'bool');
  const divisor = where(g, binary(g, 'Or', byZero, negated), g.splat(1, 'int32', []), b);
  return where(g, byZero, zero(g, b), where(g, negated, byMinusOne, divide(divisor)));
}

/** Rounds down, also for negative numbers, where ONNX's integer division cuts off. */
function floorDiv(g: Graph, a: Value, b: Value): Value {
  if (a.type !== 'int32') return cast(g, unary(g, 'Floor', binary(g, 'Div', a, b)), 'int32');
  return safely(g, b, binary(g, 'Sub', zero(g, a), a), (divisor) => {
    const remainder = binary(g, 'Mod', a, divisor);
    return binary(g, 'Div', binary(g, 'Sub', a, remainder), divisor);
  });
}

/** The result has the divisor's sign. ONNX has that for integers only. */
function mod(g: Graph, a: Value, b: Value): Value {
  if (a.type === 'int32') return safely(g, b, zero(g, a), (divisor) => binary(g, 'Mod', a, divisor));
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

/** Also of zeros and infinities as IEEE 754 has it: of both signs, and of both at once. */
function atan2(g: Graph, y: Value, x: Value): Value {
  const number = (value: number) => g.splat(value, 'float32', []);
  const both = (a: Value, b: Value) => binary(g, 'And', a, b);
  const is = (value: Value, limit: number) => binary(g, 'Equal', value, number(limit), 'bool');
  const infinite = (value: Value) => is(unary(g, 'Abs', value), Number.POSITIVE_INFINITY);
  const below = (value: Value) => binary(g, 'Less', value, number(0), 'bool');
  /** Of -0 too, which is not less than 0. */
  const negative = (value: Value) =>
    binary(g, 'Or', below(value), both(is(value, 0), below(unary(g, 'Reciprocal', value))));
  const corner = both(infinite(y), infinite(x));
  const up = where(g, corner, unary(g, 'Sign', y), y);
  const right = where(g, corner, unary(g, 'Sign', x), x);
  const upright = both(is(x, 0), unary(g, 'Not', is(y, 0)));
  const quarter = binary(g, 'Mul', unary(g, 'Sign', y), number(Math.PI / 2));
  const atan = where(g, both(is(y, 0), is(x, 0)), y, unary(g, 'Atan', binary(g, 'Div', up, right)));
  const half = where(g, negative(y), number(-Math.PI), number(Math.PI));
  const turned = where(g, negative(x), binary(g, 'Add', atan, half), atan);
  return where(g, upright, quarter, turned);
}

/** One operator where ONNX Runtime has it, so that `graph/order.ts` can tell the terms. */
function sumOf(g: Graph, terms: readonly Value[]): Value {
  const [first] = terms as [Value];
  if (terms.length > 2 && first.type === 'float32') return g.emit('Sum', terms, first);
  return terms.reduce((sum, each) => binary(g, 'Add', sum, each));
}

export const binaryLowerings: Lowerings = {
  Add: arithmetic('Add'),
  AddN: (g, inputs) => sumOf(g, Object.values(inputs)),
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
  BitwiseAnd: (g, { a, b }) => binary(g, 'BitwiseAnd', a, b),
};
