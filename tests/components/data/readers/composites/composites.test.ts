import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { encodeGrid } from '../../../../../components/data/decode/png.ts';
import { decodeMask } from '../../../../../components/data/masks/runs.ts';
import { composites } from '../../../../../components/data/readers/composites/config.ts';
import { rangeOf } from '../../../../../components/data/readers/composites/items.ts';
import { load } from '../../../../../components/data/readers/composites/load.ts';
import { listPhotographs } from '../../../../../components/data/readers/composites/photographs.ts';
import type { ImageInstances, LabelMap } from '../../../../../components/data/targets.ts';
import type { Dataset, ImageBytes } from '../../../../../components/data/types.ts';
import { leafInput } from '../../../../support/stage-input.ts';

type Input = Parameters<typeof composites>[0];

async function open<T>(input: Input): Promise<Dataset<T>> {
  return (await load(leafInput(composites(input)))) as unknown as Dataset<T>;
}

async function pixelsOf<T>(data: Dataset<T>, index: number): Promise<Uint8Array> {
  return ((await data.image(index)) as Extract<ImageBytes, { format: 'raw' }>).bytes;
}

const seen = 40;

test('scenes are a function of the config and the index: any order, any target, any count', async (t) => {
  const [some, others, fewer] = [
    await open<number>({ split: 'train' }),
    await open<LabelMap>({ split: 'train', target: 'label map' }),
    await open<ImageInstances>({ split: 'train', target: 'instances', count: 30 }),
  ];
  const backwards = new Map<number, Uint8Array>();
  for (let index = 29; index >= 0; index--) backwards.set(index, await pixelsOf(others, index));
  for (let index = 0; index < 30; index++) {
    t.deepEqual(await pixelsOf(some, index), backwards.get(index)!);
    t.deepEqual(await pixelsOf(fewer, index), backwards.get(index)!);
  }
  t.deepEqual([some.count, others.count, fewer.count], [20_000, 20_000, 30]);
  for (const ask of [fewer.image, fewer.target]) await t.throwsAsync(ask(30), { instanceOf: RangeError });
});

test('another seed, split or size is another scene', async (t) => {
  const first = await pixelsOf(await open({ split: 'train' }), 0);
  for (const input of [{ split: 'test' }, { split: 'validation' }, { split: 'train', seed: 1 }] as const)
    t.notDeepEqual(await pixelsOf(await open(input), 0), first);
  const large = await open({ split: 'train', size: 96 });
  t.is(large.imageSize, 96);
  t.is((await pixelsOf(large, 0)).length, 96 * 96 * 3);
});

test('the three targets of a scene say the same', async (t) => {
  const size = 80;
  const classes = await open<number>({ split: 'test', size });
  const maps = await open<LabelMap>({ split: 'test', size, target: 'label map' });
  const objects = await open<ImageInstances>({ split: 'test', size, target: 'instances' });
  t.deepEqual(maps.classes, ['background', ...classes.classes]);
  t.deepEqual(objects.classes, classes.classes);
  const [counts, ids] = [new Set<number>(), new Set<number>()];
  for (let index = 0; index < seen; index++) {
    const map = await maps.target(index);
    if (map.format !== 'raw') return t.fail();
    const { instances, height, width, imageId } = await objects.target(index);
    t.deepEqual([height, width, imageId], [size, size, index + 1]);
    counts.add(instances.length);
    const drawn = new Uint8Array(size * size);
    for (const { mask, class: label, area, box, id } of instances) {
      if (!mask || !('counts' in mask)) return t.fail();
      const bitmap = decodeMask(mask);
      t.is(
        bitmap.reduce((sum, bit) => sum + bit, 0),
        area,
      );
      t.deepEqual(box, tightBox(bitmap, size));
      for (let at = 0; at < bitmap.length; at++) if (bitmap[at]) drawn[at] = label + 1;
      ids.add(id);
    }
    const numbers = Uint8Array.from(map.numbers);
    t.true(numbers.every((number, at) => number === drawn[at] || (number === 255 && drawn[at] === 0)));
    const largest = instances.reduce((one, other) => (other.area > one.area ? other : one));
    t.is(await classes.target(index), largest.class);
  }
  t.deepEqual([...counts].sort(), [1, 2, 3]);
  t.is(Math.min(...ids) > 0 && ids.size >= seen, true);
});

