import { z } from 'zod';
import { defineComponent } from '../../../../framework/stage/define.ts';
import { checkPairs, countOf } from '../label-maps/config.ts';
import { ade20kClasses } from './classes.ts';
import { foldersOf, missingFolders, officialImages } from './layout.ts';
import { tinyAde20k } from './tiny.ts';

const schema = z.strictObject({
  /** The folder `ADEChallengeData2016`. The bytes and names of its files are in the key, its place is not. */
  root: z.string().transform(() => undefined),
  /** Which of its splits; the official one has no `test`. */
  split: z.enum(['training', 'validation']),
  /** An image of more pixels fails the stage that shows it, by what its header says. */
  maxPixels: z.int().positive().default(100_000_000),
  /** How many images there should be: another number is an error. Absent: what is there is right. Not in the key. */
  expected: z
    .strictObject({
      /** How many images. */
      images: z.int().positive(),
    })
    .optional()
    .transform(() => undefined),
});

/** What `load` sees. */
export type Ade20kConfig = z.output<typeof schema>;

/**
 * ADE20K's scene parsing benchmark (Zhou et al. 2017, ADEChallengeData2016): 20,210 training and 2,000 validation images
 * with the class of each pixel, of 150 classes or none.
 */
export const ade20k = defineComponent({
  role: 'dataset',
  kind: 'ade20k',
  schema,
  load: new URL('./load.ts', import.meta.url).href,
  files: ({ split }, { root }) => ({ ...foldersOf(root, split) }),
  provides: ({ split }, { root, expected }) => ({
    ...{ target: 'label map', size: null, channels: 3 },
    ...{ classes: ade20kClasses.length, classNames: [...ade20kClasses] },
    ...countOf(foldersOf(root, split), expected?.images ?? officialImages[split]),
  }),
  // Laid out as the real one, and shipped with the package.
  smoke: () => ({ root: tinyAde20k.root, expected: undefined }),
  check: ({ split }, _inputs, { root, expected }) => {
    const missing = missingFolders(root, split);
    if (missing.length > 0) return missing;
    return checkPairs(foldersOf(root, split), expected?.images, () => 'root');
  },
});
