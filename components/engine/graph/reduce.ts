import { binary } from './elementwise.ts';
import type { Graph } from './graph.ts';
import { concat, reshape, slice, transpose, transposeOf } from './shape.ts';
import type { Value } from './value.ts';
import { sameShape, sizeOf } from './value.ts';

/**
 * `ReduceSum` and the like over `axes`, which disappear from the shape unless `keepDims`. Sums and means of many floats
 * are added in blocks: see `sumInBlocks`.
 */
export function reduce(g: Graph, op: string, x: Value, axes: readonly number[], keepDims: boolean): Value {
  if (keepDims) {
    const shape = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
    if (transposeOf(x) || sameShape(shape, x.shape) || isDelicate(g, op, x, axes))
      return reshape(g, reduce(g, op, x, axes, false), shape);
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
  if (isDelicate(g, op, x, axes)) {
    const sum = reshape(g, sumInBlocks(g, x, axes), shape);
    const count = sizeOf(x.shape) / sizeOf(shape);
    return op === 'ReduceSum' ? sum : binary(g, 'Div', sum, g.splat(count, 'float32', []));
  }
  return g.emit(op, [x, sortedAxes(g, axes)], { type: x.type, shape }, { keepdims: { int: 0 } });
}

/**
 * The most numbers that are added one after the other, so that an equal number of equal ones stays within 3e-6 of its
 * sum. ONNX Runtime adds the numbers of a row in eight lanes, and those of a column in one.
 */
export const longestSum = { row: 1024, column: 256 } as const;

/** Results are the same bytes for up to this many threads. */
export const mostThreads = 4;

/**
 * Whether ONNX Runtime's own sum would lose digits, being long, or depend on the number of threads: the middle axis of
 * a few blocks is added otherwise where there are as many threads as blocks. Integers are exact in any order.
 */
function isDelicate(g: Graph, op: string, x: Value, axes: readonly number[]): boolean {
  const { losesDigits } = g.target;
  if (!losesDigits || x.type !== 'float32' || (op !== 'ReduceSum' && op !== 'ReduceMean')) return false;
  const runs = runsOf(x.shape, axes).filter(({ summed }) => summed);
  const count = runs.reduce((product, { length }) => product * length, 1);
  if (runs.length > 1) return count > longestSum.column;
  return runs.some(
    (run) => count > (run.inner === 1 ? longestSum.row : longestSum.column) || isSplit(g, run),
  );
}

const isSplit = (g: Graph, { outer, inner }: Omit<Run, 'summed'>) =>
  g.target.variesWithThreads && inner > 1 && outer > 1 && outer <= mostThreads;

interface Run {
  /** Elements of the axes before, of the run itself, and of those after. */
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  readonly summed: boolean;
}

/** Neighbouring axes that are all summed, or all kept, as one. */
function runsOf(shape: readonly number[], axes: readonly number[]): Run[] {
  const runs: Run[] = [];
  for (const [axis, length] of shape.entries()) {
    if (length === 1) continue;
    const summed = axes.includes(axis);
    const before = runs.at(-1);
    const inner = sizeOf(shape.slice(axis + 1));
    if (before?.summed === summed) {
      runs[runs.length - 1] = { ...before, length: before.length * length, inner };
    } else runs.push({ outer: sizeOf(shape.slice(0, axis)), length, inner, summed });
  }
  return runs;
}

/**
 * The sum over `axes`, of blocks first and of the blocks' sums then: ONNX Runtime adds number by number, whose error
 * grows with their count (a column of 65,536 times 0.1 is off by 6e-4, two million in a row by 3e-3). Blocks of a column
 * are also summed 2 to 15 times as fast, on several threads.
 */
function sumInBlocks(g: Graph, x: Value, axes: readonly number[]): Value {
  // From the inside, so that what is summed already has no part in the inner lengths of the runs before.
  const runs = runsOf(x.shape, axes).reverse();
  let value = x;
  let gone = 1;
  for (const { outer, length, inner, summed } of runs) {
    if (!summed) continue;
    value = sumAlong(g, value, { outer, length, inner: inner / gone });
    gone *= length;
  }
  return value;
}

/** x, seen as [outer, length, inner], summed to [outer, inner]. */
function sumAlong(g: Graph, x: Value, { outer, length, inner }: Omit<Run, 'summed'>): Value {
  const most = inner === 1 ? longestSum.row : longestSum.column;
  const sumOf = (value: Value, count: number, axis: number) => {
    const shape = value.shape.toSpliced(axis, 1);
    const sum = g.emit(
      'ReduceSum',
      [value, g.int64([axis])],
      { type: 'float32', shape },
      { keepdims: { int: 0 } },
    );
    return reshape(g, sum, [count, inner]);
  };
  if (length <= most && isSplit(g, { outer, length, inner })) {
    const whole = reshape(g, x, [outer, length, inner]);
    const parts = Array.from({ length: outer }, (_, start) => {
      const part = slice(g, whole, [{ axis: 0, start, count: 1, step: 1 }]);
      return sumAlong(g, part, { outer: 1, length, inner });
    });
    return concat(g, parts, 0);
  }
  if (length <= most) {
    // As few axes as there can be: ONNX Runtime has its fastest kernels for those.
    const shape = [outer, length, inner].filter((each, axis) => axis === 1 || each > 1);
    return sumOf(reshape(g, x, shape), outer, outer > 1 ? 1 : 0);
  }
  // More of them than threads: see `isDelicate`.
  const block = blockOf(
    length,
    inner === 1 ? most : Math.min(most, Math.floor((outer * length) / (mostThreads + 1))),
  );
  if (block !== undefined) {
    const blocks = length / block;
    const shape = inner === 1 ? [outer * blocks, block] : [outer * blocks, block, inner];
    const sums = sumOf(reshape(g, x, shape), outer * blocks, 1);
    return sumAlong(g, sums, { outer, length: blocks, inner });
  }
  // No length of a block divides it: the rest by itself.
  const whole = reshape(g, x, [outer, length, inner]);
  const even = length - (length % most);
  const part = (start: number, count: number) =>
    sumAlong(g, slice(g, whole, [{ axis: 1, start, count, step: 1 }]), { outer, length: count, inner });
  return binary(g, 'Add', part(0, even), part(even, length - even));
}

/** The largest length up to `most` that divides `length`; shorter blocks than 16 are not worth a pass. */
function blockOf(length: number, most: number): number | undefined {
  for (let block = most; block >= 16; block--) if (length % block === 0) return block;
  return undefined;
}

function sortedAxes(g: Graph, axes: readonly number[]): Value {
  return g.int64([...axes].sort((a, b) => a - b));
}