/** By looking at each pixel. */
function tightBox(bitmap: Uint8Array, size: number): [number, number, number, number] {
  const places = [...bitmap.keys()].filter((at) => bitmap[at] === 1);
  const [xs, ys] = [places.map((at) => at % size), places.map((at) => Math.floor(at / size))];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return [left, top, Math.max(...xs) + 1 - left, Math.max(...ys) + 1 - top];
}

test('the colour of objects says nothing of their class', async (t) => {
  const classes = await open<number>({ split: 'train' });
  const maps = await open<LabelMap>({ split: 'train', target: 'label map' });
  const rows: { label: number; mean: number[] }[] = [];
  for (let index = 0; index < 500; index++) {
    const [map, pixels, label] = [
      await maps.target(index),
      await pixelsOf(maps, index),
      await classes.target(index),
    ];
    if (map.format !== 'raw') return t.fail();
    const [sums, count] = [[0, 0, 0], map.numbers.filter((number) => number === label + 1).length];
    for (let at = 0; at < map.numbers.length; at++)
      if (map.numbers[at] === label + 1) for (const c of [0, 1, 2]) sums[c]! += pixels[at * 3 + c]! / count;
    rows.push({ label, mean: sums });
  }
  const [train, test] = [rows.slice(0, 250), rows.slice(250)];
  // The nearest of the means of each class, as the best guess by colour.
  const centres = Array.from({ length: 10 }, (_, label) => {
    const own = train.filter((row) => row.label === label);
    return [0, 1, 2].map((c) => own.reduce((sum, row) => sum + row.mean[c]! / own.length, 0));
  });
  const distance = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, x, n) => sum + (x - b[n]!) ** 2, 0);
  const right = test.filter(({ mean, label }) => {
    const nearest = centres.reduce(
      (best, centre, n) => (distance(mean, centre) < distance(mean, centres[best]!) ? n : best),
      0,
    );
    return nearest === label;
  });
  // Chance is 10 %, with a deviation of 1.9.
  t.true(right.length < 0.18 * test.length, `${right.length} of ${test.length}`);
});

test('a scene shows as many objects as its config says', async (t) => {
  const lone = await open<ImageInstances>({
    split: 'train',
    target: 'instances',
    objects: [1, 1],
    clutter: [0, 0],
  });
  for (let index = 0; index < seen; index++) t.is((await lone.target(index)).instances.length, 1);
  const many = await open<ImageInstances>({
    split: 'train',
    target: 'instances',
    objects: [6, 6],
    count: seen,
  });
  const counts = await Promise.all(
    Array.from({ length: seen }, async (_, n) => (await many.target(n)).instances.length),
  );
  t.true(Math.max(...counts) === 6 && Math.min(...counts) >= 1, `${counts}`);
});

test('`area` is the share of the scene that the largest object has, where nothing cuts it off', async (t) => {
  const lone = { split: 'train', target: 'instances', objects: [1, 1], clutter: [0, 0] } as const;
  const data = await open<ImageInstances>({ ...lone, size: 128, area: [0.1, 0.1] });
  const areas: number[] = [];
  for (let index = 0; index < seen; index++)
    areas.push((await data.target(index)).instances[0]!.area / 128 ** 2);
  areas.sort((a, b) => a - b);
  t.true(Math.abs(areas[seen / 2]! - 0.1) < 0.005 && areas[seen - 1]! < 0.11, `${areas}`);
});

test('without `spread` the largest object is in the middle, and upright', async (t) => {
  const lone = { split: 'train', target: 'instances', objects: [1, 1], clutter: [0, 0] } as const;
  const still = await open<ImageInstances>({ ...lone, spread: 0 });
  const far = await open<ImageInstances>({ ...lone });
  let furthest = 0;
  for (let index = 0; index < seen; index++) {
    const distance = async (data: Dataset<ImageInstances>) => {
      const [left, top, width, height] = (await data.target(index)).instances[0]!.box;
      return Math.max(Math.abs(left + width / 2 - 32), Math.abs(top + height / 2 - 32));
    };
    t.true((await distance(still)) <= 1);
    furthest = Math.max(furthest, await distance(far));
  }
  // A fifth of 64 pixels, and some more where the frame cuts it off.
  t.true(furthest > 9 && furthest < 18, `${furthest}`);
});

