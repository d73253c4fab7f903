import test from 'ava';
import { imageBatches } from '../../../components/data/image-batches.ts';
import { imagesOf } from '../../support/images.ts';

/** Images of two pixels across: the left ones tell which image it is, the right ones are 0. */
const dataset = imagesOf(Uint8Array.from(Array.from({ length: 10 }, (_, i) => [i + 1, 0, i + 1, 0]).flat()), {
  size: 2,
  channels: 1,
});
const options = { batchSize: 4, seed: 3, purpose: 'a', flip: true };

test('every image is shown once before any is shown again', async (t) => {
  const next = imageBatches(dataset, options);
  const batches = await Promise.all([0, 1, 2, 3, 4].map(next));
  const order = batches.flatMap(({ indices }) => [...indices]);
  t.is(new Set(order.slice(0, 10)).size, 10);
  t.is(new Set(order.slice(10)).size, 10);
});

test('a batch is a function of its step: a training that resumes sees the same', async (t) => {
  const through = imageBatches(dataset, options);
  const all = await Promise.all([0, 1, 2, 3, 4, 5].map(through));
  const resumed = imageBatches(dataset, options);
  t.deepEqual(await resumed(5), all[5]);
  t.deepEqual(await resumed(2), all[2]);
});

test('images are mirrored where the flag says so, about half of them', async (t) => {
  const next = imageBatches(dataset, options);
  let mirrored = 0;
  for (let step = 0; step < 100; step++) {
    const { images, indices, flips } = await next(step);
    for (const [place, index] of indices.entries()) {
      const pixel = (x: number) => Math.round(255 * images.data[place * 12 + x * 3]);
      t.is(pixel(flips[place] ? 1 : 0), index + 1);
      t.is(pixel(flips[place] ? 0 : 1), 0);
      mirrored += flips[place];
    }
  }
  // 400 draws of one half: 200 with a deviation of 10.
  t.true(Math.abs(mirrored - 200) < 50, String(mirrored));
});

test('trainings of one seed see different images: each has a stream of its own', async (t) => {
  const [a, b] = ['tokenizer', 'pretraining'].map((purpose) =>
    imageBatches(dataset, { ...options, purpose }),
  );
  const seen = async (next: typeof a) => {
    const batches = await Promise.all([0, 1, 2, 3, 4].map(next));
    return {
      indices: batches.map((batch) => [...batch.indices]),
      flips: batches.map((batch) => [...batch.flips]),
    };
  };
  const [first, second] = [await seen(a), await seen(b)];
  t.notDeepEqual(first.indices, second.indices);
  t.notDeepEqual(first.flips, second.flips);
});
