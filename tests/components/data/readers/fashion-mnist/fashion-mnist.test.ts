import { createHash, randomFillSync } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { formatIdx, readIdx } from '../../../../../components/data/decode/idx.ts';
import { imagesAt } from '../../../../../components/data/loader.ts';
import { fashionMnist } from '../../../../../components/data/readers/fashion-mnist/config.ts';
import { load } from '../../../../../components/data/readers/fashion-mnist/load.ts';
import { firstOfEachClass } from '../../../../../components/data/readers/fashion-mnist/make-subset.ts';
import { labelsOf } from '../../../../../components/data/subset.ts';
import { leafInput } from '../../../../support/stage-input.ts';

/** A folder with the four official files, holding `count` images whose pixels are all 51 * (index % 6). */
function officialFolder(count: number, labelCount = count): string {
  const folder = mkdtempSync(join(tmpdir(), 'peco-fashion-'));
  const data = Uint8Array.from({ length: count * 784 }, (_, i) => 51 * (Math.floor(i / 784) % 6));
  const labels = Uint8Array.from({ length: labelCount }, (_, i) => i % 10);
  for (const split of ['train', 't10k']) {
    writeFileSync(join(folder, `${split}-images-idx3-ubyte`), formatIdx({ shape: [count, 28, 28], data }));
    writeFileSync(
      join(folder, `${split}-labels-idx1-ubyte`),
      formatIdx({ shape: [labelCount], data: labels }),
    );
  }
  return folder;
}

test('the shipped splits have 1,000 images of each class', async (t) => {
  for (const split of ['train', 'test'] as const) {
    const dataset = await load(leafInput(fashionMnist({ split })));
    const { count, classes } = dataset;
    const labels = await labelsOf(dataset);
    t.is(count, 10_000);
    t.is(classes.length, 10);
    for (let label = 0; label < 10; label++) t.is(labels.filter((one) => one === label).length, 1000);
  }
});

test('the shipped test split is the official one', (t) => {
  const { files } = fashionMnist({ split: 'test' });
  const digest = (file: string, rank: number): string =>
    createHash('sha256')
      .update(formatIdx(readIdx(file, rank)))
      .digest('hex');
  // zcat t10k-images-idx3-ubyte.gz | sha256sum, of the Debian package dataset-fashion-mnist.
  t.is(digest(files.images, 3), '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b');
  t.is(digest(files.labels, 1), '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34');
});

test('images are centred on zeros with three equal channels', async (t) => {
  const dataset = await load(leafInput(fashionMnist({ split: 'train', root: officialFolder(6) })));
  t.is(dataset.imageSize, 32);
  const { data: pixels } = await imagesAt(dataset, [5]);
  t.is(pixels.length, 32 * 32 * 3);
  const at = (y: number, x: number): number[] => [...pixels.subarray((y * 32 + x) * 3, (y * 32 + x) * 3 + 3)];
  t.deepEqual(at(1, 16), [0, 0, 0]);
  t.deepEqual(at(2, 2), [255, 255, 255]); // 51 * 5
  t.deepEqual(at(29, 29), [255, 255, 255]);
  t.deepEqual(at(30, 16), [0, 0, 0]);
  t.deepEqual(at(16, 1), [0, 0, 0]);
});

test('images come in the order asked for', async (t) => {
  const dataset = await load(leafInput(fashionMnist({ split: 'train', size: 28, root: officialFolder(6) })));
  const first = (pixels: ArrayLike<number>, n: number): number => pixels[n * 28 * 28 * 3];
  const { data: pixels } = await imagesAt(dataset, [5, 0, 5]);
  t.deepEqual([first(pixels, 0), first(pixels, 1), first(pixels, 2)], [255, 0, 255]);
});

test('a range is a part of the split', async (t) => {
  const whole = await load(leafInput(fashionMnist({ split: 'train' })));
  const part = await load(leafInput(fashionMnist({ split: 'train', range: [9000, 10_000] })));
  t.is(part.count, 1000);
  t.deepEqual(await labelsOf(part), (await labelsOf(whole)).slice(9000));
  t.deepEqual(await imagesAt(part, [7]), await imagesAt(whole, [9007]));
  for (const ask of [part.image, part.target]) await t.throwsAsync(ask(1000), { instanceOf: RangeError });
});

test('the folder of the official files is not in the config', (t) => {
  const { config, files } = fashionMnist({ split: 'train', root: officialFolder(1) });
  t.deepEqual(config, { split: 'train', size: 32 });
  t.true(files.images.endsWith('train-images-idx3-ubyte'));
});

test('wrong configs are reported by field', (t) => {
  t.snapshot(fashionMnist({ split: 'test', root: tmpdir() }).issues);
  t.snapshot(fashionMnist({ split: 'train', range: [5, 5] }).issues);
  t.snapshot(fashionMnist({ split: 'train', range: [0, 60_000] }).issues);
});

