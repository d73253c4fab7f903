import type { Leaves, TreeOf } from './tree.ts';
import { isHostTensor, leavesOf } from './tree.ts';
import type { HostTensor, TensorSpec } from './types.ts';
import { EngineError } from './types.ts';

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

/** A typed array of `length` zeros for the type. */
export function allocate(dtype: HostTensor['dtype'], length: number): HostTensor['data'] {
  return new arrays[dtype](length);
}

export function describeSpec({ shape, dtype }: TensorSpec): string {
  return `${dtype ?? 'float32'} [${shape.join(', ')}]`;
}

/**
 * The leaves of `given`, which must be exactly those of `expected`.
 * `what` begins the message: `program 'train': the batch`. Throws EngineError that names the entry and the fix.
 */
export function checkedLeaves(
  given: unknown,
  expected: Leaves<TensorSpec>,
  what: string,
): Leaves<HostTensor> {
  const leaves = hostLeaves(given, what);
  for (const [path, spec] of expected) {
    const leaf = leaves.get(path);
    if (!leaf) throw new EngineError(`${what} lacks '${path}' (${describeSpec(spec)})${listed(leaves)}`);
    if (leaf.dtype !== (spec.dtype ?? 'float32') || leaf.shape.join() !== spec.shape.join()) {
      throw new EngineError(`${what}: '${path}' is ${describeSpec(leaf)}, but must be ${describeSpec(spec)}`);
    }
  }
  for (const path of leaves.keys()) {
    if (!expected.has(path))
      throw new EngineError(
        `${what} has '${path}', which is not expected${expected.size === 0 ? '' : `; expected are ${quoted(expected)}`}`,
      );
  }
  return leaves;
}

/** The leaves of a tree of host tensors, each checked to have the array that its type and shape ask for. */
export function hostLeaves(tree: unknown, what: string): Leaves<HostTensor> {
  const leaves = prefixed(what, () => leavesOf(tree as TreeOf<HostTensor>, isHostTensor));
  for (const [path, { dtype, shape, data }] of leaves) {
    const wanted = arrays[dtype];
    if (!wanted) throw new EngineError(`${what}: '${path}' has the unknown dtype '${dtype}'`);
    if (!(data instanceof wanted)) {
      throw new EngineError(
        `${what}: '${path}' is ${dtype}, so its data must be a ${wanted.name}, not ${data.constructor.name}`,
      );
    }
    const size = shape.reduce((product, length) => product * length, 1);
    if (data.length !== size) {
      throw new EngineError(
        `${what}: '${path}' of shape [${shape.join(', ')}] needs ${size} values, it has ${data.length}`,
      );
    }
  }
  return leaves;
}

function prefixed<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof EngineError) throw new EngineError(`${what}: ${error.message}`);
    throw error;
  }
}

function quoted(leaves: Leaves<unknown>): string {
  return [...leaves.keys()].map((path) => `'${path}'`).join(', ');
}

function listed(leaves: Leaves<unknown>): string {
  return leaves.size === 0 ? '' : `; it has ${quoted(leaves)}`;
}
