import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { imagesAt } from '../../../../../components/data/loader.ts';
import { imageFolder } from '../../../../../components/data/readers/image-folder/config.ts';
import { load } from '../../../../../components/data/readers/image-folder/load.ts';
import { balancedSubset, labelsOf } from '../../../../../components/data/subset.ts';
import { stillViewSchema } from '../../../../../components/data/views/view.ts';
import { createProject } from '../../../../support/project.ts';
import { leafInput } from '../../../../support/stage-input.ts';

const fixture = new URL('../../../../fixtures/pillow/decode.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(fixture, 'utf8')) as {
  cases: readonly { readonly format: string; readonly file: string; readonly bytes: string }[];
};
const fileOf = (format: string): string => cases.find((one) => one.format === format)!.file;

/** A folder of images; where a name ends with a format, it is such a file. */
function folderOf(
  t: ExecutionContext,
  files: { readonly [name: string]: 'jpeg' | 'png' | 'webp' | 'text' },
): string {
  const project = createProject(t, {});
  for (const [name, format] of Object.entries(files)) {
    project.write({ [`images/${name}`]: '' });
    const bytes = format === 'text' ? 'not an image' : Buffer.from(fileOf(format), 'base64');
    writeFileSync(project.file(`images/${name}`), bytes);
  }
  return project.file('images');
}

test('classes are the folders in order, images are their files in order, whatever the format', async (t) => {
  const root = folderOf(t, {
    'zebra/b.png': 'png',
    'zebra/a.JPEG': 'jpeg',
    'ant/x.webp': 'webp',
    'ant/.hidden': 'text',
    '.cache/note.txt': 'text',
    'zebra/Thumbs.db': 'text',
    '__MACOSX/x': 'text',
  });
  const component = imageFolder({ root });
  t.deepEqual(component.issues, []);
  t.deepEqual(component.config, { maxPixels: 100_000_000, onBadImage: 'fail' });
  t.deepEqual(component.files, { images: root });
  t.deepEqual(component.provides, {
    ...{ target: 'class', size: null, channels: 3, images: 3, classes: 2 },
    ...{ classNames: ['ant', 'zebra'], perClass: [1, 2] },
  });
  const data = await load(leafInput(component));
  t.deepEqual([data.count, data.classes, data.imageSize], [3, ['ant', 'zebra'], undefined]);
  t.deepEqual(await labelsOf(data), Int32Array.of(0, 1, 1));
  const images = await Promise.all([0, 1, 2].map(data.image));
  t.deepEqual(
    images.map((image) => image.format),
    ['webp', 'jpeg', 'png'],
  );
  await t.throwsAsync(data.image(3), { instanceOf: RangeError });
  await t.throwsAsync(data.target(-1), { instanceOf: RangeError });
  // The middle 12 x 12 of the 20 x 12 that Pillow decodes.
  const { shape, data: pixels } = await imagesAt(data, [2], stillViewSchema.parse({ size: 12 }));
  t.deepEqual(shape, [1, 12, 12, 3]);
  const bytes = Buffer.from(cases.find(({ format }) => format === 'png')!.bytes, 'hex');
  for (const [y, x] of [
    [0, 0],
    [7, 3],
    [11, 11],
  ] as const)
    for (let channel = 0; channel < 3; channel++)
      t.is(pixels[(y * 12 + x) * 3 + channel], bytes[(y * 20 + x + 4) * 3 + channel]);
});

test('a damaged file is named when it is shown, and only then', async (t) => {
  const root = folderOf(t, { 'ant/good.png': 'png', 'ant/odd.jpg': 'text', 'bee/good.png': 'png' });
  const component = imageFolder({ root });
  t.deepEqual(component.issues, []);
  const data = await load(leafInput(component));
  const view = stillViewSchema.parse({ size: 8 });
  await t.notThrowsAsync(imagesAt(data, [0, 2], view));
  await t.throwsAsync(imagesAt(data, [1], view), {
    message: `${root}/ant/odd.jpg: can't be decoded: it is something else, not a JPEG, PNG or WebP`,
  });
});

test('any number of classes', async (t) => {
  const files = Array.from(
    { length: 300 },
    (_, i) => [`class-${String(i).padStart(3, '0')}/one.png`, 'png'] as const,
  );
  const data = await load(leafInput(imageFolder({ root: folderOf(t, Object.fromEntries(files)) })));
  const labels = await labelsOf(await balancedSubset(data, 300, 0));
  t.deepEqual([...labels], [...Array(300).keys()]);
});

test('a folder that is not there is missing, with the tree that is expected and what is there instead', (t) => {
  const root = folderOf(t, { 'valid/ant/a.png': 'png', '.cache': 'text', 'notes.txt': 'text' });
  const folder = `${root}/train/of/it`;
  const component = imageFolder({ root: folder, expected: { images: 1_281_167, classes: 1000 } });
  t.deepEqual(component.config, { maxPixels: 100_000_000, onBadImage: 'fail' });
  t.deepEqual(component.provides, {
    ...{ target: 'class', size: null, channels: 3 },
    ...{ images: 1_281_167, classes: 1000 },
  });
  t.deepEqual(imageFolder({ root: folder }).provides, { target: 'class', size: null, channels: 3 });
  const [issue, ...more] = component.issues;
  t.deepEqual(more, []);
  t.deepEqual([issue?.path, issue?.missing], [['root'], true]);
  t.snapshot(`${issue?.message}\n${issue?.hint}`.replaceAll(root, 'ROOT'));
  // A variable that isn't set: there is nothing to look at.
  t.notRegex(imageFolder({ root: '$NOWHERE/train' }).issues[0]!.hint!, /found in/);
});

test('another number of classes or images than expected is one error; without `expected` the folder counts', (t) => {
  const root = folderOf(t, { 'ant/a.png': 'png', 'bee/a.png': 'png', 'bee/b.png': 'png' });
  const told = (expected?: Parameters<typeof imageFolder>[0]['expected']) =>
    imageFolder({ root, expected }).issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const has = 'root: has 2 classes and 3 images';
  t.deepEqual(told(), []);
  t.deepEqual(told({ images: 3 }), []);
  t.deepEqual(told({ images: 3, classes: 2 }), []);
  t.deepEqual(told({ images: 4, classes: 3 }), [`${has}, not the 3 classes that are expected`]);
  t.deepEqual(told({ images: 1_000, classes: 2 }), [`${has}, not the 1,000 images that are expected`]);
  // What is there counts, also where it is another number: only one thing is wrong then.
  t.like(imageFolder({ root, expected: { images: 4 } }).provides, { images: 3, classes: 2 });
});

test('a file that went away, or is a folder with the name of an image, is named when it is shown', async (t) => {
  const root = folderOf(t, { 'ant/a.png': 'png', 'bee/b.png': 'png', 'bee/c.png/d.png': 'png' });
  const data = await load(leafInput(imageFolder({ root })));
  rmSync(`${root}/ant/a.png`);
  const view = stillViewSchema.parse({ size: 8 });
  await t.throwsAsync(imagesAt(data, [0], view), { message: /ant\/a\.png: can't be read \(ENOENT\)$/ });
  await t.throwsAsync(imagesAt(data, [2], view), { message: /bee\/c\.png: can't be read \(EISDIR\)$/ });
});
