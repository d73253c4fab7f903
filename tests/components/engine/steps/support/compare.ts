import { sampledEntries } from './fixture.ts';
import type { Tensors } from './train.ts';

export interface Difference {
  readonly path: string;
  readonly distance: number;
}

/** How far two lists of numbers of the same length are from each other. */
export type Distance = (actual: readonly number[], expected: readonly number[], path: string) => number;

/** The largest difference, relative to the largest number expected. */
export const largest: Distance = (actual, expected) =>
  ratio(most(expected.map((value, i) => Math.abs(value - actual[i]))), most(expected.map(Math.abs)));

/** NaN if one of them is; a list may be too long for arguments. */
const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), 0);

/**
 * Length of the difference, relative to that of what training changed since `first`. For parameters: where a gradient
 * is nothing but rounding, Adam makes a step of any size of it, so the largest difference says little.
 */
export function ofChange(first: Tensors): Distance {
  return (actual, expected, path) => {
    const { data } = first[path];
    const entries =
      expected.length === data.length ? data.keys() : sampledEntries(data.length, expected.length);
    const before = Array.from(entries, (entry) => data[entry]);
    return ratio(
      Math.hypot(...expected.map((value, i) => value - actual[i])),
      Math.hypot(...expected.map((value, i) => value - before[i])),
    );
  };
}

/** A NaN mustn't pass for 0. */
function ratio(gap: number, scale: number): number {
  if (!Number.isFinite(gap)) return Number.POSITIVE_INFINITY;
  return scale === 0 ? gap : gap / scale;
}

/** How far tensors are from others of the same names: infinitely where the shapes differ. */
export function differences(actual: Tensors, expected: Tensors, distance: Distance): Difference[] {
  return Object.entries(expected).map(([path, { shape, data }]) => {
    const given = actual[path];
    if (given?.shape.join() !== shape.join()) return { path, distance: Number.POSITIVE_INFINITY };
    return { path, distance: distance(Array.from(given.data), Array.from(data), path) };
  });
}

/** The entries of tensors that a fixture holds, without their shapes where it holds none. */
export function sampled(tensors: Tensors, like: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([path, tensor]) => {
      const { dtype, data } = tensor;
      if (like[path]?.shape.join() === tensor.shape.join()) return [path, tensor];
      const entries = sampledEntries(data.length, like[path]?.data.length);
      return [
        path,
        { dtype, shape: [entries.length], data: Float32Array.from(entries, (entry) => data[entry]) },
      ];
    }),
  );
}

export function furthest(all: readonly Difference[]): Difference {
  return all.reduce((worst, each) => (each.distance > worst.distance ? each : worst));
}
