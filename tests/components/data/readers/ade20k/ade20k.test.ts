import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import sharp, { type Sharp } from 'sharp';
import { readLabelMap } from '../../../../../components/data/decode/label-map.ts';
import { ade20k } from '../../../../../components/data/readers/ade20k/config.ts';
import { load } from '../../../../../components/data/readers/ade20k/load.ts';
import { tinyAde20k } from '../../../../../components/data/readers/ade20k/tiny.ts';
import { labelMaps } from '../../../../../components/data/readers/label-maps/config.ts';
import { load as loadMaps } from '../../../../../components/data/readers/label-maps/load.ts';
import { random } from '../../../../../components/nn/random.ts';
import { createProject } from '../../../../support/project.ts';
import { leafInput } from '../../../../support/stage-input.ts';

const { root, classes } = tinyAde20k;

test('an image of the shipped folder has the numbers of its label map, lowered by one, and 255 where that is 0', async (t) => {
  t.is(classes.length, 150);
  t.deepEqual(
    [classes[0], classes[20], classes[44], classes[58], classes[149]],
    [...['wall', 'car', 'chest of drawers', 'screen door', 'flag']],
  );
  for (const split of ['training', 'validation'] as const) {
    const component = ade20k({ root, split, expected: { images: 24 } });
    t.deepEqual(component.issues, []);
    t.deepEqual(component.provides, {
      ...{ target: 'label map', size: null, channels: 3 },
      ...{ classes: 150, classNames: classes, images: 24 },
    });
    const data = await load(leafInput(component));
    t.is(data.count, 24);
    const seen = new Map<number, number>();
    const names = readdirSync(tinyAde20k[split].images).sort();
    for (const [index, name] of names.entries()) {
      const [image, target] = await Promise.all([data.image(index), data.target(index)]);
      t.is('file' in image && image.file, path.join(root, 'images', split, name));
      const { labels, height, width } = await readLabelMap(target, 150);
      const file = path.join(root, 'annotations', split, name.replace('.jpg', '.png'));
      const raw = await sharp(file).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
      t.deepEqual([raw.info.height, raw.info.width], [height, width]);
      t.deepEqual(
        Buffer.from(labels),
        Buffer.from(raw.data.map((number) => (number === 0 ? 255 : number - 1))),
      );
      for (const label of new Set(labels)) seen.set(label, (seen.get(label) ?? 0) + 1);
    }
    t.true(seen.size > 8 && [...seen.values()].every((images) => images >= 3));
    await t.throwsAsync(data.target(24), { instanceOf: RangeError });
  }
});

/** Problems as a user sees them. */
function told(
  { issues }: { readonly issues: ReturnType<typeof ade20k>['issues'] },
  ...places: string[]
): string[] {
  return issues.map(({ path: field, message, hint, missing }) =>
    places.reduce(
      (text, place) => text.replaceAll(place, 'ROOT'),
      `${field.join('.')}${missing ? ' (missing)' : ''}: ${message}${hint === undefined ? '' : `\n${hint}`}`,
    ),
  );
}

const grey = (height: number, width: number) =>
  sharp(new Uint8Array(height * width), { raw: { height, width, channels: 1 } }).toColourspace('b-w');

async function write(file: string, image: Sharp): Promise<void> {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, await image.toFormat(file.endsWith('.png') ? 'png' : 'jpeg').toBuffer());
}

/** Three images of 6 x 4 pixels with label maps, laid out as ADE20K, but for the files that are given. */
async function folderOf(t: ExecutionContext, others: { readonly [file: string]: Sharp | undefined } = {}) {
  const place = createProject(t, {}).file('ADEChallengeData2016');
  const files: { [file: string]: Sharp | undefined } = {};
  for (const name of ['a', 'b', 'c'])
    for (const [folder, ending] of [
      ['images', 'jpg'],
      ['annotations', 'png'],
    ] as const)
      for (const split of ['training', 'validation'])
        files[`${folder}/${split}/${name}.${ending}`] = grey(6, 4);
  for (const [file, image] of Object.entries({ ...files, ...others }))
    if (image !== undefined) await write(path.join(place, file), image);
  return place;
}

test('a root that is not there, or one level off, is reported with the tree or with the one that was meant', async (t) => {
  const place = await folderOf(t);
  const above = path.dirname(place);
  t.deepEqual(ade20k({ root: place, split: 'training' }).issues, []);
  const at = (at: string) => told(ade20k({ root: at, split: 'training' }), place, above);
  t.snapshot({
    'not there': at(path.join(above, 'x')),
    'too high': at(above),
    'too low': at(path.join(place, 'images')),
    'far too low': at(path.join(place, 'annotations', 'training')),
    'a variable that is not set': at('$ADE20K'),
  });
  t.is(ade20k({ root: '$ADE20K', split: 'validation' }).provides?.images, 2_000);
  rmSync(path.join(place, 'annotations', 'training'), { recursive: true });
  t.snapshot(at(place), 'half of it');
});

