import type { TensorflowOp } from '../op-table.ts';
import type { Operator, Operators } from './operator.ts';
import { intAttribute, outputShape, textAttribute } from './operator.ts';

/** The TensorFlow operator of that name; its output has the type of its inputs, or bool. */
function same(op: TensorflowOp): Operator {
  return ({ b, node, inputs }) => b.add(op, inputs, outputShape(node));
}

/** ONNX has one name for what TensorFlow has two of. */
function byType(float: TensorflowOp, integer: TensorflowOp): Operator {
  return (given) => same(given.inputs[0]!.type === 'float32' ? float : integer)(given);
}

const unary: readonly TensorflowOp[] = [
  ...(['Abs', 'Neg', 'Sign', 'Exp', 'Log', 'Sqrt', 'Reciprocal', 'Floor', 'Ceil', 'Round'] as const),
  ...(['Sin', 'Cos', 'Tan', 'Asin', 'Acos', 'Atan', 'Sinh', 'Cosh', 'Tanh'] as const),
  ...(['Asinh', 'Acosh', 'Atanh', 'Sigmoid', 'Erf', 'Relu'] as const),
];

const binary: readonly TensorflowOp[] = [
  ...(['Sub', 'Mul', 'Pow', 'Equal', 'Less', 'Greater'] as const),
  ...(['BitwiseAnd', 'BitwiseXor'] as const),
];

export const elementwiseOperators: Operators = {
  ...Object.fromEntries([...unary, ...binary].map((op) => [op, same(op)])),
  Add: same('AddV2'),
  Div: byType('RealDiv', 'TruncateDiv'),
  GreaterOrEqual: same('GreaterEqual'),
  LessOrEqual: same('LessEqual'),
  Max: same('Maximum'),
  Min: same('Minimum'),
  // C's fmod keeps the sign of the dividend, the other takes that of the divisor.
  Mod: (given) => same(intAttribute(given.node, 'fmod') === 1 ? 'Mod' : 'FloorMod')(given),
  And: same('LogicalAnd'),
  Or: same('LogicalOr'),
  Xor: same('NotEqual'),
  Not: same('LogicalNot'),
  Where: same('SelectV2'),
  Sum: same('AddN'),
  Cast: ({ b, node, inputs }) => {
    const { type, shape } = node.outputs[0]!;
    return b.add('Cast', inputs, shape, {}, { type });
  },
  BitShift: (given) => {
    if (textAttribute(given.node, 'direction') !== 'RIGHT') throw new Error('only shifts to the right occur');
    return same('RightShift')(given);
  },
};
