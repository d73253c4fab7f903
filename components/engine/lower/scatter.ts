import type { ScatterNdAttrs, SparseToDenseAttrs } from '@tensorflow/tfjs-core';
import { binary, where } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { expand, reshape } from '../graph/shape.ts';
import type { Value } from '../graph/value.ts';
import { sizeOf } from '../graph/value.ts';
import { addRows, flatIndices, gatherAxis } from './gather.ts';
import type { Lowerings } from './lowering.ts';
import { withAttributes } from './lowering.ts';

/** Index vectors [n, depth] into the leading axes of `shape`: as positions, and what they address. */
interface Places {
  readonly ids: Value;
  /** How many places there are, and how many elements each has. */
  readonly count: number;
  readonly width: number;
}

function placesOf(g: Graph, indices: Value, shape: readonly number[]): Places {
  // A list of numbers is a list of indices into the first axis.
  const vectors = indices.shape.length > 1 ? indices : reshape(g, indices, [sizeOf(indices.shape), 1]);
  const depth = vectors.shape.at(-1)!;
  const ids = flatIndices(g, vectors, shape);
  return {
    ids: reshape(g, ids, [sizeOf(ids.shape)]),
    count: sizeOf(shape.slice(0, depth)),
    width: sizeOf(shape.slice(depth)),
  };
}

function scatterNd(g: Graph, indices: Value, updates: Value, shape: readonly number[]): Value {
  const { ids, count, width } = placesOf(g, indices, shape);
  return reshape(g, addRows(g, reshape(g, updates, [sizeOf(ids.shape), width]), ids, count), shape);
}

/**
 * `base` with `updates` at the indices. Where indices meet the last one wins, as in tfjs; ONNX leaves open which, so the
 * winner's number is found first.
 */
function assign(g: Graph, base: Value, indices: Value, updates: Value): Value {
  const { ids, count, width } = placesOf(g, indices, base.shape);
  const rows = sizeOf(ids.shape);
  const none = g.splat(-1, 'int32', [count]);
  const order = g.constant(
    Int32Array.from({ length: rows }, (_, row) => row),
    'int32',
    [rows],
  );
  const attributes = { axis: { int: 0 }, reduction: { text: 'max' } };
  const winners = g.emit(
    'ScatterElements',
    [none, ids, order],
    { type: 'int32', shape: [count] },
    attributes,
  );
  const found = binary(g, 'GreaterOrEqual', winners, g.splat(0, 'int32', []), 'bool');
  const row = binary(g, 'Max', winners, g.splat(0, 'int32', []));
  const taken = gatherAxis(g, expand(g, asRows(g, updates, rows), [rows, width]), row, 0);
  const chosen = where(g, reshape(g, found, [count, 1]), taken, reshape(g, base, [count, width]));
  return reshape(g, chosen, base.shape);
}

/** One number may serve all places. */
function asRows(g: Graph, updates: Value, rows: number): Value {
  if (updates.shape.length === 0) return reshape(g, updates, [1, 1]);
  return reshape(g, updates, [rows, sizeOf(updates.shape) / rows]);
}

export const scatterLowerings: Lowerings = {
  ScatterNd: withAttributes<ScatterNdAttrs>((g, { indices, updates }, { shape }) =>
    scatterNd(g, indices, updates, shape),
  ),
  TensorScatterUpdate: (g, { tensor, indices, updates }) => assign(g, tensor, indices, updates),
  SparseToDense: withAttributes<SparseToDenseAttrs>(
    (g, { sparseIndices, sparseValues, defaultValue }, { outputShape }) =>
      assign(g, expand(g, defaultValue, outputShape), sparseIndices, sparseValues),
  ),
};
