import path from 'node:path';
import { z } from 'zod';
import type { ConfigIssue } from '../../../../framework/stage/component.ts';
import { defineComponent } from '../../../../framework/stage/define.ts';
import { disk } from '../../../../framework/stage/disk.ts';
import { cocoCategories } from './classes.ts';
import { missingPlaces, officialImages, placesOf } from './layout.ts';
import { type CocoFacts, survey } from './survey.ts';
import { tinyCoco } from './tiny.ts';

/** A file or folder whose bytes are in the key. In the config: that there is one. */
const place = z
  .string()
  .optional()
  .transform((given) => (given === undefined ? undefined : 'given'));

const schema = z.strictObject({
  /** The folder of COCO 2017, with `annotations` and a folder of images for each split. Its place is not in the key. */
  root: z
    .string()
    .optional()
    .transform(() => undefined),
  /** Which of its splits. */
  split: z.enum(['train2017', 'val2017']).optional(),
  /** The file of annotations of instances, instead of that of the split. */
  annotations: place,
  /** The folder of the images that it names, instead of that of the split. */
  images: place,
  /**
   * What becomes of images without an object that is no group. Official trainings leave them out, official tests don't:
   * that is the default for the two splits. Other annotations: they are kept.
   */
  emptyImages: z.enum(['keep', 'skip']).optional(),
  /** An image of more pixels fails the stage that shows it, by what its header says. */
  maxPixels: z.int().positive().default(100_000_000),
  /** How many images the annotations should list: another number is an error. Not in the key. */
  expected: z
    .strictObject({
      /** How many images. */
      images: z.int().positive(),
    })
    .optional()
    .transform(() => undefined),
});

type Input = z.input<typeof schema>;

/** What `load` sees. */
export type CocoConfig = z.output<typeof schema> & { readonly emptyImages: 'keep' | 'skip' };

/**
 * Images with objects, as COCO annotates them (Lin et al. 2014): boxes, classes, masks. `root` and `split` name the official
 * files; `annotations` and `images` name others of the same format.
 */
export const coco = defineComponent({
  role: 'dataset',
  kind: 'coco',
  schema,
  load: new URL('./load.ts', import.meta.url).href,
  derive: ({ split }) => ({ emptyImages: split === 'train2017' ? 'skip' : 'keep' }),
  files: (_config, input) => {
    const places = placesOf(input);
    if (places === undefined) return {};
    return { annotations: path.resolve(places.annotations), images: path.resolve(places.images) };
  },
  provides: ({ emptyImages }, input) => {
    const known = { target: 'instances', size: null, channels: 3 };
    const places = placesOf(input);
    if (places === undefined || !isThere(places)) return { ...known, ...announced(input) };
    const { facts } = survey(places);
    return facts === null ? known : { ...known, ...tell(facts, emptyImages) };
  },
  // Laid out as the real one, and shipped with the package.
  smoke: ({ split, annotations, images }, { member }) => ({
    root: tinyCoco.root,
    split: split ?? (member === 'test' ? 'val2017' : 'train2017'),
    ...(annotations === undefined ? {} : { annotations: undefined }),
    ...(images === undefined ? {} : { images: undefined }),
    expected: undefined,
  }),
  check: (_config, _inputs, input) => {
    const places = placesOf(input);
    if (places === undefined) return [incomplete(input)];
    const missing = missingPlaces(input);
    if (missing.length > 0) return missing;
    const { facts, problems } = survey(places);
    if (facts === null)
      return problems.map(({ message, hint, field }) => {
        const said = field as 'annotations' | 'images';
        const at = input[said] === undefined ? 'root' : said;
        return { path: [at], message: `${places[said]} ${message}`, hint };
      });
    return otherThanExpected(facts, input);
  },
});

function isThere(places: NonNullable<ReturnType<typeof placesOf>>): boolean {
  return disk.exists(places.annotations) && disk.exists(places.images);
}

/** What the official split has, where it isn't there. */
function announced({ split, annotations, emptyImages, expected }: Input): {
  readonly [fact: string]: number | string[];
} {
  if (split === undefined || annotations !== undefined)
    return expected === undefined ? {} : { images: expected.images };
  const { all, withObjects } = officialImages[split];
  const skips = (emptyImages ?? (split === 'train2017' ? 'skip' : 'keep')) === 'skip';
  const classNames = cocoCategories.map(({ name }) => name);
  return { images: skips ? withObjects : all, classes: classNames.length, classNames };
}

function tell(
  { images, withObjects, classNames, counts }: CocoFacts,
  emptyImages: string | undefined,
): { readonly [fact: string]: number | boolean | string[] } {
  return {
    images: emptyImages === 'skip' ? withObjects : images,
    // Images with an object that is learnt from, and objects that are to be found.
    withObjects,
    objects: counts.objects,
    classes: classNames.length,
    classNames: [...classNames],
    // Whether every object has one.
    masks: counts.bare === 0,
  };
}

function incomplete({ root, split, annotations, images }: Input): ConfigIssue {
  const hint = 'give `root` and `split` for the official layout, or `annotations` and `images`';
  if (root === undefined && split === undefined && annotations === undefined && images === undefined)
    return { path: [], message: 'says nowhere where its annotations and images are', hint };
  const absent =
    root !== undefined || split !== undefined
      ? root === undefined
        ? 'root'
        : 'split'
      : annotations === undefined
        ? 'annotations'
        : 'images';
  return { path: [absent], message: 'is missing', hint };
}

function otherThanExpected({ images }: CocoFacts, { annotations, expected }: Input): ConfigIssue[] {
  if (expected === undefined || expected.images === images) return [];
  const [is, should] = [images, expected.images].map((count) => count.toLocaleString('en-US'));
  const message = `lists ${is} images, not the ${should} that are expected`;
  const hint = 'take the whole file, or leave `expected` out to take it as it is';
  return [{ path: [annotations === undefined ? 'root' : 'annotations'], message, hint }];
}
