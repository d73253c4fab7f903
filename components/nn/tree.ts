import type { HostTensor, Tree } from '../engine/types.ts';

/** Trees whose leaves are T: parameters by name, nested as the model is. */
export type TreeOf<T> = T | { readonly [name: string]: TreeOf<T> };

/** Parameters of a model in host memory, before an engine has them. */
export type HostTree = TreeOf<HostTensor>;

/** A leaf is a tensor of either kind: both have a shape and a dtype. A branch may have children of these names. */
function isLeaf<T>(tree: TreeOf<T>): tree is T {
  const { shape, dtype } = tree as { readonly shape?: unknown; readonly dtype?: unknown };
  return Array.isArray(shape) && typeof dtype === 'string';
}

/** Every leaf with its path, depth first in the order of the keys. */
export function leaves<T>(
  tree: TreeOf<T>,
  path: readonly string[] = [],
): { path: readonly string[]; leaf: T }[] {
  if (isLeaf(tree)) return [{ path, leaf: tree }];
  const nodes = tree as { readonly [name: string]: TreeOf<T> };
  return Object.keys(nodes).flatMap((name) => leaves(nodes[name], [...path, name]));
}

/** The tree of the same form whose leaves are `change(leaf, path)`. */
export function mapTree<T, U>(
  tree: TreeOf<T>,
  change: (leaf: T, path: readonly string[]) => U,
  path: readonly string[] = [],
): TreeOf<U> {
  if (isLeaf(tree)) return change(tree, path);
  const nodes = tree as { readonly [name: string]: TreeOf<T> };
  return Object.fromEntries(
    Object.keys(nodes).map((name) => [name, mapTree(nodes[name], change, [...path, name])]),
  );
}

/** Puts new leaves, in the order of `leaves`, into the form of `tree`. */
export function refill<S extends Tree, U>(tree: S, values: readonly U[]): TreeOf<U> {
  let next = 0;
  return mapTree<unknown, U>(tree as TreeOf<unknown>, () => values[next++]);
}

/** A tensor in the host's memory: zeros, float32, unless values are given, whose array says the type. */
export function hostTensor(
  shape: readonly number[],
  data?: Float32Array | Int32Array | Uint8Array,
): HostTensor {
  const values = data ?? new Float32Array(shape.reduce((size, n) => size * n, 1));
  const dtype = values instanceof Float32Array ? 'float32' : values instanceof Int32Array ? 'int32' : 'bool';
  return { dtype, shape, data: values };
}

/** Pictures for a batch, one byte a channel: a step makes numbers of them with `unit`. */
export function bytesTensor(shape: readonly number[], data: Uint8Array): HostTensor {
  return { dtype: 'uint8', shape, data };
}

/** A float32 scalar for a batch: learning rate, temperature, ... */
export function hostScalar(value: number): HostTensor {
  return hostTensor([], Float32Array.of(value));
}

/** The same tree filled with zeros: the moments of an optimiser before its first step. */
export function zerosLike<S extends HostTree>(tree: S): S {
  return mapTree<HostTensor, HostTensor>(tree, (leaf) => hostTensor(leaf.shape)) as S;
}
