import path from 'node:path';
import { StageError } from '../../../../framework/stage/stage-error.ts';
import { inLanes } from '../../ahead.ts';
import { firstBytes, imageSize } from '../../decode/image-size.ts';
import { checkNumbers, pngHeader, pngHeaderBytes } from '../../decode/png-numbers.ts';
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
 * is trained: it reports sizes and kinds that don't fit. The numbers in a label map are looked at when it is decoded.
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
  await checkHeaders(images, labels);
  const checked = (index: number): number => {
    if (index in images) return index;
    throw new RangeError(`image ${index} of a data set of ${images.length}`);
  };
  return {
    name,
    count: images.length,
    classes,
    target: async (index) => ({ format: 'png', file: labels[checked(index)]!, numbering }),
    image: async (index) => {
      const file = images[checked(index)]!;
      return { format: formatOf(file)!, file, maxPixels };
    },
  };
}

async function checkHeaders(images: readonly string[], labels: readonly string[]): Promise<void> {
  const odd = new Map<number, { readonly text: string; readonly hint?: string | undefined }>();
  await inLanes(images.length, lanes, async (index) => {
    const note = (file: string, { message, hint }: StageError) =>
      void odd.set(index, { text: `${file}: ${message}`, hint });
    try {
      const size = await imageSize(images[index]!);
      try {
        const header = pngHeader((await firstBytes(labels[index]!, pngHeaderBytes)).bytes);
        checkNumbers(header);
        if (header.height === size.height && header.width === size.width) return;
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
  if (odd.size === 0) return;
  const inOrder = [...odd].sort(([a], [b]) => a - b).map(([, one]) => one);
  const hints = [...new Set(inOrder.flatMap(({ hint }) => (hint === undefined ? [] : [hint])))];
  const of = `${odd.size.toLocaleString('en-US')} of ${images.length.toLocaleString('en-US')} images`;
  throw new StageError(`${of} and label maps don't fit: ${some(inOrder.map(({ text }) => text))}`, {
    hint: hints.length === 0 ? 'replace or remove them' : hints.join('; '),
  });
}
