import { StageError } from '../../../../framework/stage/stage-error.ts';
import type { IdxFile } from '../../decode/idx.ts';
import { readIdx, readIdxShape } from '../../decode/idx.ts';
import type { IdxPair } from './files.ts';

/** Height and width of the images in the files. */
export const SOURCE_SIZE = 28;

/** Labels 0..9, as in the README of zalandoresearch/fashion-mnist. */
export const CLASSES = [
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

/**
 * Number of images in a pair of files that belong together, and their labels.
 *
 * @throws Error that names the file that is none of Fashion-MNIST, or doesn't fit the other
 */
export function checkPair(
  files: IdxPair,
  imageShape: readonly number[],
  labels: IdxFile,
): { readonly count: number; readonly labels: Uint8Array } {
  const [count, height, width] = imageShape;
  if (height !== SOURCE_SIZE || width !== SOURCE_SIZE) {
    throw new StageError(
      `${files.images}: has images of ${height}x${width}, not ${SOURCE_SIZE}x${SOURCE_SIZE}`,
    );
  }
  if (count === 0) throw new StageError(`${files.images}: has no images`);
  if (labels.shape[0] !== count) {
    throw new StageError(
      `${files.labels}: has ${labels.shape[0]} labels for the ${count} images of ${files.images}`,
    );
  }
  const bad = labels.data.findIndex((label) => label >= CLASSES.length);
  if (bad >= 0) {
    throw new StageError(
      `${files.labels}: label ${bad} is ${labels.data[bad]}; there are ${CLASSES.length} classes`,
    );
  }
  return { count, labels: labels.data };
}

/**
 * The same without the pixels, for checks before anything runs: headers, lengths and labels.
 *
 * @param whole reads the images, too: slower, but notices damage within a packed file
 * @throws Error as `checkPair` and `readIdx` do
 */
export function openPair(
  files: IdxPair,
  whole: boolean,
): { readonly count: number; readonly labels: Uint8Array } {
  const shape = whole ? readIdx(files.images, 3).shape : readIdxShape(files.images, 3);
  return checkPair(files, shape, readIdx(files.labels, 1));
}

/** How many images each class has. */
export function countPerClass(labels: Uint8Array): number[] {
  const counts = new Array<number>(CLASSES.length).fill(0);
  for (const label of labels) counts[label]++;
  return counts;
}
