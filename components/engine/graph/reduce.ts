import type { Graph } from './graph.ts';
import { reshape, transpose, transposeOf } from './shape.ts';
import type { Value } from './value.ts';
import { sameShape } from './value.ts';

/** `ReduceSum` and the like over `axes`, which disappear from the shape unless `keepDims`. */
export function reduce(g: Graph, op: string, x: Value, axes: readonly number[], keepDims: boolean): Value {
  if (keepDims) {
    const shape = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
    if (transposeOf(x) || sameShape(shape, x.shape)) return reshape(g, reduce(g, op, x, axes, false), shape);
    return g.emit(op, [x, sortedAxes(g, axes)], { type: x.type, shape }, { keepdims: { int: 1 } });
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
  return g.emit(op, [x, sortedAxes(g, axes)], { type: x.type, shape }, { keepdims: { int: 0 } });
}

function sortedAxes(g: Graph, axes: readonly number[]): Value {
  return g.int64([...axes].sort((a, b) => a - b));
}
