import path from 'node:path';
import { z } from 'zod';
import { defineComponent } from '../../../../framework/stage/define.ts';
import { disk } from '../../../../framework/stage/disk.ts';
import { type FolderContents, listImages } from './contents.ts';
import { expectedSchema, missingRoot, otherThanExpected } from './expected.ts';
import { tinyImageNet } from './tiny.ts';

const schema = z.strictObject({
  /** The folder. The bytes and names of its files are in the key, its place is not. */
  root: z.string().transform(() => undefined),
  /**
   * How much it should hold: another number is an error, and `plan` goes by it where the folder isn't there. Absent:
   * what is there is right. Not in the key, since what it holds is.
   */
  expected: expectedSchema.optional().transform(() => undefined),
});

/**
 * JPEG, PNG and WebP files of any size in a folder for each class: `<root>/<class>/<image>`, as ImageNet is laid out for
 * PyTorch. Classes are the names of the folders in order. Views of such images say their `size`.
 */
export const imageFolder = defineComponent({
  role: 'dataset',
  kind: 'image-folder',
  schema,
  load: new URL('./load.ts', import.meta.url).href,
  files: (_config, { root }) => ({ images: path.resolve(root) }),
  provides: (_config, { root, expected }) => {
    // No size in common, as far as is known without opening them.
    const known = { size: null, channels: 3 };
    if (!disk.exists(root)) return { ...known, ...expected };
    const contents = tryList(root);
    return 'problem' in contents ? known : { ...known, ...countImages(contents) };
  },
  // A folder like ImageNet-1K that ships with the package: the one for validation where it is what is tested on.
  smoke: (_config, { member }) => ({
    root: member === 'test' ? tinyImageNet.val : tinyImageNet.train,
    expected: undefined,
  }),
  check: (_config, _inputs, { root, expected = {} }) => {
    if (!disk.exists(root)) return [missingRoot(root, expected)];
    const contents = tryList(root);
    if (!('problem' in contents)) return otherThanExpected(countImages(contents), expected);
    const hint = 'give a folder that holds a folder of images for each class, and nothing else';
    return [{ path: ['root'], message: contents.problem, hint }];
  },
});

function countImages({ classes, files }: FolderContents) {
  const perClass = files.map(({ length }) => length);
  const images = perClass.reduce((sum, count) => sum + count, 0);
  return { images, classes: classes.length, classNames: [...classes], perClass };
}

function tryList(root: string): FolderContents | { readonly problem: string } {
  try {
    return listImages(path.resolve(root));
  } catch (error) {
    return { problem: (error as Error).message };
  }
}
