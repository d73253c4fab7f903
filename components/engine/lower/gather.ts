import type { GatherV2Attrs, OneHotAttrs, UnsortedSegmentSumAttrs } from '@tensorflow/tfjs-core';
import { binary, cast, where } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { gemm } from '../graph/matmul.ts';
import { longestSum, reduce } from '../graph/reduce.ts';
import { expand, reshape, slice, transpose, transposeOf } from '../graph/shape.ts';
import type { ElementType, Value } from '../graph/value.ts';
import { nodeOf, sizeOf } from '../graph/value.ts';
import type { Lowerings } from './lowering.ts';
import { axesOf, withAttributes } from './lowering.ts';

/** Picks along one axis; `indices` has any rank and its axes take that axis' place. */
export function gatherAxis(g: Graph, x: Value, indices: Value, axis: number): Value {
  const bytes = bytesOf(g, x);
  if (bytes) return cast(g, gatherAxis(g, bytes, indices, axis), x.type);
  const transposed = transposeOf(x);
  if (transposed && indices.shape.length === 1) {
    return transpose(g, gatherAxis(g, transposed.source, indices, transposed.perm[axis]!), transposed.perm);
  }
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  return g.emit('Gather', [x, indices], { type: x.type, shape }, { axis: { int: axis } });
}

/** The bytes of a batch that a step has as int32, a quarter as large: they are picked from first. */
function bytesOf(g: Graph, x: Value): Value | undefined {
  const bytes = nodeOf(x, 'Cast')?.inputs[0];
  if (bytes) return bytes.type === 'uint8' ? bytes : undefined;
  const before = nodeOf(x, 'Reshape')?.inputs[0];
  const inner = before && bytesOf(g, before);
  return inner && reshape(g, inner, x.shape);
}

/** With `batchDims` the first axes of x and indices go together: index into their merged axis instead. */
function gather(g: Graph, x: Value, indices: Value, axis: number, batchDims: number): Value {
  if (batchDims === 0) return gatherAxis(g, x, indices, axis);
  const batch = x.shape.slice(0, batchDims);
  const outer = x.shape.slice(batchDims, axis);
  const inner = x.shape.slice(axis + 1);
  const length = x.shape[axis]!;
  const picked = indices.shape.slice(batchDims);
  const [items, outerSize, innerSize, pickedSize] = [batch, outer, inner, picked].map(sizeOf) as [
    number,
    number,
    number,
    number,
  ];
  // [batch, outer, axis, inner] -> [batch * axis, outer * inner]
  const apart = reshape(g, x, [items, outerSize, length, innerSize]);
  const rows = reshape(g, transpose(g, apart, [0, 2, 1, 3]), [items * length, outerSize * innerSize]);
  const offsets = g.constant(
    Int32Array.from({ length: items }, (_, item) => item * length),
    'int32',
    [items, 1],
  );
  const flat = reshape(g, binary(g, 'Add', reshape(g, indices, [items, pickedSize]), offsets), [
    items * pickedSize,
  ]);
  const taken = reshape(g, gatherAxis(g, rows, flat, 0), [items, pickedSize, outerSize, innerSize]);
  return reshape(g, transpose(g, taken, [0, 2, 1, 3]), [...batch, ...outer, ...picked, ...inner]);
}

/** Indices outside 0..depth-1 give a row of `off`; ONNX would count negative ones from the end. */
export function oneHot(g: Graph, indices: Value, depth: number, on: number, off: number): Value {
  const negative = binary(g, 'Less', indices, g.splat(0, 'int32', []), 'bool');
  const valid = where(g, negative, g.splat(depth, 'int32', []), indices);
  const values = g.constant(Float32Array.of(off, on), 'float32', [2]);
  const type = { type: 'float32', shape: [...indices.shape, depth] } as const;
  return g.emit('OneHot', [valid, g.constant(Int32Array.of(depth), 'int32', [1]), values], type, {
    axis: { int: -1 },
  });
}

/** Up to here a matrix product is quicker than adding row by row. */
const mostSegmentsByProduct = 512;

/** Sums the rows of `x` [n, width] by segment; ids outside 0..count-1 are left out. */
function segmentSum(g: Graph, x: Value, ids: Value, count: number): Value {
  if (count > mostSegmentsByProduct) return addRows(g, x, ids, count);
  return gemm(g, { value: oneHot(g, ids, count, 1, 0), transposed: true }, { value: x, transposed: false });
}

/** Which of the integers are no index below `count`. */
export function isOutside(g: Graph, ids: Value, count: number): Value {
  const below = binary(g, 'Less', ids, g.splat(0, 'int32', []), 'bool');
  const above = binary(g, 'GreaterOrEqual', ids, g.splat(count, 'int32', []), 'bool');
  return binary(g, 'Or', below, above);
}

/**
 * The same sums without a product: of any type, and NaN stays in its segment. Where many rows of floats can meet in a
 * segment, each block of rows has segments of its own, which are summed then: one after the other, 262,144 times 0.1
 * is off by 2.5e-3.
 */
