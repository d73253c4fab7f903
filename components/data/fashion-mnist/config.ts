import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { defineComponent } from '../../../framework/stage/define.ts';
import { disk } from '../../../framework/stage/disk.ts';
import { type FashionMnistSplit, type IdxPair, officialFiles, SHIPPED_FILES } from './files.ts';

/** Images in the files that ship with this folder, for either split. */
const SHIPPED_COUNT = 10_000;

const schema = z.strictObject({
  split: z.enum(['train', 'test']),
  /**
   * Part of the split, from the first to before the second index: how to hold a validation part of the training
   * split back. Absent: all of it.
   */
  range: z
    .tuple([z.int().nonnegative(), z.int().positive()])
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
  provides: ({ range }, { root }) => ({
    images: range ? range[1] - range[0] : root === undefined ? SHIPPED_COUNT : undefined,
  }),
  check: ({ split, range }, _inputs, { root }) => {
    const absent = Object.values(pairOf(split, root)).filter((file) => !disk.exists(file));
    if (absent.length > 0) {
      const message = `there is no ${absent.map((file) => file.replace(/.*[\\/]/, '')).join(' and no ')} in it`;
      return [
        {
          path: ['root'],
          message,
          hint: 'give the folder with the four official IDX files, or leave it out',
        },
      ];
    }
    if (root === undefined && range !== undefined && range[1] > SHIPPED_COUNT) {
      const hint = 'give `root` to use all 60,000 train images';
      return [{ path: ['range'], message: `the shipped split has ${SHIPPED_COUNT} images`, hint }];
    }
    return [];
  },
});

function pairOf(split: FashionMnistSplit, root: string | undefined): IdxPair {
  if (root !== undefined) return officialFiles(resolve(root), split);
  const shipped = (name: string): string => fileURLToPath(new URL(`./${name}`, import.meta.url));
  return { images: shipped(SHIPPED_FILES[split].images), labels: shipped(SHIPPED_FILES[split].labels) };
}
