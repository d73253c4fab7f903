import test from 'ava';
import { imagesAt, onePass, openLoader, type Sampled } from '../../../components/data/loader.ts';
import type { Dataset } from '../../../components/data/types.ts';
import { plainView, viewSchema } from '../../../components/data/views/view.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { StageError } from '../../../framework/stage/stage-error.ts';
import { imagesOf } from '../../support/images.ts';

/** Images of 4 x 4 in which every pixel says which image it is, and which place. */
const count = 10;
const data = imagesOf(
  Uint8Array.from({ length: count * 16 }, (_, i) => 16 * Math.floor(i / 16) + (i % 16)),
  { size: 4, channels: 1 },
);
const view = viewSchema.parse({});
const options = { batchSize: 4, seed: 3, purpose: 'a', view, pictures: { images: {} }, workers: 0 };

/** Bytes of each image of a batch, one channel. */
function bytesOf({ pictures }: Sampled<number>, name = 'images'): number[][] {
  const { shape, data: values } = pictures[name];
  const [batch, size] = shape;
  return Array.from({ length: batch }, (_, n) =>
    Array.from({ length: size * size }, (_, i) => values[(n * size * size + i) * 3]),
  );
}

const plain = (index: number): number[] => Array.from({ length: 16 }, (_, i) => 16 * index + i);
const mirrored = (index: number): number[] =>
  plain(index).map((_, i) => 16 * index + (i - (i % 4)) + 3 - (i % 4));

test('images pass untouched or mirrored, with their targets, each once before any is shown again', async (t) => {
  const loader = openLoader(data, options);
  const seen: number[] = [];
  let flips = 0;
  for (let step = 0; step < 100; step++) {
    const batch = await loader.batch(step);
    for (const [place, bytes] of bytesOf(batch).entries()) {
      const index = batch.indices[place];
      const isMirrored = bytes[0] !== plain(index)[0];
      t.deepEqual(bytes, isMirrored ? mirrored(index) : plain(index));
      t.is(batch.targets[place], index % 2);
      if (isMirrored) flips++;
    }
    seen.push(...batch.indices);
  }
  for (let epoch = 0; epoch < 40; epoch++)
    t.is(new Set(seen.slice(epoch * count, (epoch + 1) * count)).size, count);
  // 400 draws of one half: 200 with a deviation of 10.
  t.true(Math.abs(flips - 200) < 50, String(flips));
  await loader.close();
});

test('a batch is a function of its step, whatever was asked for before', async (t) => {
  const through = openLoader(data, options);
  const all = [];
  for (let step = 0; step < 8; step++) all.push(await through.batch(step));
  const resumed = openLoader(data, { ...options, steps: 8 });
  for (const step of [5, 6, 2, 7, 7]) t.deepEqual(await resumed.batch(step), all[step]);
  for (const other of [{ seed: 4 }, { purpose: 'b' }])
    t.notDeepEqual((await openLoader(data, { ...options, ...other }).batch(0)).indices, all[0].indices);
});

test('what is drawn for an image in an epoch does not depend on the size of the batches', async (t) => {
  const wide = viewSchema.parse({ crop: { kind: 'random-resized' }, size: 3 });
  const shown = async (batchSize: number) => {
    const loader = openLoader(data, { ...options, view: wide, batchSize });
    const all: [number, number[]][] = [];
    for (let step = 0; step * batchSize < 3 * count; step++) {
      const batch = await loader.batch(step);
      for (const [place, bytes] of bytesOf(batch).entries()) all.push([batch.indices[place], bytes]);
    }
    return all.slice(0, 3 * count);
  };
  const all = await shown(1);
  t.deepEqual(await shown(7), all);
  // Not the same in every epoch.
  const first = all.filter(([index]) => index === 0).map(([, bytes]) => String(bytes));
  t.true(new Set(first).size > 1);
});

test('pictures of one image show the same crop and flip', async (t) => {
  // Left half dark, right half light: the border says where the crop is, and which side is dark whether it is mirrored.
  const halves = imagesOf(
    Uint8Array.from({ length: 5 * 64 * 64 }, (_, i) => (i % 64 < 32 ? 0 : 255)),
    { size: 64, channels: 1 },
  );
  const wide = viewSchema.parse({ crop: { kind: 'random-resized', scale: [0.2, 0.5] } });
  const loader = openLoader(halves, {
    ...options,
    view: wide,
    pictures: { images: { size: 32 }, tokens: { size: 16, interpolation: 'lanczos' } },
  });
  const sides = new Set<string>();
  for (let step = 0; step < 10; step++) {
    const batch = await loader.batch(step);
    t.deepEqual(batch.pictures.images.shape, [4, 32, 32, 3]);
    const [large, small] = [bytesOf(batch), bytesOf(batch, 'tokens')];
    for (let n = 0; n < 4; n++) {
      const share = (bytes: number[]) => bytes.reduce((sum, byte) => sum + byte, 0) / bytes.length / 255;
      t.true(Math.abs(share(large[n]) - share(small[n])) < 0.02);
      if (large[n][0] !== large[n][31]) {
        t.is(large[n][0] > 128, small[n][0] > 128);
        sides.add(large[n][0] > 128 ? 'light' : 'dark');
      }
    }
  }
  t.deepEqual([...sides].sort(), ['dark', 'light']);
});