export function addRows(g: Graph, x: Value, ids: Value, count: number): Value {
  const [rows, width] = x.shape as [number, number];
  if (count * width === 0) return g.splat(0, x.type, [count, width]);
  const outside = isOutside(g, ids, count);
  const nowhere = (place: number) => g.splat(place, 'int32', []);
  if (x.type !== 'float32' || rows <= longestSum.row || count > longestSum.row) {
    return scatterRows(g, x, where(g, outside, nowhere(count), ids), count);
  }
  const block = longestSum.column;
  const blocks = Math.ceil(rows / block);
  const starts = Int32Array.from({ length: rows }, (_, row) => Math.floor(row / block) * count);
  const own = binary(g, 'Add', ids, g.constant(starts, 'int32', [rows]));
  const sums = scatterRows(g, x, where(g, outside, nowhere(blocks * count), own), blocks * count);
  return reduce(g, 'ReduceSum', reshape(g, sums, [blocks, count, width]), [0], false);
}

/**
 * Adds the rows in their order; the id `count` belongs nowhere. Element by element in one dimension, which ONNX Runtime
 * does five times as fast as in two; its ScatterND, faster still, loses sums on several threads.
 */
function scatterRows(g: Graph, x: Value, ids: Value, count: number): Value {
  const [rows, width] = x.shape as [number, number];
  // One row more takes what belongs nowhere.
  const size = (count + 1) * width;
  const zero = (shape: readonly number[]) => g.splat(0, x.type, shape);
  if (g.target.isTensorflow) {
    const type = { type: x.type, shape: [count + 1, width] };
    const inputs = [zero(type.shape), reshape(g, ids, [rows, 1]), x];
    const added = g.emit('TensorScatterAdd', inputs, type, {}, 'tensorflow');
    return slice(g, added, [{ axis: 0, start: 0, count, step: 1 }]);
  }
  const flat = size < 2 ** 31;
  const starts = reshape(g, ids, [rows, 1]);
  const places = flat ? elements(g, starts, width) : expand(g, starts, [rows, width]);
  const shape = flat ? [size] : [count + 1, width];
  const added = flat ? reshape(g, x, [rows * width]) : x;
  const attributes = { axis: { int: 0 }, reduction: { text: 'add' } };
  const sums = g.emit('ScatterElements', [zero(shape), places, added], { type: x.type, shape }, attributes);
  const all = reshape(g, sums, [count + 1, width]);
  return slice(g, all, [{ axis: 0, start: 0, count, step: 1 }]);
}

/** Where the elements of these rows [n, 1] lie in a table of rows of this width: [n * width]. */
function elements(g: Graph, rows: Value, width: number): Value {
  const columns = g.constant(
    Int32Array.from({ length: width }, (_, column) => column),
    'int32',
    [1, width],
  );
  const starts = binary(g, 'Mul', rows, g.splat(width, 'int32', []));
  return reshape(g, binary(g, 'Add', starts, columns), [rows.shape[0]! * width]);
}

/** tfjs's kernel makes floats of integers. */
function unsortedSegmentSum(g: Graph, given: Value, ids: Value, count: number): Value {
  const x = cast(g, given, 'float32');
  const rows = sizeOf(ids.shape);
  const rest = x.shape.slice(ids.shape.length);
  const flat = reshape(g, x, [rows, sizeOf(rest)]);
  return reshape(g, segmentSum(g, flat, reshape(g, ids, [rows]), count), [count, ...rest]);
}

/** Index vectors in the last axis as positions in the flattened leading axes of `shape`. */
export function flatIndices(g: Graph, indices: Value, shape: readonly number[]): Value {
  const depth = indices.shape.at(-1)!;
  const strides = Int32Array.from({ length: depth }, (_, axis) => sizeOf(shape.slice(axis + 1, depth)));
  const products = binary(g, 'Mul', indices, g.constant(strides, 'int32', [depth]));
  return reduce(g, 'ReduceSum', products, [indices.shape.length - 1], false);
}

function gatherNd(g: Graph, params: Value, indices: Value): Value {
  const depth = indices.shape.at(-1)!;
  const rest = params.shape.slice(depth);
  const rows = reshape(g, params, [sizeOf(params.shape.slice(0, depth)), ...rest]);
  return gatherAxis(g, rows, flatIndices(g, indices, params.shape), 0);
}

export const gatherLowerings: Lowerings = {
  GatherV2: withAttributes<GatherV2Attrs>((g, { x, indices }, { axis, batchDims }) =>
    gather(g, x, cast(g, indices, 'int32'), axesOf(axis, x.shape.length)[0]!, batchDims ?? 0),
  ),
  GatherNd: (g, { params, indices }) => gatherNd(g, params, indices),
  UnsortedSegmentSum: withAttributes<UnsortedSegmentSumAttrs>((g, { x, segmentIds }, { numSegments }) =>
    unsortedSegmentSum(g, x, cast(g, segmentIds, 'int32'), numSegments),
  ),
  OneHot: withAttributes<OneHotAttrs>((g, { indices }, { depth, onValue, offValue, dtype }) =>
    cast(g, oneHot(g, indices, depth, onValue, offValue), (dtype ?? 'int32') as ElementType),
  ),
};
