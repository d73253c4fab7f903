import type { Ref } from '../builder.ts';
import { attribute } from '../graph-def.ts';
import type { Operator, Operators } from './operator.ts';
import { intAttribute, intsAttribute, knownInts, outputShape, textAttribute } from './operator.ts';

const slice: Operator = ({ b, node, inputs }) => {
  const [x] = inputs;
  const [starts, ends, axes, steps] = node.inputs.slice(1).map(knownInts);
  const rank = x!.shape.length;
  const begin = new Array<number>(rank).fill(0);
  const end = [...x!.shape];
  const strides = new Array<number>(rank).fill(1);
  let openEnds = 0;
  for (const [index, axis] of axes!.entries()) {
    begin[axis] = starts![index]!;
    strides[axis] = steps![index]!;
    end[axis] = ends![index]!;
    // A backward slice that includes index 0.
    if (ends![index]! < 0) {
      end[axis] = 0;
      openEnds |= 2 ** axis;
    }
  }
  const shape = outputShape(node);
  if (strides.every((stride) => stride === 1))
    return b.add('Slice', [x!, b.ints(begin), b.ints(shape)], shape);
  return b.add('StridedSlice', [x!, b.ints(begin), b.ints(end), b.ints(strides)], shape, {
    end_mask: attribute.int(openEnds),
  });
};

/** Rows of a flat table: `axis` 0 and rank 1, which is all that the lowerings use. */
const scatterElements: Operator = ({ b, node, inputs }) => {
  const [data, places, updates] = inputs as readonly [Ref, Ref, Ref];
  if (data.shape.length !== 1) throw new Error('ScatterElements of several axes does not occur');
  const reduction = textAttribute(node, 'reduction') ?? 'none';
  const op = ({ none: 'TensorScatterUpdate', add: 'TensorScatterAdd', max: 'TensorScatterMax' } as const)[
    reduction
  ];
  if (!op) throw new Error(`ScatterElements with the reduction ${reduction} does not occur`);
  const rows = b.add('Reshape', [places, b.ints([places.shape[0]!, 1])], [places.shape[0]!, 1]);
  return b.add(op, [data, rows, updates], data.shape);
};

export const shapeOperators: Operators = {
  Reshape: ({ b, node, inputs }) => {
    const shape = outputShape(node);
    return b.add('Reshape', [inputs[0]!, b.ints(shape)], shape);
  },
  Transpose: ({ b, node, inputs }) =>
    b.add('Transpose', [inputs[0]!, b.ints(intsAttribute(node, 'perm')!)], outputShape(node)),
  Expand: ({ b, node, inputs }) => {
    const shape = outputShape(node);
    return b.add('BroadcastTo', [inputs[0]!, b.ints(shape)], shape);
  },
  Slice: slice,
  Concat: ({ b, node, inputs }) =>
    inputs.length === 1
      ? b.add('Identity', inputs, outputShape(node))
      : b.add('ConcatV2', [...inputs, b.int(intAttribute(node, 'axis')!)], outputShape(node)),
  Pad: ({ b, node, inputs }) => {
    const widths = knownInts(node.inputs[1]);
    const rank = widths.length / 2;
    const pairs = Array.from({ length: rank }, (_, axis) => [widths[axis]!, widths[axis + rank]!]).flat();
    return b.add('PadV2', [inputs[0]!, b.ints(pairs, [rank, 2]), inputs[2]!], outputShape(node));
  },
  Gather: ({ b, node, inputs }) =>
    b.add('GatherV2', [inputs[0]!, inputs[1]!, b.int(intAttribute(node, 'axis') ?? 0)], outputShape(node)),
  OneHot: ({ b, node, inputs }) => {
    const [off, on] = Array.from((node.inputs[2]!.source as { data: Float32Array }).data);
    const depth = outputShape(node).at(-1)!;
    const [one, zero] = [on!, off!].map((value) => b.splat('float32', [], value));
    return b.add('OneHot', [inputs[0]!, b.int(depth), one!, zero!], outputShape(node));
  },
  ScatterElements: scatterElements,
};
