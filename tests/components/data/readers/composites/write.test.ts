import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { readLabelMap } from '../../../../../components/data/decode/label-map.ts';
import { imagesAt } from '../../../../../components/data/loader.ts';
import { coco } from '../../../../../components/data/readers/coco/config.ts';
import { load as loadCoco } from '../../../../../components/data/readers/coco/load.ts';
import { composites } from '../../../../../components/data/readers/composites/config.ts';
import { load } from '../../../../../components/data/readers/composites/load.ts';
import {
  writeClassFolders,
  writeCoco,
  writeLabelMaps,
} from '../../../../../components/data/readers/composites/write.ts';
import { imageFolder } from '../../../../../components/data/readers/image-folder/config.ts';
import { load as loadFolder } from '../../../../../components/data/readers/image-folder/load.ts';
import { labelMaps } from '../../../../../components/data/readers/label-maps/config.ts';
import { load as loadMaps } from '../../../../../components/data/readers/label-maps/load.ts';
import type { ImageInstances, LabelMap } from '../../../../../components/data/targets.ts';
import type { Dataset } from '../../../../../components/data/types.ts';
import type { Component } from '../../../../../framework/stage/component.ts';
import { leafInput } from '../../../../support/stage-input.ts';

const count = 30;
const all = Array.from({ length: count }, (_, index) => index);

async function open<T>(target: 'class' | 'label map' | 'instances'): Promise<Dataset<T>> {
  return (await load(leafInput(composites({ split: 'test', target, count })))) as unknown as Dataset<T>;
}

const folder = (): string => fs.mkdtempSync(path.join(tmpdir(), 'peco-composites-'));

/** Pixels of all images. */
async function pixels<T>(data: Dataset<T>, indices: readonly number[] = all): Promise<Uint8Array> {
  return Uint8Array.from((await imagesAt({ ...data, imageSize: 64 }, indices)).data);
}

/** A component's input, once nothing is wrong with it. */
function inputOf(component: Component) {
  if (component.issues.length > 0) throw new Error(JSON.stringify(component.issues));
  return leafInput(component);
}

test('composites in the layout of COCO are read as the same pixels, boxes and masks', async (t) => {
  const [data, root] = [await open<ImageInstances>('instances'), folder()];
  await writeCoco(data, root, 'val2017');
  const read = await loadCoco(inputOf(coco({ root, split: 'val2017' })));
  t.deepEqual([read.count, read.classes], [count, data.classes]);
  for (const index of all) t.deepEqual(await read.target(index), await data.target(index));
  t.deepEqual(await pixels(read), await pixels(data));
});

test('composites in the layout of ADE20K are read as the same pixels and label maps', async (t) => {
  const [data, root] = [await open<LabelMap>('label map'), folder()];
  await writeLabelMaps(data, root, 'validation');
  const [images, labels] = ['images', 'annotations'].map((kind) => path.join(root, kind, 'validation'));
  const classes = [...data.classes];
  const read = await loadMaps(
    inputOf(labelMaps({ images: images!, labels: labels!, classes, numbering: 'from-1' })),
  );
  for (const index of all) {
    const [found, wanted] = [await read.target(index), await data.target(index)];
    t.deepEqual(await readLabelMap(found, classes.length), await readLabelMap(wanted, classes.length));
  }
  t.deepEqual(await pixels(read), await pixels(data));
});

test('composites in class folders are read as the same pixels and classes', async (t) => {
  const [data, root] = [await open<number>('class'), folder()];
  await writeClassFolders(data, root, 'val');
  // A folder of a class that none of so few scenes is of would be refused.
  for (const name of fs.readdirSync(path.join(root, 'val'))) {
    const place = path.join(root, 'val', name);
    if (fs.readdirSync(place).length === 0) fs.rmdirSync(place);
  }
  const read = await loadFolder(inputOf(imageFolder({ root: path.join(root, 'val') })));
  t.is(read.count, count);
  // Class by class, and in each in order.
  const names = data.classes.map((name) => name.replace('/', '-'));
  const labels = await Promise.all(all.map((index) => data.target(index)));
  const order = read.classes.flatMap((name) => all.filter((index) => names[labels[index]!] === name));
  t.deepEqual(await pixels(read), await pixels(data, order));
});

test('only what is composed is written', async (t) => {
  const data = await open<number>('class');
  const encoded: Dataset = { ...data, image: async () => ({ format: 'png', file: '/photos/1.png' }) };
  const error = await t.throwsAsync(writeClassFolders(encoded, folder(), 'val'));
  t.regex(error.message, /^image 0 of composites test of 30 scenes isn't raw pixels$/);
});
