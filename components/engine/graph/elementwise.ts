import { foldBinary, foldCast, foldUnary } from './fold.ts';
import type { Graph } from './graph.ts';
import { inverse } from './layout.ts';
import { expand, expandOf, reshape, transpose, transposeOf, withRank } from './shape.ts';
import type { Attributes, ElementType, Value } from './value.ts';
import { broadcastShapes, nodeOf, sameShape, sizeOf, splatOf } from './value.ts';

/** An ONNX operator that works on each element by itself. */
export function unary(g: Graph, op: string, x: Value, type = x.type, attributes: Attributes = {}): Value {
  return eachElement(g, x, (inner) => {
    const splat = splatOf(inner);
    const folded = splat === undefined ? undefined : foldUnary(op, splat, inner.type);
    if (folded !== undefined) return g.splat(folded, type, inner.shape);
    return g.emit(op, [inner], { type, shape: inner.shape }, attributes);
  });
}

/**
 * The natural logarithm, written as the logarithm of a sum of one number: ONNX Runtime's `Log` rounds the last few
 * numbers of each thread's share otherwise than the rest, so its result depends on the number of threads.
 */
export function log(g: Graph, x: Value): Value {
  return eachElement(g, x, (inner) => {
    const { type, shape } = inner;
    const splat = splatOf(inner);
    const folded = splat === undefined ? undefined : foldUnary('Log', splat, type);
    if (folded !== undefined) return g.splat(folded, type, shape);
    if (!g.target.variesWithThreads) return g.emit('Log', [inner], { type, shape });
    const terms = reshape(g, inner, [...shape, 1]);
    const axes = g.int64([shape.length]);
    return g.emit('ReduceLogSum', [terms, axes], { type, shape }, { keepdims: { int: 0 } });
  });
}

/** Elementwise work is done before repeating and before transposing. */
export function eachElement(g: Graph, x: Value, work: (inner: Value) => Value): Value {
  const repeated = expandOf(x);
  if (repeated) return expand(g, eachElement(g, repeated, work), x.shape);
  const transposed = transposeOf(x);
  if (transposed) return transpose(g, eachElement(g, transposed.source, work), transposed.perm);
  return work(x);
}

export function cast(g: Graph, x: Value, type: ElementType): Value {
  if (x.type === type) return x;
  // Bytes that a step has as int32 become float32 in one pass over memory.
  const bytes = nodeOf(x, 'Cast')?.inputs[0];
  if (bytes?.type === 'uint8' && type === 'float32') return cast(g, bytes, type);
  return eachElement(g, x, (inner) => {
    const splat = splatOf(inner);
    if (splat !== undefined) return g.splat(foldCast(splat, type), type, inner.shape);
    return g.emit('Cast', [inner], { type, shape: inner.shape }, { to: { int: onnxTypes[type] } });
  });
}

/** ONNX's numbers of the element types (`TensorProto.DataType`). */
export const onnxTypes = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, uint64: 13 } as const;

/** An ONNX operator on two values of one type that are broadcast together. `type` is that of the result. */
export function binary(g: Graph, op: string, a: Value, b: Value, type = a.type): Value {
  const shape = broadcastShapes(a.shape, b.shape);
  const simple = simplified(g, op, a, b);
  if (simple) return expand(g, simple, shape);
  const small = [shrunk(g, a), shrunk(g, b)] as const;
  const left = splatOf(small[0]);
  const right = splatOf(small[1]);
  if (left !== undefined && right !== undefined) {
    const folded = foldBinary(op, left, right, a.type);
    if (folded !== undefined) return g.splat(folded, type, shape);
  }
  return expand(g, inOneLayout(g, op, small[0], small[1], type), shape);
}

/** The value before it was repeated: the operator repeats by itself. */
function shrunk(g: Graph, x: Value): Value {
  const splat = splatOf(x);
  if (splat !== undefined) return g.splat(splat, x.type, []);
  return expandOf(x) ?? x;
}

function inOneLayout(g: Graph, op: string, a: Value, b: Value, type: ElementType): Value {
  const shape = broadcastShapes(a.shape, b.shape);
  const perm = leadingPerm([a, b], shape);
  if (perm) {
    const left = undoTranspose(g, a, perm, shape);
    const right = undoTranspose(g, b, perm, shape);
    if (left && right) return transpose(g, binary(g, op, left, right, type), perm);
  }
  return g.emit(op, [a, b], { type, shape });
}

