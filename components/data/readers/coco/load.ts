import { open } from 'node:fs/promises';
import path from 'node:path';
import type { LoadFunction } from '../../../../framework/stage/contract.ts';
import { StageError } from '../../../../framework/stage/stage-error.ts';
import type { ImageInstances, Instance } from '../../targets.ts';
import type { Dataset } from '../../types.ts';
import { formatOf } from '../folder.ts';
import { type Annotations, readAnnotations } from './annotations.ts';
import type { CocoConfig } from './config.ts';
import { type Entry, readInstance } from './entries.ts';
import { absentImages } from './survey.ts';

/**
 * The images and objects of a `coco` component, in the order of the images' numbers. Annotations are read again when they are
 * asked for: memory holds where they are.
 *
 * @throws StageError with what is wrong with the annotations or the folder of images
 */
export const load: LoadFunction<Dataset<ImageInstances>, CocoConfig> = async ({
  config: { split, emptyImages, maxPixels },
  files: { annotations: file, images: folder },
}) => {
  const read = readAnnotations(file!);
  if ('problems' in read) throw refused(file!, read.problems);
  const absent = absentImages(read, folder!);
  if (absent.length > 0) throw refused(folder!, absent);
  const { images, categories } = read;
  const all = Uint32Array.from({ length: images.ids.length }, (_, place) => place);
  const kept = emptyImages === 'skip' ? all.filter((place) => images.hasObjects[place] === 1) : all;
  if (kept.length === 0)
    throw new StageError(`${file}: no image has an object that is learnt from`, {
      hint: "`emptyImages: 'keep'` keeps images without objects",
    });
  const at = (index: number): number => {
    if (index in kept) return kept[index]!;
    throw new RangeError(`image ${index} of a data set of ${kept.length}`);
  };
  const targets = openTargets(file!, read);
  return {
    name: `coco ${split ?? path.basename(file!, '.json')}`,
    count: kept.length,
    classes: categories.map(({ name }) => name),
    classNumbers: categories.map(({ id }) => id),
    notes: notesOf(read, all.length - kept.length),
    target: async (index) => targets(at(index)),
    image: async (index) => {
      const name = images.names[at(index)]!;
      return { format: formatOf(name)!, file: path.join(folder!, name), maxPixels };
    },
  };
};

function refused(
  place: string,
  problems: readonly { readonly message: string; readonly hint: string }[],
): StageError {
  const messages = problems.map(({ message }) => message).join('; it ');
  const hints = [...new Set(problems.map(({ hint }) => hint))].join('; ');
  return new StageError(`${place} ${messages}`, { hint: hints });
}

/** Reads the objects of an image. */
function openTargets(
  file: string,
  { images, categories, entries }: Annotations,
): (place: number) => Promise<ImageInstances> {
  const { first, starts, lengths } = entries;
  const classOf = new Map(categories.map(({ id }, place) => [id, place]));
  return async (place) => {
    const size = { height: images.heights[place]!, width: images.widths[place]! };
    const instances: Instance[] = [];
    const handle = await open(file, 'r');
    try {
      for (let n = first[place]!; n < first[place + 1]!; n++) {
        const bytes = new Uint8Array(lengths[n]!);
        await handle.read(bytes, 0, bytes.length, starts[n]!);
        const entry = JSON.parse(Buffer.from(bytes.buffer).toString('utf8')) as Entry;
        const known = readInstance(entry, size);
        const label = classOf.get(entry.category_id as number);
        // It was whole when it was read first.
        if (known.fault !== undefined || label === undefined)
          throw new StageError(`${file} changed while it was in use`);
        instances.push({ ...known.instance, class: label });
      }
    } finally {
      await handle.close();
    }
    return { imageId: images.ids[place]!, ...size, instances };
  };
}

/** What official trainings leave aside, too, but say. */
function notesOf({ counts }: Annotations, skipped: number): string[] {
  const { outlines, empty, outside } = counts;
  const lines: readonly (readonly [count: number, what: string])[] = [
    [skipped, 'images without objects left out'],
    [outlines, 'outlines of fewer than three points, or of half a point, left out'],
    [empty, 'objects without any other outline, which are not learnt from'],
    [outside, 'objects whose box has no area in the image, which are not learnt from'],
  ];
  return lines.flatMap(([count, what]) => (count > 0 ? [`${what}: ${count.toLocaleString('en-US')}`] : []));
}
