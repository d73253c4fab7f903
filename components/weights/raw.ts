import { StageError } from '../../framework/stage/stage-error.ts';
import type { HostTensor } from '../engine/types.ts';

/**
 * Bytes a value, by the names that safetensors gives. Values are whole bytes, so types below a byte are not in the list;
 * neither are complex numbers, floats of one byte and large unsigned integers, which no network here has.
 */
export const TYPE_SIZES = {
  F64: 8,
  I64: 8,
  F32: 4,
  I32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  BOOL: 1,
  I8: 1,
  U8: 1,
} as const;

export type TensorType = keyof typeof TYPE_SIZES;

/** A tensor as a file has it: little-endian bytes, row-major. */
export interface RawTensor {
  readonly type: TensorType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Exact up to 2^53, beyond any file; more is more than any span of bytes. */
export function byteCount(type: TensorType, shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, TYPE_SIZES[type]);
}

/**
 * Bytes to a host tensor: floats become float32 (of float64 the nearest one), integers int32. Copies, so that the file's
 * bytes can go.
 *
 * @throws StageError for an integer beyond 32 bits
 */
export function toHost({ type, shape, bytes }: RawTensor): HostTensor {
  const copy = new Uint8Array(bytes); // not slice(): a Buffer has its own, which copies nothing
  const floats = (data: Float32Array): HostTensor => ({ dtype: 'float32', shape, data });
  const integers = (data: Int32Array): HostTensor => ({ dtype: 'int32', shape, data });
  switch (type) {
    case 'F32':
      return floats(new Float32Array(copy.buffer));
    case 'F64':
      return floats(new Float32Array(new Float64Array(copy.buffer)));
    case 'BF16': {
      // bfloat16 is the upper half of a float32.
      const words = Uint32Array.from(new Uint16Array(copy.buffer), (half) => half << 16);
      return floats(new Float32Array(words.buffer));
    }
    case 'F16':
      return floats(Float32Array.from(new Uint16Array(copy.buffer), halfToNumber));
    case 'I32':
      return integers(new Int32Array(copy.buffer));
    case 'I64':
      return integers(Int32Array.from(new BigInt64Array(copy.buffer), narrow));
    case 'I16':
      return integers(new Int32Array(new Int16Array(copy.buffer)));
    case 'I8':
      return integers(new Int32Array(new Int8Array(copy.buffer)));
    case 'U8':
      return integers(new Int32Array(copy));
    case 'BOOL':
      return { dtype: 'bool', shape, data: copy };
  }
}

function narrow(value: bigint): number {
  if (BigInt.asIntN(32, value) !== value)
    throw new StageError(`the integer ${value} needs more than 32 bits`);
  return Number(value);
}

/** IEEE 754 binary16. */
function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
