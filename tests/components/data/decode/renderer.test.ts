import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { buffersOf } from '../../../../components/data/decode/worker.ts';
import { onePass, openLoader } from '../../../../components/data/loader.ts';
import type { Dataset } from '../../../../components/data/types.ts';
import { stillViewSchema, viewSchema } from '../../../../components/data/views/view.ts';
import type { StageError } from '../../../../framework/stage/stage-error.ts';

const place = new URL('../../../fixtures/pillow/decode.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(place, 'utf8')) as {
  cases: readonly { readonly name: string; readonly format: 'jpeg'; readonly file: string }[];
};

/** Encoded images of all formats, and raw ones too large to be resized beside everything else. */
const data: Dataset = {
  name: 'files',
  count: 40,
  classes: ['one'],
  target: async () => 0,
  async image(index) {
    const from = cases[index % (cases.length + 1)];
    if (from) return { format: from.format, bytes: Buffer.from(from.file, 'base64'), from: from.name };
    const all = Uint8Array.from({ length: 3 * 100 * 80 + 7 }, (_, i) => i * index);
    return { format: 'raw', bytes: all.subarray(7), height: 100, width: 80, channels: 3 };
  },
};

test('the bytes of batches do not depend on the number of threads, nor on what else was prepared', async (t) => {
  const changes = { jitter: 0.4, randAugment: 'rand-m9-mstd0.5-inc1', erasing: 0.25 };
  const view = viewSchema.parse({ crop: { kind: 'random-resized' }, size: 16, ...changes });
  const options = { batchSize: 12, seed: 1, purpose: 'a', view, steps: 10 };
  const pictures = { images: {}, tokens: { size: 8, interpolation: 'lanczos' as const } };
  const seen = async (workers: number, steps: readonly number[]) => {
    const loader = openLoader(data, { ...options, pictures, workers });
    const batches = [];
    for (const step of steps) batches.push(await loader.batch(step));
    await loader.close();
    return batches;
  };
  const [one, four] = [await seen(1, [0, 1, 2, 3, 4]), await seen(4, [0, 1, 2, 3, 4])];
  t.deepEqual(four, one);
  t.deepEqual(await seen(0, [3, 4]), one.slice(3));
});

test('an image that a thread can not decode is named with what can be done, and the threads go on', async (t) => {
  const view = viewSchema.parse({ size: 16 });
  const some: Dataset = {
    ...data,
    image: async (index) =>
      index === 5
        ? { format: 'jpeg', bytes: Buffer.from(cases[0]!.file, 'base64'), from: 'five.jpg', maxPixels: 9 }
        : data.image(index),
  };
  const options = {
    batchSize: 8,
    seed: 1,
    purpose: 'a',
    view,
    steps: 5,
    workers: 2,
    pictures: { images: {} },
  };
  const loader = openLoader(some, options);
  const outcomes = [];
  for (let step = 0; step < 5; step++)
    outcomes.push(
      await loader.batch(step).then(
        () => 'whole',
        (error: StageError) => `${error.message}; ${error.hint}`,
      ),
    );
  await loader.close();
  t.is(outcomes.filter((outcome) => outcome === 'whole').length, 4);
  t.regex(
    outcomes.find((outcome) => outcome !== 'whole')!,
    /^five\.jpg: has 20 x 12 pixels, more than 9; raise `maxPixels`/,
  );
});

test('threads read and decode the images of the next step while this thread is busy', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'peco-busy-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const image = Buffer.from(cases.find(({ format }) => format === 'jpeg')!.file, 'base64');
  const files = ['0.jpg', '1.jpg'].map((name) => path.join(folder, name));
  writeFileSync(files[0]!, image);
  // What reads a pipe waits for a writer, and a writer that wants not to wait fails without a reader.
  execFileSync('mkfifo', [files[1]!]);
  const pass = onePass(
    {
      ...data,
      count: 2,
      target: async () => 0,
      image: async (index) => ({ format: 'jpeg', file: files[index]! }),
    },
    { batchSize: 1, view: stillViewSchema.parse({ size: 8 }), pictures: { images: {} }, workers: 1 },
  );
  const first = (await pass.next()).value!;
  let writer: number | undefined;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let attempt = 0; writer === undefined && attempt < 2000; attempt++) {
    try {
      writer = openSync(files[1]!, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      Atomics.wait(pause, 0, 0, 5);
    }
  }
  writeSync(writer!, image);
  closeSync(writer!);
  t.deepEqual((await pass.next()).value!.pictures, first.pictures);
});

test("what a thread has made takes its memory along, but not that of Node's pool", (t) => {
  const own = new Uint8Array(3);
  t.deepEqual(buffersOf({ pixels: own, text: 'a', pooled: Buffer.from('bytes') }), [own.buffer]);
});
