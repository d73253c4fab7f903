import type { LoadFunction, StageInput } from '../../../../framework/stage/contract.ts';
import { readIdx } from '../../decode/idx.ts';
import type { Dataset } from '../../types.ts';
import type { FashionMnistConfig } from './config.ts';
import { CLASSES, checkPair, SOURCE_SIZE } from './contents.ts';

/** Value of a byte as a pixel, rounded to float32 once. */
const PIXEL = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/**
 * Reads the images and labels of a `fashionMnist` component.
 *
 * @throws Error that names the file, if it isn't such a file or if images and labels don't belong together
 */
export const load: LoadFunction<Dataset> = async (input: StageInput) => {
  const { split, size, range } = input.config as unknown as FashionMnistConfig;
  const { images: imageFile, labels: labelFile } = input.files;
  const images = readIdx(imageFile, 3);
  const files = { images: imageFile, labels: labelFile };
  const { count: total, labels } = checkPair(files, images.shape, readIdx(labelFile, 1));
  const [from, to] = range ?? [0, total];
  if (to > total) {
    throw new Error(`${imageFile}: range [${from}, ${to}] ends behind its ${total} images`);
  }
  const bytes = images.data.subarray(from * SOURCE_SIZE ** 2, to * SOURCE_SIZE ** 2);
  const count = to - from;
  const margin = marginOf(size);
  return {
    name: `fashion-mnist ${split} [${from}, ${to})`,
    count,
    size,
    channels: 3,
    window: { top: margin, left: margin, height: SOURCE_SIZE, width: SOURCE_SIZE },
    classes: CLASSES,
    labels: Int32Array.from(labels.subarray(from, to)),
    read: (indices) => readPadded(bytes, count, size, indices),
  };
};

/** Pixels above and to the left of the picture. */
function marginOf(size: number): number {
  return Math.floor((size - SOURCE_SIZE) / 2);
}

/** Grey bytes to three equal channels, centred on zeros; an odd surplus goes below and to the right. */
function readPadded(
  bytes: Uint8Array,
  count: number,
  size: number,
  indices: ArrayLike<number>,
): Float32Array {
  const offset = marginOf(size);
  const pixels = new Float32Array(indices.length * size * size * 3);
  for (let n = 0; n < indices.length; n++) {
    const index = indices[n];
    if (!Number.isInteger(index) || index < 0 || index >= count) {
      throw new RangeError(`image ${index} of a data set of ${count}`);
    }
    let source = index * SOURCE_SIZE ** 2;
    for (let y = 0; y < SOURCE_SIZE; y++) {
      let target = ((n * size + y + offset) * size + offset) * 3;
      for (let x = 0; x < SOURCE_SIZE; x++) {
        const value = PIXEL[bytes[source++]];
        pixels[target++] = value;
        pixels[target++] = value;
        pixels[target++] = value;
      }
    }
  }
  return pixels;
}
