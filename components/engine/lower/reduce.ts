import type {
  _FusedMatMulAttrs,
  ArgMaxAttrs,
  BatchMatMulAttrs,
  EinsumAttrs,
  FusedBatchNormAttrs,
  MaxAttrs,
  SoftmaxAttrs,
  TopKAttrs,
} from '@tensorflow/tfjs-core';
import { binary, cast, unary, where } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { matmul } from '../graph/matmul.ts';
import { longestSum, reduce } from '../graph/reduce.ts';
import { reshape } from '../graph/shape.ts';
import type { Value } from '../graph/value.ts';
import { einsum } from './einsum.ts';
import { finish } from './fused.ts';
import type { Inputs, Lowering, Lowerings } from './lowering.ts';
import { axesOf, withAttributes } from './lowering.ts';

interface ReduceAttributes {
  readonly axis?: number | readonly number[];
  readonly keepDims?: boolean;
}

function reducing(op: string): Lowering {
  return withAttributes<ReduceAttributes>((g, { x }, { axis, keepDims }) => {
    const axes = axesOf(axis, x.shape.length);
    if (x.type !== 'bool') return reduce(g, op, x, axes, keepDims ?? false);
    // Counting bools gives int32; everything else stays bool.
    const counted = reduce(g, op, cast(g, x, 'int32'), axes, keepDims ?? false);
    return op === 'ReduceSum' || op === 'ReduceProd' ? counted : cast(g, counted, 'bool');
  });
}

function mean(g: Graph, x: Value, { axis, keepDims }: ReduceAttributes): Value {
  const axes = axesOf(axis, x.shape.length);
  return reduce(g, 'ReduceMean', cast(g, x, 'float32'), axes, keepDims ?? false);
}

function argument(op: string): Lowering {
  return withAttributes<ArgMaxAttrs>((g, { x }, { axis }) => {
    const along = axesOf(axis, x.shape.length)[0]!;
    const shape = x.shape.filter((_, each) => each !== along);
    const values = x.type === 'bool' ? cast(g, x, 'int32') : x;
    const attributes = { axis: { int: along }, keepdims: { int: 0 }, select_last_index: { int: 0 } };
    return cast(g, g.emit(op, [values], { type: 'int64', shape }, attributes), 'int32');
  });
}

function softmax(g: Graph, given: Value, axis: number | undefined): Value {
  const logits = cast(g, given, 'float32');
  const { type, shape } = logits;
  const along = axesOf(axis ?? -1, shape.length)[0]!;
  if (shape[along]! <= longestSum.row || !g.target.losesDigits)
    return g.emit('Softmax', [logits], { type, shape }, { axis: { int: along } });
  // ONNX Runtime's own adds number by number: of 262,144 classes it is off by 1.5e-4.
  const most = reduce(g, 'ReduceMax', logits, [along], true);
  const exponentials = unary(g, 'Exp', binary(g, 'Sub', logits, most));
  return binary(g, 'Div', exponentials, reduce(g, 'ReduceSum', exponentials, [along], true));
}

function topK(g: Graph, x: Value, k: number): Value[] {
  const shape = [...x.shape.slice(0, -1), k];
  const outputs = [
    { type: x.type, shape },
    { type: 'int64', shape },
  ] as const;
  const attributes = { axis: { int: -1 }, largest: { int: 1 }, sorted: { int: 1 } };
  const [values, indices] = g.emitAll('TopK', [x, g.int64([k])], outputs, attributes);
  return [values!, cast(g, indices!, 'int32')];
}

function batchNorm(g: Graph, inputs: Inputs, epsilon: number): Value {
  const { x, mean: average, variance, offset, scale } = inputs as Partial<Inputs>;
  const spread = unary(g, 'Sqrt', binary(g, 'Add', variance!, g.splat(Math.fround(epsilon), 'float32', [])));
  const factor = binary(g, 'Div', scale ?? g.splat(1, 'float32', []), spread);
  const shift = binary(g, 'Mul', average!, factor);
  const base = offset ? binary(g, 'Sub', offset, shift) : unary(g, 'Neg', shift);
  return binary(g, 'Add', binary(g, 'Mul', x!, factor), base);
}

/** A condition of rank 1 chooses whole rows. */
function select(g: Graph, condition: Value, t: Value, e: Value): Value {
  const rows = condition.shape.length === 1 && t.shape.length > 1;
  const shape = rows
    ? [condition.shape[0]!, ...new Array<number>(t.shape.length - 1).fill(1)]
    : condition.shape;
  return where(g, reshape(g, cast(g, condition, 'bool'), shape), t, e);
}

export const reduceLowerings: Lowerings = {
  Sum: reducing('ReduceSum'),
  Prod: reducing('ReduceProd'),
  Min: reducing('ReduceMin'),
  Any: reducing('ReduceMax'),
  All: reducing('ReduceMin'),
  Max: withAttributes<MaxAttrs & ReduceAttributes>((g, inputs, { reductionIndices, axis, keepDims }) =>
    reducing('ReduceMax')(g, inputs, { axis: reductionIndices ?? axis, keepDims }),
  ),
  Mean: withAttributes<ReduceAttributes>((g, { x }, attributes) => mean(g, x, attributes)),
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
  Softmax: withAttributes<Partial<SoftmaxAttrs>>((g, { logits }, { dim }) => softmax(g, logits, dim)),
  TopK: withAttributes<TopKAttrs>((g, { x }, { k }) => topK(g, x, k)),
  Einsum: withAttributes<EinsumAttrs>(einsum),
  BatchMatMul: withAttributes<BatchMatMulAttrs>((g, { a, b }, { transposeA, transposeB }) => {
    // ONNX Runtime multiplies no matrices of integers; as floats they are exact up to 2^24.
    const float = (value: Value) => cast(g, value, 'float32');
    return cast(g, matmul(g, float(a), float(b), transposeA, transposeB), a.type);
  }),
  _FusedMatMul: withAttributes<_FusedMatMulAttrs>((g, inputs, attributes) => {
    const product = matmul(g, inputs.a!, inputs.b!, attributes.transposeA, attributes.transposeB);
    return finish(g, product, inputs, attributes);
  }),
  FusedBatchNorm: withAttributes<FusedBatchNormAttrs>((g, inputs, { varianceEpsilon }) =>
    batchNorm(g, inputs, varianceEpsilon ?? 0.001),
  ),
  Select: (g, { condition, t, e }) => select(g, condition, t, e),
};
