import type { Graph } from './graph.ts';
import { composed, inverse, keepsOrder, permuted, reshapeFirst } from './layout.ts';
import type { Value } from './value.ts';
import { nodeOf, sameShape, sizeOf, splatOf } from './value.ts';

/** The transpose that made a value: what it was made from, and how. */
export function transposeOf(
  value: Value,
): { readonly source: Value; readonly perm: readonly number[] } | undefined {
  const node = nodeOf(value, 'Transpose');
  const perm = node?.attributes.perm;
  return node && perm && 'ints' in perm ? { source: node.inputs[0]!, perm: perm.ints } : undefined;
}

/** What was expanded to make a value. */
export function expandOf(value: Value): Value | undefined {
  return nodeOf(value, 'Expand')?.inputs[0];
}

export function transpose(g: Graph, x: Value, perm: readonly number[]): Value {
  if (perm.every((axis, index) => axis === index)) return x;
  const shape = permuted(x.shape, perm);
  const splat = splatOf(x);
  if (splat !== undefined) return g.splat(splat, x.type, shape);
  const inner = transposeOf(x);
  if (inner) return transpose(g, inner.source, composed(inner.perm, perm));
  if (keepsOrder(x.shape, perm)) return reshape(g, x, shape);
  return g.emit('Transpose', [x], { type: x.type, shape }, { perm: { ints: perm } });
}

export function reshape(g: Graph, x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  if (x.source.kind === 'splat') return g.splat(x.source.value, x.type, shape);
  if (x.source.kind === 'constant') return g.constant(x.source.data, x.type, shape);
  const inner = nodeOf(x, 'Reshape');
  if (inner) return reshape(g, inner.inputs[0]!, shape);
  const transposed = transposeOf(x);
  const earlier = transposed && reshapeFirst(transposed.source.shape, transposed.perm, shape);
  if (transposed && earlier) return transpose(g, reshape(g, transposed.source, earlier.shape), earlier.perm);
  // allowzero: a length of 0 means 0, not "as before".
  return g.emit('Reshape', [x, g.int64(shape)], { type: x.type, shape }, { allowzero: { int: 1 } });
}

/** A reshape of what lies in memory as its axes say: a transpose before it stays before it. */
export function inThisOrder(g: Graph, x: Value, shape: readonly number[]): Value {
  if (!transposeOf(x)) return reshape(g, x, shape);
  return g.emit('Reshape', [x, g.int64(shape)], { type: x.type, shape }, { allowzero: { int: 1 } });
}

/** Repeats along axes of length 1 (numpy's broadcast). */
export function expand(g: Graph, x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  if (sizeOf(x.shape) === sizeOf(shape)) return reshape(g, x, shape);
  const splat = splatOf(x);
  if (splat !== undefined) return g.splat(splat, x.type, shape);
  const inner = expandOf(x);
  if (inner) return expand(g, inner, shape);
  const transposed = transposeOf(x);
  if (transposed && x.shape.length === shape.length) {
    const { source, perm } = transposed;
    return transpose(g, expand(g, source, permuted(shape, inverse(perm))), perm);
  }
  return g.emit('Expand', [x, g.int64(shape)], { type: x.type, shape });
}

/** One range of a slice: from `start`, every `step`-th, `count` of them; `step` may be negative. */
export interface Range {
  readonly axis: number;
  readonly start: number;
  readonly count: number;
  readonly step: number;
}

export function slice(g: Graph, x: Value, ranges: readonly Range[]): Value {
  const needed = ranges.filter(
    ({ axis, start, count, step }) =>
      !(start === 0 && step === 1 && count === x.shape[axis]) && x.shape[axis] !== 1,
  );
  if (ranges.some(({ count }) => count === 0)) return g.splat(0, x.type, countsOf(x, ranges));
  if (needed.length === 0) return x;
  const shape = countsOf(x, needed);
  const splat = splatOf(x);
  if (splat !== undefined) return g.splat(splat, x.type, shape);
  const transposed = transposeOf(x);
  if (transposed) {
    const { source, perm } = transposed;
    const moved = needed.map((range) => ({ ...range, axis: perm[range.axis]! }));
    return transpose(g, slice(g, source, moved), perm);
  }
  const starts = needed.map(({ start }) => start);
  const ends = needed.map(({ start, count, step }) => {
    const end = start + (count - 1) * step + Math.sign(step);
    // A backward slice that includes index 0 ends before it, where -1 would mean "the last".
    return end < 0 ? -(2 ** 31) : end;
  });
  const inputs = [starts, ends, needed.map(({ axis }) => axis), needed.map(({ step }) => step)];
  return g.emit('Slice', [x, ...inputs.map((values) => g.int64(values))], { type: x.type, shape });
}

function countsOf(x: Value, ranges: readonly Range[]): number[] {
  const shape = [...x.shape];
  for (const { axis, count } of ranges) shape[axis] = count;
  return shape;
}

export function concat(g: Graph, parts: readonly Value[], axis: number): Value {
  const values = parts.filter((part) => part.shape[axis] !== 0 || parts.length === 1);
  const first = values[0] ?? parts[0]!;
  if (values.length <= 1) return first;
  const shape = [...first.shape];
  shape[axis] = values.reduce((sum, part) => sum + part.shape[axis]!, 0);
  const splat = splatOf(first);
  if (splat !== undefined && values.every((part) => Object.is(splatOf(part), splat))) {
    return g.splat(splat, first.type, shape);
  }
  const perm = transposeOf(first)?.perm;
  if (perm && values.every((part) => sameShape(transposeOf(part)?.perm ?? [], perm))) {
    return transpose(
      g,
      concat(
        g,
        values.map((part) => transposeOf(part)!.source),
        perm[axis]!,
      ),
      perm,
    );
  }
  return g.emit('Concat', values, { type: first.type, shape }, { axis: { int: axis } });
}

/** Surrounds with `value`; `paddings` is `[before, after]` for every axis. */
export function pad(g: Graph, x: Value, paddings: readonly (readonly [number, number])[], value = 0): Value {
  if (paddings.every(([before, after]) => before === 0 && after === 0)) return x;
  const shape = x.shape.map((length, axis) => length + paddings[axis]![0] + paddings[axis]![1]);
  if (splatOf(x) === value || sizeOf(x.shape) === 0) return g.splat(value, x.type, shape);
  const transposed = transposeOf(x);
  if (transposed) {
    const { source, perm } = transposed;
    return transpose(g, pad(g, source, permuted(paddings, inverse(perm)), value), perm);
  }
  const widths = g.int64([...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)]);
  return g.emit('Pad', [x, widths, g.splat(value, x.type, [])], { type: x.type, shape });
}

/** Puts a value's axes at the end of `rank` axes, as broadcasting does. */
export function withRank(g: Graph, x: Value, rank: number): Value {
  return reshape(g, x, [...new Array<number>(rank - x.shape.length).fill(1), ...x.shape]);
}
