import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { ConfigIssue } from '../../../../framework/stage/component.ts';
import { constant } from '../../../../framework/stage/constant.ts';
import { defineComponent } from '../../../../framework/stage/define.ts';
import { disk } from '../../../../framework/stage/disk.ts';
import { CLASSES, openPair } from '../fashion-mnist/contents.ts';
import { type IdxPair, officialFiles, SHIPPED_FILES } from '../fashion-mnist/files.ts';
import type { CompositesSplit } from './items.ts';
import { listPhotographs } from './photographs.ts';
import { classesOf, mostObjects } from './targets.ts';

/** Scenes of a split unless said. */
const counts = { train: 20_000, validation: 5000, test: 5000 } as const;

/** Scenes of a smoke run. */
const few = 100;

const range = (least: number, most: number) =>
  constant(
    z
      .tuple([z.int().min(least).max(most), z.int().min(least).max(most)])
      .refine(([from, to]) => from <= to, { error: 'the smaller number comes first' }),
  );

const share = z.number().min(0.02).max(0.5);

const schema = z.strictObject({
  /**
   * No item, no photograph and no look of a texture is in two of them. `validation` is made of the last fifth of the train
   * items, to choose settings on.
   */
  split: z.enum(['train', 'validation', 'test']),
  /**
   * What is known of a scene: the class of its largest object; the class of each pixel, where background is one; or the
   * box, class and mask of each object. The pixels are the same with each.
   */
  target: z.enum(['class', 'label map', 'instances']).default('class'),
  /** Height and width in pixels. */
  size: z.int().min(32).max(512).default(64),
  /** Absent: 20,000 of the split `train`, 5,000 of the others. The first of many are those of few. */
  count: z.int().positive().optional(),
  /** How many objects a scene shows: least and most. One of them is larger than the others. */
  objects: range(1, mostObjects).default([1, 3]),
  /** How many pieces without meaning it shows: scrambled items and shapes cut out of their cloth. */
  clutter: range(0, 16).default([2, 5]),
  /**
   * How much of a scene the largest object has before anything covers it: least and most. The others have somewhat more than
   * a third of that.
   */
  area: constant(
    z.tuple([share, share]).refine(([from, to]) => from <= to, { error: 'the smaller number comes first' }),
  ).default([0.09, 0.18]),
  /**
   * How far the largest object lies from the middle and how far it is turned: 1 is up to a fifth of the side and half a radian,
   * 0 not at all.
   */
  spread: z.number().min(0).max(1).default(1),
  /** How much objects and clutter stand out from textures, which are darker the higher it is; 0: not at all. */
  contrast: z.number().min(0).max(1).default(0),
  /** Another number, other scenes. */
  seed: z.int().nonnegative().default(0),
  /**
   * A folder of photographs (JPEG, PNG, WebP) for backgrounds, of which each split has its own. Absent: textures. Names and
   * bytes are in the key, the folder's place is not.
   */
  backgrounds: z
    .string()
    .optional()
    .transform((folder) => (folder === undefined ? undefined : 'given')),
  /** Folder with the four official files of Fashion-MNIST, as in `fashionMnist`. Absent: the images that ship. */
  root: z
    .string()
    .optional()
    .transform(() => undefined),
});

/** What `load` sees. */
export type CompositesConfig = z.output<typeof schema> & { readonly count: number };

/**
 * Composites: items of Fashion-MNIST, cut out along exact masks, turned, scaled and coloured, before textures or photographs
 * among clutter of the same material ("Cut, Paste and Learn", Dwibedi et al. 2017). Composed when they are asked for, a pure
 * function of the fields and the index. Colour, cloth and brightness say nothing of a class: only shape does.
 */
export const composites = defineComponent({
  role: 'dataset',
  kind: 'composites',
  schema,
  load: new URL('./load.ts', import.meta.url).href,
  derive: ({ split }) => ({ count: counts[split] }),
  files: ({ split }, { root, backgrounds }) => ({
    ...pairOf(split, root),
    ...(backgrounds === undefined ? {} : { backgrounds: resolve(backgrounds) }),
  }),
  provides: ({ split, target, size, count = counts[split] }) => ({
    size,
    target,
    channels: 3,
    images: count,
    classes: classesOf(target).length,
    classNames: [...classesOf(target)],
  }),
  // Pixels stay, as what sees them goes by them. Nothing is needed that doesn't ship.
  smoke: ({ split, count = counts[split] }) => ({
    count: Math.min(count, few),
    root: undefined,
    backgrounds: undefined,
  }),
  check: ({ split }, _inputs, { root, backgrounds }) => [
    ...checkItems(split, root),
    ...(backgrounds === undefined ? [] : checkBackgrounds(split, backgrounds)),
  ],
});

function checkItems(split: CompositesSplit, root: string | undefined): ConfigIssue[] {
  const files = pairOf(split, root);
  const absent = Object.values(files).filter((file) => !disk.exists(file));
  const path = root === undefined ? [] : ['root'];
  const hint = 'give the folder with the four official IDX files, or leave it out';
  if (absent.length > 0) {
    const message = `there is no ${absent.map((file) => file.replace(/.*[\\/]/, '')).join(' and no ')} in it`;
    return [{ path, message, hint, missing: true }];
  }
  try {
    const { labels } = openPair(files, false);
    const rare = CLASSES.findIndex((_, label) => labels.filter((one) => one === label).length < 5);
    if (rare < 0) return [];
    return [{ path, message: `has fewer than 5 items of the class ${CLASSES[rare]}`, hint }];
  } catch (error) {
    return [{ path, message: (error as Error).message, hint }];
  }
}

function checkBackgrounds(split: CompositesSplit, folder: string): ConfigIssue[] {
  const path = ['backgrounds'];
  const hint = 'give a folder with JPEG, PNG or WebP files directly in it, or leave it out for textures';
  if (!disk.exists(folder)) return [{ path, message: `there is no folder ${folder}`, hint, missing: true }];
  try {
    listPhotographs(folder, split);
    return [];
  } catch (error) {
    return [{ path, message: (error as Error).message, hint }];
  }
}

function pairOf(split: CompositesSplit, root: string | undefined): IdxPair {
  const file = split === 'test' ? 'test' : 'train';
  if (root !== undefined) return officialFiles(resolve(root), file);
  const shipped = (name: string): string =>
    fileURLToPath(new URL(`../fashion-mnist/${name}`, import.meta.url));
  return { images: shipped(SHIPPED_FILES[file].images), labels: shipped(SHIPPED_FILES[file].labels) };
}
