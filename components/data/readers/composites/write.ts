import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { StageError } from '../../../../framework/stage/stage-error.ts';
import { runsOf } from '../../masks/polygon.ts';
import { textOfRuns } from '../../masks/text.ts';
import { targetOf } from '../../subset.ts';
import { type ImageInstances, type LabelMap, noClass } from '../../targets.ts';
import type { Dataset, Pixels } from '../../types.ts';

/**
 * Writes images of the split as class folders, `<root>/<split>/<class>/00000001.png`: what `imageFolder` reads. A name's
 * slash, which no folder can have, becomes a hyphen.
 *
 * @throws StageError as all of these: if an image isn't raw; Error if a file can't be written
 */
export async function writeClassFolders(data: Dataset, root: string, split: string): Promise<void> {
  const folders = data.classes.map((name) => path.join(root, split, name.replaceAll(/[\\/]/g, '-')));
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  for (let index = 0; index < data.count; index++) {
    const label = await targetOf(data, index);
    await writePng(path.join(folders[label]!, `${numbered(index + 1, 8)}.png`), await rawOf(data, index));
  }
}

/**
 * Writes images with label maps as ADE20K has them: `<root>/images/<split>/00000001.png`, and of the same name in
 * `annotations` its map, in which a class is its place plus 1, and 0 is no class. `labelMaps` reads it.
 */
export async function writeLabelMaps(data: Dataset<LabelMap>, root: string, split: string): Promise<void> {
  const [images, labels] = ['images', 'annotations'].map((kind) => path.join(root, kind, split)) as [
    string,
    string,
  ];
  for (const folder of [images, labels]) mkdirSync(folder, { recursive: true });
  for (let index = 0; index < data.count; index++) {
    const name = `${numbered(index + 1, 8)}.png`;
    const map = await targetOf(data, index);
    if (map.format !== 'raw' || map.numbering !== 'from-0')
      throw notRaw(data, index, 'a label map of numbers from 0');
    await writePng(path.join(images, name), await rawOf(data, index));
    const { height, width } = map;
    const bytes = Uint8Array.from(map.numbers, (number) => (number === noClass ? 0 : number + 1));
    await writePng(path.join(labels, name), { bytes, height, width, channels: 1 });
  }
}

/**
 * Writes images with instances as COCO has them: `<root>/<split>/000000000001.png`, and
 * `<root>/annotations/instances_<split>.json` with compressed run lengths. `coco` reads it.
 */
export async function writeCoco(data: Dataset<ImageInstances>, root: string, split: string): Promise<void> {
  const folder = path.join(root, split);
  for (const place of [folder, path.join(root, 'annotations')]) mkdirSync(place, { recursive: true });
  const numbers = data.classes.map((_, place) => data.classNumbers?.[place] ?? place + 1);
  const [images, annotations]: [object[], object[]] = [[], []];
  for (let index = 0; index < data.count; index++) {
    const { imageId, height, width, instances } = await targetOf(data, index);
    const name = `${numbered(imageId, 12)}.png`;
    await writePng(path.join(folder, name), await rawOf(data, index));
    images.push({ id: imageId, file_name: name, height, width });
    for (const { id, class: label, box, area, crowd, mask } of instances) {
      const segmentation = mask && {
        size: [height, width],
        counts: textOfRuns(runsOf(mask, { height, width })),
      };
      const common = { id, image_id: imageId, category_id: numbers[label], bbox: box, area };
      annotations.push({ ...common, iscrowd: crowd ? 1 : 0, ...(segmentation && { segmentation }) });
    }
  }
  const categories = data.classes.map((name, place) => ({ id: numbers[place], name, supercategory: '' }));
  const info = { description: data.name, version: '1.0' };
  const file = path.join(root, 'annotations', `instances_${split}.json`);
  writeFileSync(file, JSON.stringify({ info, licenses: [], images, annotations, categories }));
}

function numbered(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}

async function rawOf<T>(data: Dataset<T>, index: number): Promise<Pixels> {
  const image = await data.image(index);
  if (image.format === 'raw') return image;
  throw notRaw(data, index, 'raw pixels');
}

function notRaw<T>({ name }: Dataset<T>, index: number, what: string): StageError {
  return new StageError(`image ${index} of ${name} isn't ${what}`, {
    hint: 'only data that is composed, such as `composites`, is written to files',
  });
}

/** The same pixels are the same bytes. */
async function writePng(file: string, { bytes, height, width, channels }: Pixels): Promise<void> {
  const image = sharp(bytes, { raw: { height, width, channels } });
  const coloured = channels === 1 ? image.toColourspace('b-w') : image;
  writeFileSync(file, await coloured.png({ palette: false }).toBuffer());
}
