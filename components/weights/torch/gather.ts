import { type RawTensor, TYPE_SIZES } from '../raw.ts';
import type { StoredTensor } from './values.ts';

/**
 * The values of a tensor in row-major order, whatever its strides are: a transposed view, a slice, a number that is
 * repeated.
 *
 * @param storage bytes of the storage, from its first element on
 */
export function gather({ storage, offset, shape, stride }: StoredTensor, bytes: Buffer): RawTensor {
  const { type } = storage;
  const size = TYPE_SIZES[type];
  const count = shape.reduce((product, extent) => product * extent, 1);
  const begin = (storage.begin + offset) * size;
  if (count === 0 || isRowMajor(shape, stride))
    return { type, shape, bytes: new Uint8Array(bytes.subarray(begin, begin + count * size)) };
  const target = new Uint8Array(count * size);
  const index = shape.map(() => 0);
  let from = begin;
  for (let element = 0; element < count; element++) {
    for (let byte = 0; byte < size; byte++) target[element * size + byte] = bytes[from + byte];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += stride[axis] * size;
      if (++index[axis] < shape[axis]) break;
      from -= stride[axis] * shape[axis] * size;
      index[axis] = 0;
    }
  }
  return { type, shape, bytes: target };
}

/** An extent of 1 may have any stride. */
function isRowMajor(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}