test('the next batches are prepared while one is in use, and no more of them', async (t) => {
  const asked: number[] = [];
  const watched: Dataset = {
    ...data,
    image: (index) => {
      asked.push(index);
      return data.image(index);
    },
  };
  const loader = openLoader(watched, { ...options, steps: 5 });
  const turns = async (many: number) => {
    for (let turn = 0; turn < many; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const first = await loader.batch(0);
  while (asked.length < 12) await turns(1);
  await turns(100);
  t.is(asked.length, 12);
  t.deepEqual(asked.slice(0, 4), [...first.indices]);
  for (let step = 1; step < 5; step++) await loader.batch(step);
  await turns(100);
  // None past the last step.
  t.is(asked.length, 20);
  await loader.close();
});

test('a pass shows every image once, in order, the last batch filled up', async (t) => {
  const pass = { batchSize: 4, view: plainView, pictures: { images: {} }, workers: 0 };
  const seen = [];
  for await (const batch of onePass(data, pass)) seen.push(batch);
  t.deepEqual(
    seen.map(({ indices, real }) => [[...indices], real]),
    [
      [[0, 1, 2, 3], 4],
      [[4, 5, 6, 7], 4],
      [[8, 9, 8, 8], 2],
    ],
  );
  t.deepEqual(bytesOf(seen[2]), [8, 9, 8, 8].map(plain));
  t.deepEqual(seen[2].targets, [0, 1, 0, 0]);
});

test('an image that can not be read is named, in a pass and in a training, whose other batches remain', async (t) => {
  const broken: Dataset = {
    ...data,
    image: async (index) =>
      index === 6 ? { format: 'png', bytes: Uint8Array.of(1, 2, 3), from: 'six.png' } : data.image(index),
  };
  const message = /^six\.png: can't be decoded: /;
  const pass = { batchSize: 4, view: plainView, pictures: { images: {} }, workers: 0 };
  const done: number[] = [];
  await t.throwsAsync(
    async () => {
      for await (const { indices } of onePass(broken, pass)) done.push(indices[0]);
    },
    { message },
  );
  t.deepEqual(done, [0]);
  const loader = openLoader(broken, options);
  let failures = 0;
  for (let step = 0; step < 5; step++) {
    await loader.batch(step).catch((error: Error) => {
      t.regex(error.message, message);
      failures++;
    });
  }
  // Twice in two epochs, unless both are in one batch.
  t.true(failures === 1 || failures === 2);
  const nameless: Dataset = { ...broken, image: async () => ({ format: 'jpeg', bytes: new Uint8Array(3) }) };
  await t.throwsAsync(imagesAt(nameless, [2]), { message: /^image 2 of images of a test: can't be decoded/ });
});

test('a pass that is asked to stop rejects with the reason', async (t) => {
  const stop = new AbortController();
  const pass = { batchSize: 4, view: plainView, pictures: { images: {} }, workers: 0, signal: stop.signal };
  await t.throwsAsync(
    async () => {
      for await (const _ of onePass(data, pass)) stop.abort(new Error('enough'));
    },
    { message: 'enough' },
  );
});

test('images of no common size need a size, and a shift moves pictures of one size only', (t) => {
  const { imageSize: _, ...odd } = data;
  t.is(
    formatError(t.throws(() => openLoader(odd, options))),
    'the images of images of a test have no size in common\n  give the view a size: `view: { size: 224 }`',
  );
  const moving = viewSchema.parse({ crop: { kind: 'shift', distance: 1 } });
  const pictures = { a: { size: 4 }, b: { size: 8 } };
  t.regex(
    formatError(t.throws(() => openLoader(data, { ...options, view: moving, pictures }))),
    /^a crop that shifts .*\n {2}choose another `view\.crop`/,
  );
});

test('an image that is not of the size that its data says is refused, not resized in silence', async (t) => {
  const lying = { ...data, imageSize: 5 };
  await t.throwsAsync(imagesAt(lying, [1]), {
    message: 'image 1 of images of a test: has 4 x 4 pixels, but its data set says 5 x 5',
  });
});

test('what a reader rejects with is reported with the image', async (t) => {
  const rejecting: Dataset = { ...data, image: async () => Promise.reject(new Error('the disk is gone')) };
  await t.throwsAsync(imagesAt(rejecting, [7]), { message: 'image 7 of images of a test: the disk is gone' });
});

test('an image without a file and without bytes is named, with what a reader gives', async (t) => {
  for (const wrong of [
    undefined,
    {},
    { format: 'jpeg' },
    { format: 'jpeg', file: 7 },
    { format: 'raw', bytes: [1] },
  ]) {
    const dataset = { ...data, image: async () => wrong } as unknown as Dataset;
    const error = await t.throwsAsync(imagesAt(dataset, [7]), { instanceOf: StageError });
    t.is(error.message, 'image 7 of images of a test: its reader gives neither a `file` nor `bytes`');
    t.regex(error.hint!, /`image\(index\)` of a data set gives/);
  }
});
