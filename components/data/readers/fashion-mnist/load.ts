import type { LoadFunction } from '../../../../framework/stage/contract.ts';
import { StageError } from '../../../../framework/stage/stage-error.ts';
import { readIdx } from '../../decode/idx.ts';
import type { Dataset } from '../../types.ts';
import type { FashionMnistConfig } from './config.ts';
import { CLASSES, checkPair, SOURCE_SIZE } from './contents.ts';

/**
 * Reads the images and labels of a `fashionMnist` component.
 *
 * @throws StageError that names the file, if it isn't such a file or if images and labels don't belong together
 */
export const load: LoadFunction<Dataset, FashionMnistConfig> = async (input) => {
  const { split, size, range } = input.config;
  const { images: imageFile, labels: labelFile } = input.files;
  const images = readIdx(imageFile, 3);
  const files = { images: imageFile, labels: labelFile };
  const { count: total, labels } = checkPair(files, images.shape, readIdx(labelFile, 1));
  const [from, to] = range ?? [0, total];
  if (to > total) {
    throw new StageError(`${imageFile}: range [${from}, ${to}] ends behind its ${total} images`, {
      hint: `end \`range\` at ${total} or before`,
    });
  }
  const bytes = images.data.subarray(from * SOURCE_SIZE ** 2, to * SOURCE_SIZE ** 2);
  const count = to - from;
  const margin = marginOf(size);
  const checked = (index: number): number => {
    if (Number.isInteger(index) && index >= 0 && index < count) return index;
    throw new RangeError(`image ${index} of a data set of ${count}`);
  };
  return {
    name: `fashion-mnist ${split} [${from}, ${to})`,
    count,
    classes: CLASSES,
    imageSize: size,
    window: { top: margin, left: margin, height: SOURCE_SIZE, width: SOURCE_SIZE },
    target: async (index) => labels[from + checked(index)],
    image: async (index) => ({
      format: 'raw',
      bytes: padded(bytes, checked(index), size),
      height: size,
      width: size,
      channels: 1,
    }),
  };
};

/** Pixels above and to the left of the picture. */
function marginOf(size: number): number {
  return Math.floor((size - SOURCE_SIZE) / 2);
}

/** An image centred on zeros; an odd surplus goes below and to the right. */
function padded(bytes: Uint8Array, index: number, size: number): Uint8Array {
  const offset = marginOf(size);
  const out = new Uint8Array(size * size);
  for (let y = 0; y < SOURCE_SIZE; y++) {
    const from = (index * SOURCE_SIZE + y) * SOURCE_SIZE;
    out.set(bytes.subarray(from, from + SOURCE_SIZE), (y + offset) * size + offset);
  }
  return out;
}
