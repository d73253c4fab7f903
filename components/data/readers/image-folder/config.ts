import path from 'node:path';
import { z } from 'zod';
import { defineComponent } from '../../../../framework/stage/define.ts';
import { type FolderContents, listImages } from './contents.ts';

const schema = z.strictObject({
  /** The folder. The bytes and names of its files are in the key, its place is not. */
  root: z.string().transform(() => undefined),
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
  provides: (_config, { root }) => {
    const contents = tryList(root);
    // No size in common, as far as anyone knows without opening them.
    const known = { size: null, channels: 3 };
    if ('problem' in contents) return known;
    const perClass = contents.files.map(({ length }) => length);
    const images = perClass.reduce((sum, count) => sum + count, 0);
    return { ...known, images, classes: perClass.length, classNames: [...contents.classes], perClass };
  },
  check: (_config, _inputs, { root }) => {
    const contents = tryList(root);
    if (!('problem' in contents)) return [];
    const hint = 'give a folder that holds a folder of images for each class, and nothing else';
    return [{ path: ['root'], message: contents.problem, hint }];
  },
});

function tryList(root: string): FolderContents | { readonly problem: string } {
  try {
    return listImages(path.resolve(root));
  } catch (error) {
    return { problem: (error as Error).message };
  }
}