/** How a transposed operand of the full shape was transposed: the others, being repeated, can follow it. */
function leadingPerm(parts: readonly Value[], shape: readonly number[]): readonly number[] | undefined {
  const leader = parts.find((part) => transposeOf(part) && sameShape(part.shape, shape));
  return leader && transposeOf(leader)?.perm;
}

/** `y` such that `transpose(y, perm)` is x (up to broadcasting); undefined if that would cost a pass over memory. */
function undoTranspose(
  g: Graph,
  x: Value,
  perm: readonly number[],
  shape: readonly number[],
): Value | undefined {
  if (sizeOf(x.shape) === 1) return reshape(g, x, []);
  const transposed = transposeOf(x);
  if (transposed && sameShape(transposed.perm, perm)) return transposed.source;
  const aligned = withRank(g, x, shape.length);
  const longAxes = aligned.shape.filter((length) => length > 1).length;
  if (longAxes > 1 && sizeOf(x.shape) * 8 > sizeOf(shape)) return undefined;
  return transpose(g, aligned, inverse(perm));
}

/** Operations that change nothing, and chains of factors. */
function simplified(g: Graph, op: string, a: Value, b: Value): Value | undefined {
  const left = splatOf(a);
  const right = splatOf(b);
  if (op === 'Add' && left === 0) return b;
  if ((op === 'Add' || op === 'Sub') && right === 0) return a;
  if (op === 'Mul' && left === 1) return b;
  if ((op === 'Mul' || op === 'Div') && right === 1) return a;
  if (op === 'Mul' && a.type === 'float32') {
    if (right !== undefined) return scaled(g, a, right);
    if (left !== undefined) return scaled(g, b, left);
  }
  return undefined;
}

/** `(x * c) * factor` as `x * (c * factor)`, where the two differ by rounding only. */
function scaled(g: Graph, x: Value, factor: number): Value | undefined {
  const product = nodeOf(x, 'Mul');
  if (!product) return undefined;
  for (const [one, other] of [product.inputs, [...product.inputs].reverse()] as [Value, Value][]) {
    const known = splatOf(other);
    if (known !== undefined && sizeOf(other.shape) === 1 && canMerge(known, factor)) {
      return binary(g, 'Mul', one, g.splat(Math.fround(known * factor), 'float32', []));
    }
  }
  return undefined;
}

/**
 * Two factors that both enlarge or both shrink: then `x * a` leaves float32's range only where `x * a * b` does. A product
 * of them that float32 can't hold would be infinite or 0 for every x.
 */
function canMerge(a: number, b: number): boolean {
  const [one, other] = [Math.abs(a), Math.abs(b)];
  const product = Math.fround(one * other);
  if (one >= 1 && other >= 1) return product < Number.POSITIVE_INFINITY;
  return one <= 1 && other <= 1 && product >= smallestNormal;
}

/** Of float32. Smaller numbers count as 0 (`session.set_denormal_as_zero`). */
const smallestNormal = 2 ** -126;

/** `condition ? a : b`, broadcast together; `condition` is bool, the others of one type. */
export function where(g: Graph, condition: Value, a: Value, b: Value): Value {
  const parts = [condition, a, b];
  const shape = parts.map((part) => part.shape).reduce(broadcastShapes);
  if (a.type === 'bool') {
    // ONNX Runtime has no Where of bools.
    const chosen = where(g, condition, cast(g, a, 'int32'), cast(g, b, 'int32'));
    return cast(g, chosen, 'bool');
  }
  const small = parts.map((part) => shrunk(g, part));
  const smallShape = small.map((part) => part.shape).reduce(broadcastShapes);
  const perm = leadingPerm(small, smallShape);
  if (perm) {
    const undone = small.map((part) => undoTranspose(g, part, perm, smallShape));
    const [c, left, right] = undone;
    if (c && left && right) return expand(g, transpose(g, where(g, c, left, right), perm), shape);
  }
  return expand(g, g.emit('Where', small, { type: a.type, shape: smallShape }), shape);
}
