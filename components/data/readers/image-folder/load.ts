import path from 'node:path';
import type { LoadFunction } from '../../../../framework/stage/contract.ts';
import { StageError } from '../../../../framework/stage/stage-error.ts';
import { type Bad, findBad } from '../../decode/bad.ts';
import { subset } from '../../subset.ts';
import type { Dataset } from '../../types.ts';
import { formatOf, some } from '../folder.ts';
import type { ImageFolderConfig } from './config.ts';
import { fileOf, openWhole } from './contents.ts';

/** The largest share of images that are left out: beyond it something else is wrong. One image always may be. */
const mostShare = 0.01;

/**
 * The images of an `imageFolder` component, class by class, or in the order of their names. A file is read where its image
 * is decoded.
 *
 * @throws StageError as `openWhole` and, where bad images are left out, as `leaveOut` do
 */
export const load: LoadFunction<Dataset, ImageFolderConfig> = async ({
  config: { maxPixels, onBadImage },
  files: { images: root, ...lists },
}) => {
  const places = { root: root!, ...lists };
  const contents = openWhole(places);
  const { classes, names, labels } = contents;
  const checked = (index: number): number => {
    if (index in names) return index;
    throw new RangeError(`image ${index} of a data set of ${names.length}`);
  };
  const pathOf = (index: number): string => fileOf(places, contents, checked(index));
  const whole: Dataset = {
    name: `image folder of ${names.length.toLocaleString('en-US')} images`,
    count: names.length,
    classes,
    target: async (index) => labels[checked(index)]!,
    image: async (index) => {
      const file = pathOf(index);
      return { format: formatOf(file)!, file, maxPixels };
    },
  };
  if (onBadImage === 'fail') return whole;
  const nameOf = (index: number) => path.relative(root!, pathOf(index)).replaceAll(path.sep, '/');
  return leaveOut(whole, await findBad(whole), nameOf);
};

/** @throws StageError if too many would be left out */
function leaveOut(whole: Dataset, bad: readonly Bad[], nameOf: (index: number) => string): Dataset {
  if (bad.length === 0) return whole;
  const skipped = bad.map(({ index, reason }) => ({ name: nameOf(index), reason }));
  if (bad.length > Math.ceil(mostShare * whole.count) || bad.length === whole.count) {
    const named = some(skipped.map(({ name, reason }) => `${name} ${reason}`));
    throw new StageError(`${bad.length} of ${whole.count} images can't be decoded: ${named}`, {
      hint: `\`onBadImage: 'skip'\` leaves ${100 * mostShare} % out at most: get the files again, or remove them`,
    });
  }
  const places = new Set(bad.map(({ index }) => index));
  const good = Int32Array.from({ length: whole.count }, (_, index) => index).filter((at) => !places.has(at));
  return { ...subset(whole, good), skipped };
}
