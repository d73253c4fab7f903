import type { LoadFunction } from '../../../../framework/stage/contract.ts';
import type { Dataset } from '../../types.ts';
import type { ImageFolderConfig } from './config.ts';
import { fileOf, openWhole } from './contents.ts';
import { formatOf } from './listing.ts';

/**
 * The images of an `imageFolder` component, class by class, or in the order of their names. A file is read where its image
 * is decoded.
 *
 * @throws StageError as `openWhole` does
 */
export const load: LoadFunction<Dataset, ImageFolderConfig> = async ({
  config: { maxPixels },
  files: { images, ...lists },
}) => {
  const places = { root: images!, ...lists };
  const contents = openWhole(places);
  const { classes, names, labels } = contents;
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
      const file = fileOf(places, contents, checked(index));
      return { format: formatOf(file)!, file, maxPixels };
    },
  };
};