test('images and labels that do not belong together are refused by name, also before anything runs', async (t) => {
  const component = fashionMnist({ split: 'train', root: officialFolder(6, 5) });
  const message = `${component.files.labels}: has 5 labels for the 6 images of ${component.files.images}`;
  await t.throwsAsync(load(leafInput(component)), { message });
  t.deepEqual(
    component.issues.map((issue) => [issue.path, issue.message]),
    [[['root'], message]],
  );
});

/** Ways in which a download goes wrong: of a file's bytes, what is there instead. */
const damages: { readonly [name: string]: (bytes: Buffer) => Uint8Array } = {
  'an empty file': () => new Uint8Array(),
  'half a file': (bytes) => bytes.subarray(0, bytes.length / 2),
  'a file without its last byte': (bytes) => bytes.subarray(0, -1),
  'two bytes too many': (bytes) => Buffer.concat([bytes, Buffer.of(0, 0)]),
  'a page that says that there is no such file': () => Buffer.from('<html>404 Not Found</html>'),
  'the file of the other kind': (bytes) =>
    Buffer.concat([Buffer.of(0, 0, 8, bytes[3] === 1 ? 3 : 1), bytes.subarray(4)]),
  'half of a gzip file': (bytes) => gzipSync(bytes).subarray(0, gzipSync(bytes).length / 2),
};

for (const [name, damage] of Object.entries(damages)) {
  test(`${name} in the place of an official one is reported before anything runs`, (t) => {
    for (const file of ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte']) {
      const root = officialFolder(20);
      writeFileSync(join(root, file), damage(readFileSync(join(root, file))));
      const { issues } = fashionMnist({ split: 'test', root });
      t.is(issues.length, 1, file);
      t.snapshot(
        issues.map((issue) => ({ ...issue, message: issue.message.replaceAll(root, '<root>') })),
        file,
      );
      t.deepEqual(fashionMnist({ split: 'train', root }).issues, []);
    }
  });
}

test('a packed test file that is damaged in the middle is reported before anything runs', (t) => {
  const root = officialFolder(20);
  const file = join(root, 't10k-images-idx3-ubyte');
  // Noise can't be packed, so that a byte in the middle is one of a pixel, and only the checksum notices.
  const noise = formatIdx({ shape: [20, 28, 28], data: randomFillSync(new Uint8Array(20 * 784)) });
  const packed = gzipSync(noise);
  packed[Math.floor(packed.length / 2)] ^= 255;
  writeFileSync(`${file}.gz`, packed);
  const { issues } = fashionMnist({ split: 'test', root });
  t.is(issues.length, 1);
  t.regex(issues[0].message, /t10k-images-idx3-ubyte.gz: isn't a whole gzip file/);
});

test('labels that are no classes, and images of another size, are reported before anything runs', (t) => {
  const root = officialFolder(20);
  const write = (name: string, shape: number[], data: Uint8Array) =>
    writeFileSync(join(root, name), formatIdx({ shape, data }));
  write('train-labels-idx1-ubyte', [20], new Uint8Array(20).fill(12));
  write('t10k-images-idx3-ubyte', [20, 14, 56], new Uint8Array(20 * 784));
  const messages = (['train', 'test'] as const).map(
    (split) => fashionMnist({ split, root }).issues[0].message,
  );
  t.snapshot(messages.map((message) => message.replaceAll(root, '<root>')));
});

test('a component says how many images it has, of what size, and of how many classes', (t) => {
  const root = officialFolder(25);
  // 25 labels 0, 1, ..., 9, 0, ...
  const provided = (range?: [number, number]) =>
    fashionMnist({ split: 'train', root, size: 40, range }).provides;
  t.deepEqual(provided(), {
    size: 40,
    target: 'class',
    channels: 3,
    classes: 10,
    images: 25,
    perClass: [3, 3, 3, 3, 3, 2, 2, 2, 2, 2],
  });
  t.deepEqual(provided([0, 12]), {
    size: 40,
    target: 'class',
    channels: 3,
    classes: 10,
    images: 12,
    perClass: [2, 2, 1, 1, 1, 1, 1, 1, 1, 1],
  });
  t.deepEqual(provided([3, 8]), {
    size: 40,
    target: 'class',
    channels: 3,
    classes: 10,
    images: 5,
    perClass: [0, 0, 0, 1, 1, 1, 1, 1, 0, 0],
  });
  const issues = fashionMnist({ split: 'train', root, range: [0, 26] }).issues;
  t.deepEqual(issues, [{ path: ['range'], message: 'ends beyond the 25 images of the split' }]);
});

test('the subset takes the first of each class in file order', (t) => {
  t.deepEqual(firstOfEachClass(Uint8Array.of(1, 0, 1, 1, 0, 0, 2), 2), [0, 1, 2, 4, 6]);
});
