import { attribute } from '../graph-def.ts';
import type { TensorflowOp } from '../op-table.ts';
import type { Operator, Operators } from './operator.ts';
import { intAttribute, knownInts, outputShape } from './operator.ts';

function reduce(op: TensorflowOp): Operator {
  return ({ b, node, inputs }) =>
    b.add(op, [inputs[0]!, b.ints(knownInts(node.inputs[1]))], outputShape(node), {
      keep_dims: attribute.bool(intAttribute(node, 'keepdims') === 1),
    });
}

function argument(op: TensorflowOp): Operator {
  return ({ b, node, inputs }) =>
    b.add(op, [inputs[0]!, b.int(intAttribute(node, 'axis')!)], outputShape(node), {}, { type: 'int32' });
}

export const reduceOperators: Operators = {
  ReduceSum: reduce('Sum'),
  ReduceMean: reduce('Mean'),
  ReduceMax: reduce('Max'),
  ReduceMin: reduce('Min'),
  ReduceProd: reduce('Prod'),
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
  // TensorFlow's is of the last axis.
  Softmax: ({ b, node, inputs }) => {
    const shape = outputShape(node);
    const last = shape.length - 1;
    const axis = intAttribute(node, 'axis') ?? last;
    if (axis === last) return b.add('Softmax', inputs, shape);
    const perm = shape.map((_, each) => (each === axis ? last : each === last ? axis : each));
    const swapped = perm.map((each) => shape[each]!);
    const turned = b.add('Transpose', [inputs[0]!, b.ints(perm)], swapped);
    return b.add('Transpose', [b.add('Softmax', [turned], swapped), b.ints(perm)], shape);
  },
  TopK: ({ b, node, inputs }) => {
    const shape = outputShape(node);
    const outputs = [{ shape }, { shape, type: 'int32' }] as const;
    return b.addAll('TopKV2', [inputs[0]!, b.int(shape.at(-1)!)], outputs, { sorted: attribute.bool(true) });
  },
  CumSum: ({ b, node, inputs }) =>
    b.add('Cumsum', [inputs[0]!, b.int(knownInts(node.inputs[1])[0]!)], outputShape(node), {
      exclusive: attribute.bool(intAttribute(node, 'exclusive') === 1),
      reverse: attribute.bool(intAttribute(node, 'reverse') === 1),
    }),
};
