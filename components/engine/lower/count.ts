import type { BincountAttrs, DenseBincountAttrs, SearchSortedAttrs } from '@tensorflow/tfjs-core';
import { binary, cast, where } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { reduce } from '../graph/reduce.ts';
import { reshape } from '../graph/shape.ts';
import type { Value } from '../graph/value.ts';
import { sizeOf } from '../graph/value.ts';
import { addRows, isOutside } from './gather.ts';
import type { Lowerings } from './lowering.ts';
import { withAttributes } from './lowering.ts';

/** How often (or with what weight) each number below `size` occurs in x; numbers out of range are left out. */
function bincount(g: Graph, x: Value, weights: Value, size: number): Value {
  const count = sizeOf(x.shape);
  const shares =
    sizeOf(weights.shape) === 0 ? g.splat(1, weights.type, [count, 1]) : reshape(g, weights, [count, 1]);
  return reshape(g, addRows(g, shares, reshape(g, x, [count]), size), [size]);
}

/** The same for each row of x by itself. `binaryOutput`: whether a number occurs at all. */
function denseBincount(
  g: Graph,
  x: Value,
  weights: Value,
  { size, binaryOutput = false }: DenseBincountAttrs,
): Value {
  // Like tfjs's kernel, which looks at `binaryOutput` for rows only.
  if (x.shape.length === 1) return bincount(g, x, weights, size);
  const [rows] = x.shape as [number];
  const starts = g.constant(
    Int32Array.from({ length: rows }, (_, row) => row * size),
    'int32',
    [rows, 1],
  );
  const places = where(g, isOutside(g, x, size), g.splat(-1, 'int32', []), binary(g, 'Add', x, starts));
  const equal = binaryOutput ? g.splat(0, weights.type, [0]) : weights;
  const counts = reshape(g, bincount(g, places, equal, rows * size), [rows, size]);
  return binaryOutput
    ? cast(g, binary(g, 'Greater', counts, g.splat(0, counts.type, []), 'bool'), weights.type)
    : counts;
}

/** How many elements of each sorted row [rows, n] are below each of the row's values [rows, m]. */
function searchSorted(g: Graph, sorted: Value, values: Value, side: 'left' | 'right'): Value {
  const type = sorted.type === values.type ? sorted.type : 'float32';
  const [rows, length] = sorted.shape as [number, number];
  const wanted = values.shape[1]!;
  const below = binary(
    g,
    side === 'left' ? 'Less' : 'LessOrEqual',
    reshape(g, cast(g, sorted, type), [rows, 1, length]),
    reshape(g, cast(g, values, type), [rows, wanted, 1]),
    'bool',
  );
  return reduce(g, 'ReduceSum', cast(g, below, 'int32'), [2], false);
}

export const countLowerings: Lowerings = {
  Bincount: withAttributes<BincountAttrs>((g, { x, weights }, { size }) => bincount(g, x, weights, size)),
  DenseBincount: withAttributes<DenseBincountAttrs>((g, { x, weights }, attributes) =>
    denseBincount(g, x, weights, attributes),
  ),
  SearchSorted: withAttributes<SearchSortedAttrs>((g, { sortedSequence, values }, { side }) =>
    searchSorted(g, sortedSequence, values, side),
  ),
};
