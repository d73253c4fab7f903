import type { Tensor } from '@tensorflow/tfjs-core';
import { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import type { HostTensor, TensorSpec } from './types.ts';
import { EngineError } from './types.ts';

/** A tree whose leaves are of type `L`: names lead to subtrees. A single leaf is a tree too. */
export type TreeOf<L> = L | { readonly [name: string]: TreeOf<L> };

/** Leaves by path, such as `blocks/0/weight`; the path of a lone leaf is empty. */
export type Leaves<L> = ReadonlyMap<string, L>;

/** The same tree with every leaf replaced. */
export function mapTree<L, M>(
  tree: TreeOf<L>,
  isLeaf: (node: unknown) => node is L,
  replace: (leaf: L, path: string) => M,
  path = '',
): TreeOf<M> {
  if (isLeaf(tree)) return replace(tree, path);
  if (typeof tree !== 'object' || tree === null) {
    throw new EngineError(`expected a tensor or an object of tensors at '${path}', got ${String(tree)}`);
  }
  const entries = Object.entries(tree as { readonly [name: string]: TreeOf<L> });
  return Object.fromEntries(
    entries.map(([name, child]) => [
      name,
      mapTree(child, isLeaf, replace, path === '' ? name : `${path}/${name}`),
    ]),
  );
}

export function leavesOf<L>(tree: TreeOf<L>, isLeaf: (node: unknown) => node is L): Leaves<L> {
  const leaves = new Map<string, L>();
  mapTree(tree, isLeaf, (leaf, path) => {
    if (leaves.has(path)) throw new EngineError(`two tensors have the path '${path}': a name contains '/'`);
    leaves.set(path, leaf);
    return leaf;
  });
  return leaves;
}

/** True for what is meant to be a tensor; whether it is a good one, `hostLeaves` says. */
export function isHostTensor(node: unknown): node is HostTensor {
  return isRecord(node) && 'dtype' in node && 'shape' in node && 'data' in node;
}

export function isSpec(node: unknown): node is TensorSpec {
  return isRecord(node) && 'shape' in node && (Array.isArray(node.shape) || !isRecord(node.shape));
}

export function isTensor(node: unknown): node is Tensor {
  return node instanceof TfTensor;
}

/** The same tree with every leaf paired with that of `other`, which must have the same form. */
export function zipTrees<L, M, N>(
  tree: TreeOf<L>,
  other: TreeOf<M>,
  isLeaf: (node: unknown) => node is L | M,
  combine: (leaf: L, other: M, path: string) => N,
): TreeOf<N> {
  const others = leavesOf(other, isLeaf as (node: unknown) => node is M);
  const leaves = leavesOf(tree, isLeaf as (node: unknown) => node is L);
  for (const path of [...leaves.keys(), ...others.keys()]) {
    if (!leaves.has(path) || !others.has(path))
      throw new EngineError(`two trees differ in form: only one of them has '${path}'`);
  }
  return mapTree(tree, isLeaf as (node: unknown) => node is L, (leaf, path) =>
    combine(leaf, others.get(path)!, path),
  );
}

function isRecord(node: unknown): node is Record<string, unknown> {
  return typeof node === 'object' && node !== null;
}
