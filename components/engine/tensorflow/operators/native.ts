import type { Attribute, Node } from '../../graph/value.ts';
import type { AttributeValue } from '../graph-def.ts';
import { attribute } from '../graph-def.ts';
import type { TensorflowOp } from '../op-table.ts';
import type { Operator, Operators } from './operator.ts';
import { outputShape } from './operator.ts';
import { product } from './products.ts';

/** Operators that the lowerings of this engine (`../lower/`) emit by TensorFlow's own names. */

function attributeValue(given: Attribute): AttributeValue {
  if ('int' in given) return attribute.int(given.int);
  if ('float' in given) return attribute.float(given.float);
  if ('text' in given) return attribute.text(given.text);
  return attribute.ints(given.ints);
}

function attributesOf({ attributes }: Node): { readonly [name: string]: AttributeValue } {
  return Object.fromEntries(Object.entries(attributes).map(([name, each]) => [name, attributeValue(each)]));
}

const plain =
  (op: TensorflowOp): Operator =>
  ({ b, node, inputs }) =>
    b.addAll(
      op,
      inputs,
      node.outputs.map(({ type, shape }) => ({ type, shape })),
      attributesOf(node),
    );

const products =
  (op: TensorflowOp): Operator =>
  ({ b, node, inputs, precision }) =>
    product(b, precision, op, inputs, outputShape(node), attributesOf(node));

export const nativeOperators: Operators = {
  ...Object.fromEntries(
    (
      [
        'MaxPool',
        'MaxPoolGrad',
        'AvgPool',
        'AvgPoolGrad',
        'Softmax',
        'TensorScatterAdd',
        'MaxPoolWithArgmax',
      ] as const
    ).map((op) => [`tensorflow.${op}`, plain(op)]),
  ),
  ...Object.fromEntries(
    (
      [
        ...(['Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter'] as const),
        ...(['DepthwiseConv2dNative', 'DepthwiseConv2dNativeBackpropInput'] as const),
        'DepthwiseConv2dNativeBackpropFilter',
      ] as const
    ).map((op) => [`tensorflow.${op}`, products(op)]),
  ),
  'tensorflow.NonMaxSuppressionV4': ({ b, node, inputs }) =>
    b.addAll(
      'NonMaxSuppressionV4',
      inputs,
      node.outputs.map(({ type, shape }) => ({ type, shape })),
      { pad_to_max_output_size: attribute.bool(true) },
    ),
};
