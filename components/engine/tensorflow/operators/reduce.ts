import { sizeOf } from '../../graph/value.ts';
import type { GraphBuilder, Ref } from '../builder.ts';
import { attribute } from '../graph-def.ts';
import type { TensorflowOp } from '../op-table.ts';
import type { Operator, Operators } from './operator.ts';
import { intAttribute, knownInts, outputShape } from './operator.ts';

/** On a CPU, threads share what is added up to one number, if it is as much as this. */
const sharedSum = 2 ** 17;

/** The same over all of a tensor, whose rows are added up first: that is the same bytes for any number of threads. */
function overAll(op: 'Sum' | 'Mean'): Operator {
  const plain = reduce(op);
  const rows = (b: GraphBuilder, x: Ref): Ref => {
    const size = sizeOf(x.shape);
    const row = size < sharedSum ? 1 : longestRow(size);
    if (row === 1) return x;
    const table = b.add('Reshape', [x, b.ints([size / row, row])], [size / row, row]);
    return rows(b, b.add(op, [table, b.ints([1])], [size / row]));
  };
  return (given) => {
    const { b, node, inputs } = given;
    const shape = outputShape(node);
    if (sizeOf(shape) > 1 || inputs[0]!.type !== 'float32') return plain(given);
    const sums = rows(b, inputs[0]!);
    if (sums === inputs[0]) return plain(given);
    const sum = b.add(op, [sums, b.ints([0])], []);
    return shape.length === 0 ? sum : b.add('Reshape', [sum, b.ints(shape)], shape);
  };
}

function longestRow(size: number): number {
  for (let row = 4096; row > 1; row--) if (size % row === 0) return row;
  return 1;
}

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
  ReduceSum: overAll('Sum'),
  ReduceMean: overAll('Mean'),
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
