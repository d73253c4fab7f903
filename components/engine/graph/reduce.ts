import type { Graph } from './graph.ts';
import { reshape, transpose, transposeOf } from './shape.ts';
import type { Value } from './value.ts';

/** `ReduceSum` and the like over `axes`, which disappear from the shape unless `keepDims`. */
export function reduce(g: Graph, op: string, x: Value, axes: readonly number[], keepDims: boolean): Value {
  if (keepDims) {
    const shape = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
    return reshape(g, reduce(g, op, x, axes, false), shape);
  }
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const shape = kept.map((axis) => x.shape[axis]!);
  if (axes.every((axis) => x.shape[axis] === 1)) return reshape(g, x, shape);
  const transposed = transposeOf(x);
  if (transposed) {
    const { source, perm } = transposed;
    const inSource = kept.map((axis) => perm[axis]!);
    const sorted = [...inSource].sort((a, b) => a - b);
    const reduced = reduce(
      g,
      op,
      source,
      axes.map((axis) => perm[axis]!),
      false,
    );
    return transpose(
      g,
      reduced,
      inSource.map((axis) => sorted.indexOf(axis)),
    );
  }
  const sorted = [...axes].sort((a, b) => a - b);
  return g.emit(op, [x, g.int64(sorted)], { type: x.type, shape }, { keepdims: { int: 0 } });
}
