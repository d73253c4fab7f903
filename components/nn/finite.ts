import type { HostTensor } from '../engine/types.ts';
import { type HostTree, leaves } from './tree.ts';

/** The first tensor of a tree that holds NaN or an infinity, in words: `"head/weight" holds NaN`; undefined if none does. */
export function describeNonFinite(tree: unknown): string | undefined {
  for (const { path, leaf } of leaves<HostTensor>(tree as HostTree)) {
    const bad = leaf.dtype === 'float32' ? firstNonFinite(leaf.data) : undefined;
    if (bad !== undefined) return `"${path.join('/')}" holds ${bad}`;
  }
  return undefined;
}

/** The first number of an array that is NaN or infinite. */
export function firstNonFinite(values: ArrayLike<number>): number | undefined {
  // Only of finite numbers is the difference with themselves 0: one subtraction a number.
  for (let i = 0; i < values.length; i++) if (values[i] - values[i] !== 0) return values[i];
  return undefined;
}
