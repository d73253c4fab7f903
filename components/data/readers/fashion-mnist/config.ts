import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { defineComponent } from '../../../../framework/stage/define.ts';
import { disk } from '../../../../framework/stage/disk.ts';
import { CLASSES, countPerClass, openPair } from './contents.ts';
import { type FashionMnistSplit, type IdxPair, officialFiles, SHIPPED_FILES } from './files.ts';

const schema = z.strictObject({
  /** Which of its splits: the first 10,000 images of each ship with peco-exp. */
  split: z.enum(['train', 'test']),
  /**
   * Part of the split, from the first to before the second index: how to hold a validation part of the training
   * split back. Absent: all of it.
   */
  range: z
    .tuple([z.int().nonnegative(), z.int().nonnegative()])
    .refine(([from, to]) => from < to, { error: 'the range must begin before it ends' })
    .optional(),
  /**
   * Folder with the four official files (`train-images-idx3-ubyte` and so on, with or without `.gz`). Absent: the
   * 10,000 train and 10,000 test images that ship with the package. The files' bytes are in the key, not their place.
   */
  root: z
    .string()
    .optional()
    .transform(() => undefined),
  /** Height and width in pixels: the 28x28 images are centred on zeros. */
  size: z.int().min(28).max(1024).default(32),
});

/** Images of each split that ships. */
const shippedImages = 10_000;

/** Images of a smoke run. */
const few = 100;

/** What `load` sees. */
export interface FashionMnistConfig {
  readonly split: FashionMnistSplit;
  readonly range?: readonly [number, number];
  readonly size: number;
}

/** Fashion-MNIST (Xiao et al. 2017, arXiv 1708.07747): grey product photographs of 10 classes, as RGB. */
export const fashionMnist = defineComponent({
  role: 'dataset',
  kind: 'fashion-mnist',
  schema,
  load: new URL('./load.ts', import.meta.url).href,
  files: ({ split }, { root }) => ({ ...pairOf(split, root) }),
  provides: ({ split, range, size }, { root }) => {
    const known = { target: 'class', size, channels: 3, classes: CLASSES.length };
    const pair = tryPair(split, root);
    if ('problem' in pair) return known;
    const labels = pair.labels.subarray(...(range ?? []));
    return { ...known, images: labels.length, perClass: countPerClass(labels) };
  },
  // Pixels stay, as what sees the images goes by them. Another place of the files is where the shipped ones are.
  smoke: ({ range: [from, to] = [0, few] }) => ({
    root: undefined,
    range: from + few <= shippedImages ? [from, Math.min(to, from + few)] : [0, few],
  }),
  check: ({ split, range }, _inputs, { root }) => {
    const absent = Object.values(pairOf(split, root)).filter((file) => !disk.exists(file));
    const path = root === undefined ? [] : ['root'];
    const hint = 'give the folder with the four official IDX files, or leave it out';
    if (absent.length > 0) {
      const message = `there is no ${absent.map((file) => file.replace(/.*[\\/]/, '')).join(' and no ')} in it`;
      return [{ path, message, hint, missing: true }];
    }
    // Train images are read by the first stage, test images by the last ones: damage is found here, not after hours.
    const pair = tryPair(split, root, root !== undefined && split === 'test');
    if ('problem' in pair) return [{ path, message: pair.problem, hint }];
    if (range === undefined || range[1] <= pair.count) return [];
    const message = `ends beyond the ${pair.count} images of the ${root === undefined ? 'shipped ' : ''}split`;
    const more =
      root === undefined && split === 'train' ? { hint: 'give `root` to use all 60,000 train images' } : {};
    return [{ path: ['range'], message, ...more }];
  },
});

/** What the files hold as far as their headers and labels tell, or why they can't be used. */
function tryPair(
  split: FashionMnistSplit,
  root: string | undefined,
  whole = false,
): ReturnType<typeof openPair> | { readonly problem: string } {
  try {
    return openPair(pairOf(split, root), whole);
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

function pairOf(split: FashionMnistSplit, root: string | undefined): IdxPair {
  if (root !== undefined) return officialFiles(resolve(root), split);
  const shipped = (name: string): string => fileURLToPath(new URL(`./${name}`, import.meta.url));
  return { images: shipped(SHIPPED_FILES[split].images), labels: shipped(SHIPPED_FILES[split].labels) };
}