test('images and label maps that have no partner, other files and other counts are reported by name', async (t) => {
  const place = await folderOf(t, {
    'images/training/b.jpg': undefined,
    'annotations/training/c.png': undefined,
    'images/validation/a.png': grey(6, 4),
  });
  const at = (split: 'training' | 'validation', images?: number) =>
    told(ade20k({ root: place, split, ...(images === undefined ? {} : { expected: { images } }) }), place);
  t.snapshot({ training: at('training'), validation: at('validation') });
  writeFileSync(path.join(place, 'annotations/validation/notes.txt'), '');
  t.snapshot(at('validation'), 'a file that is none');
  const whole = await folderOf(t);
  t.snapshot(told(ade20k({ root: whole, split: 'training', expected: { images: 20_210 } }), whole), 'a part');
});

test('a label map has the name of one image, whatever the case of its ending and what is sorted between', async (t) => {
  const place = await folderOf(t, {
    'images/training/b.x.jpg': grey(6, 4),
    'annotations/training/b.x.png': grey(6, 4),
    'annotations/training/c.png': undefined,
  });
  const [images, labels] = ['images', 'annotations'].map((folder) => path.join(place, folder, 'training'));
  const file = await grey(6, 4).png().toBuffer();
  writeFileSync(path.join(labels!, 'c.PNG'), file);
  const maps = labelMaps({ images: images!, labels: labels!, classes: ['cat', 'dog'] });
  t.deepEqual(maps.issues, []);
  const data = await loadMaps(leafInput(maps));
  t.like(await data.target(3), { file: path.join(labels!, 'c.PNG') });
  // In the order of names, b.x.jpg is between them.
  for (const twin of [path.join(images!, 'b.png'), path.join(labels!, 'a.PNG')]) writeFileSync(twin, file);
  t.snapshot(told(labelMaps({ images: images!, labels: labels!, classes: ['cat', 'dog'] }), place));
});

test('sizes and kinds that do not fit are reported by the headers, before anything is trained', async (t) => {
  const place = await folderOf(t, {
    'annotations/training/a.png': grey(4, 6),
    'annotations/training/c.png': sharp({ create: { width: 4, height: 6, channels: 3, background: '#123' } }),
  });
  writeFileSync(path.join(place, 'images/training/b.jpg'), 'GIF89a');
  const error = await t.throwsAsync(load(leafInput(ade20k({ root: place, split: 'training' }))));
  t.snapshot(`${error.message}\n${(error as { hint?: string }).hint}`.replaceAll(place, 'ROOT'));
});

test('other folders with other classes, by numbers from 0 or from 1', async (t) => {
  const place = await folderOf(t);
  const folders = {
    images: path.join(place, 'images/training'),
    labels: path.join(place, 'annotations/training'),
  };
  const maps = labelMaps({ ...folders, classes: ['cat', 'dog'], numbering: 'from-1' });
  t.deepEqual(maps.issues, []);
  t.like(maps.provides, { target: 'label map', images: 3, classes: 2, classNames: ['cat', 'dog'] });
  const data = await loadMaps(leafInput(maps));
  t.deepEqual([data.count, data.classes], [3, ['cat', 'dog']]);
  t.like(await data.target(1), { numbering: 'from-1', file: path.join(folders.labels, 'b.png') });
  t.snapshot(
    told(
      labelMaps({ images: `${place}/x`, labels: '$LABELS', classes: ['cat', 'dog', 'cat'] }),
      path.dirname(place),
    ),
  );
});

test('label maps without a pixel of a class are noted by name, whatever the PNG is like', async (t) => {
  const labelled = (last: number, height = 6, width = 4) => {
    const numbers = new Uint8Array(height * width);
    numbers[numbers.length - 1] = last;
    return sharp(numbers, { raw: { height, width, channels: 1 } }).toColourspace('b-w');
  };
  // Noise of no class: more than the first bytes of the file have.
  const noise = random(0, 'noise');
  const large = Uint8Array.from({ length: 300 * 300 }, (_, at) => (at === 89_999 ? 7 : 255 * noise.int(2)));
  const place = await folderOf(t, {
    'images/training/d.jpg': grey(300, 300),
    'annotations/training/b.png': labelled(3),
    'annotations/training/c.png': labelled(255),
    'annotations/training/d.png': sharp(large, {
      raw: { height: 300, width: 300, channels: 1 },
    }).toColourspace('b-w'),
  });
  t.true(statSync(path.join(place, 'annotations/training/d.png')).size > 8192);
  const { notes } = await load(leafInput(ade20k({ root: place, split: 'training' })));
  t.deepEqual(notes, [
    '2 of 4 label maps have no pixel with a class, and nothing is learnt or measured there; ' +
      'mend their numbers, or remove them with their images: a.png, c.png',
  ]);
  t.is((await load(leafInput(ade20k({ root, split: 'training' })))).notes, undefined);
  const [images, labels] = ['images', 'annotations'].map((folder) => path.join(place, folder, 'training'));
  const maps = labelMaps({ images: images!, labels: labels!, classes: 'abcdefghi'.split('') });
  t.is((await loadMaps(leafInput(maps))).notes, undefined, '0 is a class');
});

test('a smoke run reads the folders that ship', (t) => {
  const smoke = (member: string) =>
    labelMaps({ images: '/a', labels: '/b', classes: ['x', 'y'] }).smoke!({ member, inputs: {} });
  for (const member of ['train', 'test']) t.deepEqual(labelMaps(smoke(member) as never).issues, []);
  const real = ade20k({ root: '/nowhere', split: 'validation', expected: { images: 2_000 } });
  t.deepEqual(ade20k({ root: '', split: 'validation', ...real.smoke!({ inputs: {} }) }).issues, []);
});
