import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { imageSize } from '../../../../../components/data/decode/image-size.ts';
import { runsOf } from '../../../../../components/data/masks/polygon.ts';
import { decodeMask } from '../../../../../components/data/masks/runs.ts';
import { cocoCategories } from '../../../../../components/data/readers/coco/classes.ts';
import { coco } from '../../../../../components/data/readers/coco/config.ts';
import { load } from '../../../../../components/data/readers/coco/load.ts';
import { tinyCoco } from '../../../../../components/data/readers/coco/tiny.ts';
import type { ImageInstances } from '../../../../../components/data/targets.ts';
import { leafInput } from '../../../../support/stage-input.ts';

const { root } = tinyCoco;

/** What pycocotools gives; made by tiny.py beside it. */
interface Known {
  readonly id: number;
  readonly file: string;
  readonly height: number;
  readonly width: number;
  readonly objects: readonly (readonly [number, number, number, number[], number, string])[];
}
const fixture = new URL('../../../../fixtures/coco/tiny.json', import.meta.url);
const known = JSON.parse(readFileSync(fixture, 'utf8')) as {
  readonly [split in 'train2017' | 'val2017']: Known[];
};

/** A target as tiny.py writes it; pycocotools has 1 byte a pixel, row by row. */
function described({ height, width, instances }: ImageInstances): unknown[] {
  return instances.map(({ id, class: label, crowd, box, area, mask }) => {
    const bitmap = decodeMask(runsOf(mask!, { height, width }));
    const digest = createHash('sha256').update(bitmap).digest('hex').slice(0, 16);
    return [id, label, crowd ? 1 : 0, [...box], area, digest];
  });
}

test('images and objects are those of pycocotools, in the order of the images', async (t) => {
  for (const split of ['train2017', 'val2017'] as const) {
    const component = coco({ root, split, emptyImages: 'keep' });
    t.deepEqual(component.issues, []);
    const data = await load(leafInput(component));
    t.is(data.count, known[split].length);
    for (const [index, { id, file, height, width, objects }] of known[split].entries()) {
      const [target, image] = await Promise.all([data.target(index), data.image(index)]);
      t.like(target, { imageId: id, height, width });
      t.deepEqual(described(target), objects as unknown[]);
      t.is('file' in image && image.file, path.join(root, split, file));
      t.deepEqual('file' in image && (await imageSize(image.file)), { height, width });
    }
    await t.throwsAsync(data.image(24), { instanceOf: RangeError });
    await t.throwsAsync(data.target(-1), { instanceOf: RangeError });
  }
});

test('a split says what it holds; images without objects are left out of the training as detectron2 does', async (t) => {
  const [train, val] = (['train2017', 'val2017'] as const).map((split) => coco({ root, split }));
  t.like(train!.config, { emptyImages: 'skip' });
  t.like(val!.config, { emptyImages: 'keep' });
  const names = cocoCategories.map(({ name }) => name);
  const facts = { target: 'instances', size: null, channels: 3, classes: 80, classNames: names, masks: true };
  // One of 24 has no annotation, and two have groups only.
  t.deepEqual(
    [train!.provides, val!.provides],
    [
      { ...facts, images: 21, withObjects: 21, objects: 57 },
      { ...facts, images: 24, withObjects: 21, objects: 50 },
    ],
  );
  const data = await load(leafInput(train!));
  t.is(data.count, 21);
  t.deepEqual(data.notes, ['images without objects left out: 3']);
  const with0 = known.train2017.filter(({ objects }) => objects.some(([, , crowd]) => crowd === 0));
  const ids = await Promise.all(with0.map(async (_, index) => (await data.target(index)).imageId));
  t.deepEqual(
    ids,
    with0.map(({ id }) => id),
  );
  t.deepEqual([data.classes, data.classNumbers], [names, cocoCategories.map(({ id }) => id)]);
  // The numbers of the ten that were dropped: the official list.
  t.deepEqual(
    Array.from({ length: 90 }, (_, n) => n + 1).filter((id) => !data.classNumbers!.includes(id)),
    [12, 26, 29, 30, 45, 66, 68, 69, 71, 83],
  );
});

test('the shipped folder has what the real one has: every kind of mask, several sizes, three objects of each class', async (t) => {
  for (const split of ['train2017', 'val2017'] as const) {
    const data = await load(leafInput(coco({ root, split, emptyImages: 'keep' })));
    const targets = await Promise.all(Array.from({ length: data.count }, (_, index) => data.target(index)));
    const objects = targets.flatMap(({ instances }) => instances);
    const perClass = new Map<number, number>();
    for (const { class: label } of objects) perClass.set(label, (perClass.get(label) ?? 0) + 1);
    t.true([...perClass.values()].every((count) => count >= 3) && perClass.size >= 8);
    t.is(new Set(targets.map(({ height, width }) => `${height}x${width}`)).size, 4);
    const kinds = objects.map(({ mask, crowd }) =>
      mask && 'outlines' in mask ? Math.min(2, mask.outlines.length) : crowd ? 'crowd' : 'runs',
    );
    t.deepEqual([...new Set(kinds.map(String))].sort(), ['1', '2', 'crowd', 'runs']);
    t.is(targets.filter(({ instances }) => instances.length === 0).length, 1);
  }
});
