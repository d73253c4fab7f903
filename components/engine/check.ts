import { sizeOf } from './graph/value.ts';
import type { Leaves, TreeOf } from './tree.ts';
import { isHostTensor, isSpec, leavesOf } from './tree.ts';
import type { HostTensor, TensorSpec } from './types.ts';
import { EngineError } from './types.ts';

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array, uint8: Uint8Array } as const;

/** A typed array of zeros for that type and shape. Throws EngineError where the machine has not that much memory. */
export function allocate(dtype: HostTensor['dtype'], shape: readonly number[]): HostTensor['data'] {
  try {
    return new arrays[dtype](sizeOf(shape));
  } catch (error) {
    throw new EngineError(
      `no memory for ${describeSpec({ dtype, shape })}: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  }
}

export function describeSpec({ shape, dtype }: TensorSpec): string {
  return `${dtype ?? 'float32'} [${shape.join(', ')}]`;
}

/** What a component's own code has given where a tensor was asked for. */
export function describeValue(value: unknown): string {
  if (value instanceof Promise) return 'a promise';
  const { shape } = (value ?? {}) as Partial<TensorSpec>;
  if (Array.isArray(shape)) return describeSpec(value as TensorSpec);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
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
  for (const [path, leaf] of leaves) {
    checkSpec(leaf, `${what}: '${path}'`);
    checkData(leaf, `${what}: '${path}'`);
  }
  return leaves;
}

/** `hostLeaves` of what lives inside an engine, where all types are those of tfjs. */
export function residentLeaves(tree: unknown, what: string): Leaves<HostTensor> {
  const leaves = hostLeaves(tree, what);
  for (const [path, { dtype }] of leaves) {
    if (dtype === 'uint8')
      throw new EngineError(`${what}: '${path}' is uint8, which only a batch can be; make it int32`);
  }
  return leaves;
}

/** The leaves of a tree of specs, each checked to be a type and a shape that a tensor can have. */
export function specLeaves(tree: unknown, what: string): Leaves<TensorSpec> {
  const leaves = prefixed(what, () => leavesOf(tree as TreeOf<TensorSpec>, isSpec));
  for (const [path, spec] of leaves) checkSpec(spec, `${what}: '${path}'`);
  return leaves;
}

function checkSpec({ dtype = 'float32', shape }: TensorSpec, leaf: string): void {
  if (!Object.hasOwn(arrays, dtype)) {
    throw new EngineError(
      `${leaf} has the unknown dtype '${dtype}'; there are ${Object.keys(arrays).join(', ')}`,
    );
  }
  if (!Array.isArray(shape)) throw new EngineError(`${leaf}: its shape must be a list of lengths`);
  // An axis of length 0 is refused too: ONNX Runtime ends the process on some operators that get an empty tensor.
  const wrong = shape.find((length) => !Number.isSafeInteger(length) || length < 1);
  if (wrong !== undefined) {
    throw new EngineError(
      `${leaf} has the shape [${shape.join(', ')}], but lengths of axes are whole numbers from 1 up, not ${wrong}`,
    );
  }
}

function checkData({ dtype, shape, data }: HostTensor, leaf: string): void {
  const wanted = arrays[dtype];
  if (!(data instanceof wanted)) {
    throw new EngineError(`${leaf} is ${dtype}, so its data must be a ${wanted.name}, not ${kindOf(data)}`);
  }
  const size = sizeOf(shape);
  if (data.length === size) return;
  const gone = data.length === 0 && data.buffer.byteLength === 0;
  throw new EngineError(
    `${leaf} of shape [${shape.join(', ')}] needs ${size} values, it has ${data.length}${
      gone ? ' (was its buffer transferred to a worker? pass a copy)' : ''
    }`,
  );
}

function kindOf(data: unknown): string {
  if (typeof data === 'function')
    return 'a method (a tf.Tensor? pass { dtype, shape, data: tensor.dataSync() })';
  if (typeof data !== 'object' || data === null) return String(data);
  return data.constructor?.name ?? 'an object';
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
