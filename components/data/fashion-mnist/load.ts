import type { LoadFunction, StageInput } from '../../../framework/stage/contract.ts';
import { readIdx } from '../idx.ts';
import type { Dataset } from '../types.ts';
import type { FashionMnistConfig } from './config.ts';

const SOURCE_SIZE = 28;

/** Labels 0..9, as in the README of zalandoresearch/fashion-mnist. */
const CLASSES = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
] as const;

/** Value of a byte as a pixel, rounded to float32 once. */
const PIXEL = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/**
 * Reads the images and labels of a `fashionMnist` component.
 *
 * @throws Error that names the file, if it isn't such a file or if images and labels don't belong together
 */
export const load: LoadFunction<Dataset> = async (input: StageInput) => {
  const { split, size, range } = input.config as unknown as FashionMnistConfig;
  const images = readIdx(input.files.images, 3);
  const labels = readIdx(input.files.labels, 1);
  const [total, height, width] = images.shape;
  if (height !== SOURCE_SIZE || width !== SOURCE_SIZE) {
    throw new Error(
      `${input.files.images}: has images of ${height}x${width}, not ${SOURCE_SIZE}x${SOURCE_SIZE}`,
    );
  }
  if (labels.shape[0] !== total) {
    throw new Error(
      `${input.files.labels}: has ${labels.shape[0]} labels for the ${total} images of ${input.files.images}`,
    );
  }
  const bad = labels.data.findIndex((label) => label >= CLASSES.length);
  if (bad >= 0) {
    throw new Error(
      `${input.files.labels}: label ${bad} is ${labels.data[bad]}; there are ${CLASSES.length} classes`,
    );
  }
  const [from, to] = range ?? [0, total];
  if (to > total) {
    throw new Error(`${input.files.images}: range [${from}, ${to}] ends behind its ${total} images`);
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
    labels: Int32Array.from(labels.data.subarray(from, to)),
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
