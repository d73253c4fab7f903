import path from 'node:path';
import { StageError } from '../../../../framework/stage/stage-error.ts';
import { inLanes } from '../../ahead.ts';
import { firstBytes, imageSize } from '../../decode/image-size.ts';
import { firstLabelBytes, hasClass } from '../../decode/label-map.ts';
import { checkNumbers, pngHeader } from '../../decode/png-numbers.ts';
import type { LabelMap, LabelNumbering } from '../../targets.ts';
import type { Dataset } from '../../types.ts';
import { formatOf, some } from '../folder.ts';
import { listPairs, type PairFolders } from './pairs.ts';

export interface LabelMapOptions {
  readonly folders: PairFolders;
  /** Names of the classes in the order of their numbers. */
  readonly classes: readonly string[];
  readonly numbering: LabelNumbering;
  /** For reports: `ade20k training`. */
  readonly name: string;
  readonly maxPixels: number;
}

/** Files whose headers are read at once. */
const lanes = 64;

/**
 * Images with their label maps, in the order of the images' names. The headers of all files are read once, before anything
 * is trained: it reports sizes and kinds that don't fit, and label maps without any class are noted. Whether each number is
 * that of a class is looked at when a label map is decoded.
 *
 * @throws StageError with all files that don't fit
 */
export async function openLabelMaps(options: LabelMapOptions): Promise<Dataset<LabelMap>> {
  const { folders, classes, numbering, name, maxPixels } = options;
  const pairs = listPairs(folders);
  if ('problems' in pairs) {
    const { folder, message, hint } = pairs.problems[0]!;
    throw new StageError(`${folders[folder]}: ${message}`, hint === undefined ? {} : { hint });
  }
  const images = pairs.images.map((file) => path.join(folders.images, file));
  const labels = pairs.labels.map((file) => path.join(folders.labels, file));
  const bare = await checkFiles(images, labels, numbering);
  const many = (count: number) => count.toLocaleString('en-US');
  const without = bare.map((index) => pairs.labels[index]!);
  const notes =
    bare.length === 0
      ? []
      : [
          `${many(bare.length)} of ${many(labels.length)} label maps have no pixel with a class, and nothing is learnt or measured there; mend their numbers, or remove them with their images: ${some(without)}`,
        ];
  const checked = (index: number): number => {
    if (index in images) return index;
    throw new RangeError(`image ${index} of a data set of ${images.length}`);
  };
  return {
    name,
    count: images.length,
    classes,
    ...(notes.length > 0 ? { notes } : {}),
    target: async (index) => ({ format: 'png', file: labels[checked(index)]!, numbering }),
    image: async (index) => {
      const file = images[checked(index)]!;
      return { format: formatOf(file)!, file, maxPixels };
    },
  };
}

/** Looks at the files of all pairs. Gives those whose label maps have no pixel with a class. */
async function checkFiles(
  images: readonly string[],
  labels: readonly string[],
  numbering: LabelNumbering,
): Promise<readonly number[]> {
  const bare: number[] = [];
  const odd = new Map<number, { readonly text: string; readonly hint?: string | undefined }>();
  await inLanes(images.length, lanes, async (index) => {
    const note = (file: string, { message, hint }: StageError) =>
      void odd.set(index, { text: `${file}: ${message}`, hint });
    try {
      const size = await imageSize(images[index]!);
      try {
        const { bytes } = await firstBytes(labels[index]!, firstLabelBytes);
        const header = pngHeader(bytes);
        checkNumbers(header);
        if (header.height === size.height && header.width === size.width) {
          if (!(await hasClass(labels[index]!, bytes, numbering))) bare.push(index);
          return;
        }
        const [map, image] = [header, size].map(({ height, width }) => `${width} x ${height} pixels`);
        const message = `has ${map}, its image ${image}`;
        note(labels[index]!, new StageError(message, { hint: 'label maps have the sizes of their images' }));
      } catch (error) {
        if (!(error instanceof StageError)) throw error;
        note(labels[index]!, error);
      }
    } catch (error) {
      if (!(error instanceof StageError)) throw error;
      note(images[index]!, error);
    }
  });
  if (odd.size === 0) return bare.sort((a, b) => a - b);
  const inOrder = [...odd].sort(([a], [b]) => a - b).map(([, one]) => one);
  const hints = [...new Set(inOrder.flatMap(({ hint }) => (hint === undefined ? [] : [hint])))];
  const of = `${odd.size.toLocaleString('en-US')} of ${images.length.toLocaleString('en-US')} images`;
  throw new StageError(`${of} and label maps don't fit: ${some(inOrder.map(({ text }) => text))}`, {
    hint: hints.length === 0 ? 'replace or remove them' : hints.join('; '),
  });
}
