import { sizeOf } from '../../graph/value.ts';
import type { GraphBuilder, Ref } from '../builder.ts';
import type { AttributeValue } from '../graph-def.ts';
import { attribute } from '../graph-def.ts';
import type { TensorflowOp } from '../op-table.ts';
import type { Operators, Precision, Translation } from './operator.ts';
import { floatAttribute, intAttribute, outputShape, textAttribute } from './operator.ts';

/** An operator of products, whose float operands are made bfloat16 first where the precision says so. */
export function product(
  b: GraphBuilder,
  precision: Precision,
  op: TensorflowOp,
  inputs: readonly Ref[],
  shape: readonly number[],
  attributes: { readonly [name: string]: AttributeValue },
): Ref {
  if (precision === 'float32') return b.add(op, inputs, shape, attributes);
  const short = inputs.map((each) =>
    each.type === 'float32' ? b.add('Cast', [each], each.shape, {}, { type: 'bfloat16' }) : each,
  );
  return b.add('Cast', [b.add(op, short, shape, attributes)], shape, {}, { type: 'float32' });
}

/** `alpha` is applied where the fewest numbers are. */
function scaled({ b, node, inputs }: Translation, multiply: (left: Ref, right: Ref) => Ref): Ref {
  const [left, right] = inputs as readonly [Ref, Ref];
  const alpha = floatAttribute(node, 'alpha') ?? 1;
  if (alpha === 1) return multiply(left, right);
  const times = (ref: Ref) => b.add('Mul', [ref, b.splat('float32', [], Math.fround(alpha))], ref.shape);
  const [inLeft, inRight, inResult] = [left.shape, right.shape, outputShape(node)].map(sizeOf) as [
    number,
    number,
    number,
  ];
  if (inResult <= Math.min(inLeft, inRight)) return times(multiply(left, right));
  return inLeft <= inRight ? multiply(times(left), right) : multiply(left, times(right));
}

const flag = (given: Translation, name: string) => attribute.bool(intAttribute(given.node, name) === 1);

export const productOperators: Operators = {
  Gemm: (given) => {
    const { b, node, inputs, precision } = given;
    const shape = outputShape(node);
    const attributes = { transpose_a: flag(given, 'transA'), transpose_b: flag(given, 'transB') };
    const matrix = scaled(given, (left, right) =>
      product(b, precision, 'MatMul', [left, right], shape, attributes),
    );
    const bias = inputs[2];
    if (!bias) return matrix;
    const beta = floatAttribute(node, 'beta') ?? 1;
    const added =
      beta === 1 ? bias : b.add('Mul', [bias, b.splat('float32', [], Math.fround(beta))], bias.shape);
    return b.add('BiasAdd', [matrix, added], shape);
  },
  Einsum: ({ b, node, inputs, precision }) =>
    product(b, precision, 'Einsum', inputs, outputShape(node), {
      equation: attribute.text(textAttribute(node, 'equation')!),
    }),
  FusedMatMul: (given) => {
    const attributes = { adj_x: flag(given, 'transA'), adj_y: flag(given, 'transB') };
    const { b, node, precision } = given;
    return scaled(given, (left, right) =>
      product(b, precision, 'BatchMatMulV2', [left, right], outputShape(node), attributes),
    );
  },
};
