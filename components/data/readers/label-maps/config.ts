import path from 'node:path';
import { z } from 'zod';
import type { ConfigIssue } from '../../../../framework/stage/component.ts';
import { defineComponent } from '../../../../framework/stage/define.ts';
import { disk } from '../../../../framework/stage/disk.ts';
import { tinyAde20k } from '../ade20k/tiny.ts';
import { describeNearest } from '../folder.ts';
import { listPairs, type PairProblem } from './pairs.ts';

const schema = z.strictObject({
  /** The folder of the images. The bytes and names of its files are in the key, its place is not. */
  images: z.string().transform(() => undefined),
  /** The folder of the label maps, one for each image: PNGs of one channel, of the image's name and size. */
  labels: z.string().transform(() => undefined),
  /** Names of the classes in the order of their numbers. */
  classes: z.array(z.string().min(1)).min(2).max(254),
  /**
   * `from-0`: a number is the place of a class among `classes`, and 255 is no class. `from-1`: the place plus 1, and 0 and
   * 255 are no class, as in ADE20K.
   */
  numbering: z.enum(['from-0', 'from-1']).default('from-0'),
  /** An image of more pixels fails the stage that shows it, by what its header says. */
  maxPixels: z.int().positive().default(100_000_000),
  /** How many images there should be: another number is an error, and `plan` goes by it where the folder isn't there. */
  expected: z
    .strictObject({
      /** How many images. */
      images: z.int().positive(),
    })
    .optional()
    .transform(() => undefined),
});

/** What `load` sees. */
export type LabelMapsConfig = z.output<typeof schema>;

/**
 * Images of any size in one folder, and in another one a label map for each: a PNG whose numbers say of which class each
 * pixel is.
 */
export const labelMaps = defineComponent({
  role: 'dataset',
  kind: 'label-maps',
  schema,
  load: new URL('./load.ts', import.meta.url).href,
  files: (_config, { images, labels }) => ({ images: path.resolve(images), labels: path.resolve(labels) }),
  provides: ({ classes }, { images, labels, expected }) => ({
    ...{ target: 'label map', size: null, channels: 3, classes: classes.length, classNames: classes },
    ...countOf({ images, labels }, expected?.images),
  }),
  smoke: (_config, { member }) => {
    const { images, labels } = tinyAde20k[member === 'test' ? 'validation' : 'training'];
    return { images, labels, classes: [...tinyAde20k.classes], numbering: 'from-1', expected: undefined };
  },
  check: ({ classes }, _inputs, input) => {
    const twice = classes.findIndex((name, place) => classes.indexOf(name) < place);
    const same: ConfigIssue[] =
      twice < 0 ? [] : [{ path: ['classes', twice], message: `names the class "${classes[twice]}" twice` }];
    const absent = (['images', 'labels'] as const).filter((field) => !disk.exists(input[field]));
    const missing = absent.map((field): ConfigIssue => {
      const hint = describeNearest(input[field]);
      const message = `there is no folder ${input[field]}`;
      return { path: [field], message, ...(hint === undefined ? {} : { hint }), missing: true };
    });
    if (missing.length > 0) return [...same, ...missing];
    return [...same, ...checkPairs(input, input.expected?.images)];
  },
});

type Folders = Pick<z.input<typeof schema>, 'images' | 'labels'>;

/** How many images there are, where the folders are whole; as many as expected, where they aren't there. */
export function countOf(folders: Folders, expected: number | undefined): { readonly images?: number } {
  if (!disk.exists(folders.images) || !disk.exists(folders.labels))
    return expected === undefined ? {} : { images: expected };
  const pairs = listPairs(folders);
  return 'problems' in pairs ? {} : { images: pairs.images.length };
}

/** What is wrong with two folders that are there. */
export function checkPairs(
  folders: Folders,
  expected: number | undefined,
  fieldOf: (problem: PairProblem) => string = ({ folder }) => folder,
): ConfigIssue[] {
  const pairs = listPairs(folders);
  if ('problems' in pairs)
    return pairs.problems.map((problem) => ({
      path: [fieldOf(problem)],
      message: `${folders[problem.folder]} ${problem.message}`,
      ...(problem.hint === undefined ? {} : { hint: problem.hint }),
    }));
  const { length } = pairs.images;
  if (expected === undefined || expected === length) return [];
  const [is, should] = [length, expected].map((count) => count.toLocaleString('en-US'));
  const message = `${folders.images} has ${is} images, not the ${should} that are expected`;
  const hint = 'complete the folder, or leave `expected` out to take it as it is';
  return [{ path: [fieldOf({ folder: 'images', message })], message, hint }];
}
