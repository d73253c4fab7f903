import path from 'node:path';
import { z } from 'zod';
import type { ConfigIssue } from '../../../../framework/stage/component.ts';
import { defineComponent } from '../../../../framework/stage/define.ts';
import { disk } from '../../../../framework/stage/disk.ts';
import { type FolderContents, openFolder } from './contents.ts';
import { expectedSchema, missingRoot, otherThanExpected } from './expected.ts';
import { labelForms } from './labels.ts';
import type { FolderProblem } from './problems.ts';
import { tinyImageNet } from './tiny.ts';

/** A file whose bytes are in the key. In the config: that there is one. */
const listFile = z
  .string()
  .optional()
  .transform((file) => (file === undefined ? undefined : 'given'));

const schema = z.strictObject({
  /** The folder. The bytes and names of its files are in the key, its place is not. */
  root: z.string().transform(() => undefined),
  /**
   * Of a flat folder, the file that says of which class each image is: see labels.ts. Absent: the folder holds a folder for
   * each class.
   */
  labels: listFile,
  /** The classes in the order of their numbers, one a line, for `labels` that are numbers. */
  synsets: listFile,
  /** An image of more pixels fails the stage that shows it, by what its header says: nothing of it is decoded. */
  maxPixels: z.int().positive().default(100_000_000),
  /**
   * What becomes of an image that can't be decoded: the stage that shows it fails, or it is left out. To leave them out,
   * each stage decodes all images before it begins; which they are depends on their bytes only.
   */
  onBadImage: z.enum(['fail', 'skip']).default('fail'),
  /**
   * How much it should hold: another number is an error, and `plan` goes by it where the folder isn't there. Absent:
   * what is there is right. Not in the key, since what it holds is.
   */
  expected: expectedSchema.optional().transform(() => undefined),
});

type Input = z.input<typeof schema>;

/** What `load` sees. */
export type ImageFolderConfig = z.output<typeof schema>;

/**
 * JPEG, PNG and WebP files of any size in a folder for each class, `<root>/<class>/<image>`, as ImageNet is laid out for
 * PyTorch; or all in one folder, with a list of their classes. Classes are numbered in the order of their names. Views of
 * such images say their `size`.
 */
export const imageFolder = defineComponent({
  role: 'dataset',
  kind: 'image-folder',
  schema,
  load: new URL('./load.ts', import.meta.url).href,
  files: (_config, { root, labels, synsets }) => ({
    images: path.resolve(root),
    ...(labels === undefined ? {} : { labels: path.resolve(labels) }),
    ...(synsets === undefined ? {} : { synsets: path.resolve(synsets) }),
  }),
  provides: (_config, input) => {
    // No size in common, as far as is known without opening them.
    const known = { target: 'class', size: null, channels: 3 };
    if (!disk.exists(input.root)) return { ...known, ...input.expected };
    const { facts } = survey(input);
    return facts === undefined ? known : { ...known, ...facts };
  },
  // Folders like ImageNet-1K that ship with the package, laid out as this one is.
  smoke: ({ labels, synsets }, { member }) => ({
    root: labels ? tinyImageNet.flat : member === 'test' ? tinyImageNet.val : tinyImageNet.train,
    ...(labels ? { labels: synsets ? tinyImageNet.groundTruth : tinyImageNet.list } : {}),
    ...(synsets ? { synsets: tinyImageNet.synsets } : {}),
    expected: undefined,
  }),
  check: (_config, _inputs, input) => {
    const { synsets, labels, expected = {} } = input;
    const missing = [...missingRoot(input), ...missingLists(input)];
    if (missing.length > 0) return missing;
    if (synsets !== undefined && labels === undefined)
      return [{ path: ['synsets'], message: 'goes with `labels`, which is not given', hint: labelForms }];
    const { facts, problems } = survey(input);
    if (facts !== undefined) return otherThanExpected(facts, expected);
    return problems.map(({ field, message, hint }) => ({
      path: [field],
      message: `${input[field]} ${message}`,
      ...(hint === undefined ? {} : { hint }),
    }));
  },
});

interface Facts {
  readonly images: number;
  readonly classes: number;
  readonly classNames: string[];
  readonly perClass: number[];
}

interface Survey {
  readonly facts?: Facts;
  readonly problems: readonly FolderProblem[];
}

/** By input: `provides` and `check` get the same one, and a million files are listed once. */
const surveys = new WeakMap<Input, Survey>();

function survey(input: Input): Survey {
  const known = surveys.get(input);
  if (known !== undefined) return known;
  const opened = openFolder(input);
  const made = 'problems' in opened ? opened : { facts: count(opened), problems: [] };
  surveys.set(input, made);
  return made;
}

function count({ classes, labels }: FolderContents): Facts {
  const perClass = new Array<number>(classes.length).fill(0);
  for (const label of labels) perClass[label]! += 1;
  return { images: labels.length, classes: classes.length, classNames: [...classes], perClass };
}

function missingLists(input: Input): ConfigIssue[] {
  return (['labels', 'synsets'] as const).flatMap((field): ConfigIssue[] => {
    const file = input[field];
    if (file === undefined || disk.exists(file)) return [];
    return [{ path: [field], message: `there is no file ${file}`, hint: labelForms, missing: true }];
  });
}
