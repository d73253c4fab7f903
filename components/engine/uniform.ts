import type { KernelFunc, Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { philox } from './philox.ts';
import { EngineError } from './types.ts';

/** The kernel of `uniformRows`. No tfjs backend has it: the engines register their own. */
export const uniformKernel = 'PhiloxUniform';

export interface UniformAttributes {
  readonly rows: number;
  readonly columns: number;
}

/**
 * Uniform numbers strictly between 0 and 1, float32 [rows, columns], the same on every engine: each is one of 2^23
 * numbers, (n + 0.5) / 2^23, with the upper 23 bits n of a word of Philox4x32-10.
 *
 * `words` is int32 [3]: the two words of the key, and which row of an endless table is the first, so that the rows of a
 * batch and those of its parts are the same. With Q = ceil(columns / 4), word w of the block with counter (b, row, 0, 0)
 * is column w Q + b of that row; columns beyond the last are left out.
 */
export function uniformRows(words: Tensor, rows: number, columns: number): Tensor2D {
  if (words.dtype !== 'int32' || words.shape.length !== 1 || words.shape[0] !== 3)
    throw new EngineError(
      `uniformRows wants words int32 [3], not ${words.dtype} [${words.shape.join(', ')}]`,
    );
  return tf.engine().runKernel(uniformKernel, { words }, { rows, columns });
}

/** The numbers themselves, in plain JavaScript. */
export function uniformValues(
  [key0, key1, first]: ArrayLike<number> & Iterable<number>,
  { rows, columns }: UniformAttributes,
): Float32Array {
  const values = new Float32Array(rows * columns);
  const quarter = Math.ceil(columns / 4);
  const block = new Uint32Array(4);
  for (let row = 0; row < rows; row++) {
    for (let place = 0; place < quarter; place++) {
      philox([place, (first! + row) >>> 0, 0, 0], key0!, key1!, block);
      for (let word = 0, column = place; word < 4 && column < columns; word++, column += quarter) {
        values[row * columns + column] = ((block[word]! >>> 9) + 0.5) * 2 ** -23;
      }
    }
  }
  return values;
}

/** Lets a tfjs backend compute `uniformRows`: on the host, by `uniformValues`. */
export function registerUniform(backendName: string): void {
  if (tf.getKernel(uniformKernel, backendName) !== undefined) return;
  const kernelFunc: KernelFunc = ({ inputs, attrs, backend }) => {
    const host = backend as tf.KernelBackend;
    const attributes = attrs as unknown as UniformAttributes;
    const words = host.readSync((inputs.words as tf.TensorInfo).dataId) as Int32Array;
    const shape = [attributes.rows, attributes.columns];
    const dataId = host.write(uniformValues(words, attributes), shape, 'float32');
    return { dataId: dataId as object, shape, dtype: 'float32' };
  };
  tf.registerKernel({ kernelName: uniformKernel, backendName, kernelFunc });
}
