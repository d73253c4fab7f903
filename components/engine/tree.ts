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

export function isHostTensor(node: unknown): node is HostTensor {
  return (
    isRecord(node) &&
    Array.isArray(node.shape) &&
    ArrayBuffer.isView(node.data) &&
    typeof node.dtype === 'string'
  );
}

export function isSpec(node: unknown): node is TensorSpec {
  return isRecord(node) && Array.isArray(node.shape);
}

function isRecord(node: unknown): node is Record<string, unknown> {
  return typeof node === 'object' && node !== null;
}
