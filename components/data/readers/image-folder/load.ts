import path from 'node:path';
import type { LoadFunction } from '../../../../framework/stage/contract.ts';
import type { Dataset } from '../../types.ts';
import { formatOf, listImages } from './contents.ts';

/**
 * The images of an `imageFolder` component, class by class. A file is read where its image is decoded.
 *
 * @throws Error as `listImages` does
 */
export const load: LoadFunction<Dataset> = async ({ files: { images: root } }) => {
  const { classes, files } = listImages(root);
  const names = files.flat();
  const labels = Int32Array.from(files.flatMap((of, label) => of.map(() => label)));
  const checked = (index: number): number => {
    if (index in names) return index;
    throw new RangeError(`image ${index} of a data set of ${names.length}`);
  };
  return {
    name: `image folder of ${names.length.toLocaleString('en-US')} images`,
    count: names.length,
    classes,
    target: async (index) => labels[checked(index)],
    image: async (index) => {
      const name = names[checked(index)];
      const file = path.join(root, classes[labels[index]], name);
      return { format: formatOf(name)!, file };
    },
  };
};