test('`contrast` darkens what is behind objects, and moves none of them', async (t) => {
  const lone = { split: 'train', target: 'label map', objects: [1, 1], clutter: [0, 0] } as const;
  const means: number[] = [];
  const maps: LabelMap[][] = [];
  for (const contrast of [0, 1]) {
    const data = await open<LabelMap>({ ...lone, contrast });
    let [sum, count] = [0, 0];
    const seenMaps: LabelMap[] = [];
    for (let index = 0; index < 40; index++) {
      const [map, pixels] = [await data.target(index), await pixelsOf(data, index)];
      if (map.format !== 'raw') return t.fail();
      seenMaps.push(map);
      for (let at = 0; at < map.numbers.length; at++)
        if (map.numbers[at] === 0) [sum, count] = [sum + pixels[at * 3 + 1]!, count + 1];
    }
    means.push(sum / count);
    maps.push(seenMaps);
  }
  t.deepEqual(maps[0], maps[1]);
  // 1 - 0.75 of it, up to noise and what is too bright or too dark for a byte.
  t.true(means[1]! / means[0]! > 0.2 && means[1]! / means[0]! < 0.32, `${means}`);
});

test('no item is in two splits', (t) => {
  t.deepEqual(rangeOf('train', 10_000), [0, 8000]);
  t.deepEqual(rangeOf('validation', 10_000), [8000, 10_000]);
  const { train, test } = { train: composites({ split: 'train' }), test: composites({ split: 'test' }) };
  t.notDeepEqual(train.files.images, test.files.images);
  t.deepEqual(composites({ split: 'validation' }).files, train.files);
});

/** A folder of photographs of one colour each, whose red is their number. */
function photographs(count: number): string {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'peco-photographs-'));
  for (let n = 0; n < count; n++) {
    const pixels = Uint8Array.from({ length: 70 * 70 * 3 }, (_, at) => (at % 3 === 0 ? 10 * n : 200));
    fs.writeFileSync(
      path.join(folder, `${String(n).padStart(2, '0')}.png`),
      encodeGrid(pixels, { size: 70 }),
    );
  }
  fs.writeFileSync(path.join(folder, 'LICENCE'), 'mine');
  return folder;
}

test('photographs of a folder are backgrounds, each of one split only', async (t) => {
  const backgrounds = photographs(20);
  const lists = (['train', 'validation', 'test'] as const).map((split) =>
    listPhotographs(backgrounds, split),
  );
  t.deepEqual(
    lists.map((names) => names.length),
    [14, 2, 4],
  );
  t.is(new Set(lists.flat()).size, 20);
  const component = composites({ split: 'test', backgrounds });
  t.deepEqual(component.issues, []);
  t.is(component.config.backgrounds, 'given');
  const bare = await open<number>({ split: 'test', backgrounds, clutter: [0, 0], objects: [1, 1] });
  for (let index = 0; index < 10; index++) {
    const pixels = await pixelsOf(bare, index);
    // Lit as a scene is, but green and blue of the corner are what the photograph has alike, up to light and noise.
    const [, green, blue] = pixels;
    t.true(Math.abs(green! - blue!) < 90 && green! > 40, `${pixels.subarray(0, 3)}`);
  }
});

test('what does not fit is reported by field', (t) => {
  const masked = ({ issues }: { readonly issues: readonly object[] }) =>
    JSON.parse(
      JSON.stringify(issues)
        .replaceAll(tmpdir(), '<tmp>')
        .replaceAll(/peco-photographs-\w+/g, 'photographs'),
    );
  t.snapshot(masked(composites({ split: 'train', objects: [3, 1] })), 'objects');
  t.snapshot(masked(composites({ split: 'train', objects: [0, 9] })), 'bounds');
  t.snapshot(masked(composites({ split: 'train', size: 16 })), 'size');
  t.snapshot(masked(composites({ split: 'train', area: [0.3, 0.6] })), 'area');
  t.snapshot(masked(composites({ split: 'train', backgrounds: path.join(tmpdir(), 'none') })), 'no folder');
  t.snapshot(masked(composites({ split: 'train', backgrounds: photographs(3) })), 'few photographs');
  t.snapshot(masked(composites({ split: 'train', root: tmpdir() })), 'no items');
  t.snapshot(masked(composites({ split: 'val' } as never)), 'split');
});
