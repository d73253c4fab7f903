import type { Dtype } from '../types.ts';
import { EngineError } from '../types.ts';

/**
 * tfjs's types and others of ONNX: int64 for shapes and indices, uint64 for shifts of bits, uint8 for pictures of a
 * batch.
 */
export type ElementType = Dtype | 'int64' | 'uint64';

/** Types that no tfjs tensor has. */
export type ForeignType = 'int64' | 'uint64' | 'uint8';

export function isForeign(type: ElementType): type is ForeignType {
  return type === 'int64' || type === 'uint64' || type === 'uint8';
}

export type TypedData = Float32Array | Int32Array | Uint8Array | BigInt64Array | BigUint64Array;

export interface ValueType {
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** Where a value comes from. */
export type Source =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'constant'; readonly data: TypedData }
  | { readonly kind: 'splat'; readonly value: number }
  | { readonly kind: 'node'; readonly node: Node; readonly index: number };

/** A tensor in the recorded graph. */
export interface Value extends ValueType {
  readonly id: number;
  readonly source: Source;
}

/** `''` is ONNX's own, `com.microsoft` ONNX Runtime's; `tensorflow` has TensorFlow's operators, in its layout of images. */
export type Domain = '' | 'com.microsoft' | 'tensorflow';

/** ONNX distinguishes integers from floats, JavaScript does not. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] };

export interface Attributes {
  readonly [name: string]: Attribute;
}

/** One operator applied to values. */
export interface Node {
  readonly op: string;
  readonly domain: Domain;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
}

/** Number of elements. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** The shape of an elementwise operation on both (numpy's rule). Throws EngineError where there is none. */
export function broadcastShapes(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const inA = a[axis - rank + a.length] ?? 1;
    const inB = b[axis - rank + b.length] ?? 1;
    if (inA !== inB && inA !== 1 && inB !== 1) {
      throw new EngineError(`shapes [${a.join(', ')}] and [${b.join(', ')}] can't be broadcast together`);
    }
    return inA === 1 ? inB : inA;
  });
}

/** The node that made a value, if it is of that operator. */
export function nodeOf(value: Value, op: string): Node | undefined {
  return value.source.kind === 'node' && value.source.node.op === op ? value.source.node : undefined;
}

/** The number that all elements have, if that is known. */
export function splatOf(value: Value): number | undefined {
  return value.source.kind === 'splat' ? value.source.value : undefined;
}
