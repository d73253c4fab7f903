import test from 'ava';
import { imageBatches } from '../../../components/data/image-batches.ts';
import type { Dataset } from '../../../components/data/types.ts';

/** Images of one row of two pixels: the left one tells which image it is, the right one is 0. */
const dataset: Dataset = {
  name: 'numbers',
  count: 10,
  size: 2,
  channels: 3,
  classes: ['one'],
  labels: new Int32Array(10),
  read: (indices) =>
    Float32Array.from(
      Array.from(indices, (i) => [i + 1, i + 1, i + 1, 0, 0, 0, i + 1, i + 1, i + 1, 0, 0, 0]).flat(),
    ),
};
const options = { batchSize: 4, seed: 3, purpose: 'a', flip: true };

test('every image is shown once before any is shown again', (t) => {
  const next = imageBatches(dataset, options);
  const order = [0, 1, 2, 3, 4].flatMap((step) => [...next(step).indices]);
  t.is(new Set(order.slice(0, 10)).size, 10);
  t.is(new Set(order.slice(10)).size, 10);
});

test('a batch is a function of its step: a training that resumes sees the same', (t) => {
  const through = imageBatches(dataset, options);
  const all = [0, 1, 2, 3, 4, 5].map((step) => through(step));
  const resumed = imageBatches(dataset, options);
  t.deepEqual(resumed(5), all[5]);
  t.deepEqual(resumed(2), all[2]);
});

test('images are mirrored where the flag says so, about half of them', (t) => {
  const next = imageBatches(dataset, options);
  let mirrored = 0;
  for (let step = 0; step < 100; step++) {
    const { images, indices, flips } = next(step);
    for (const [place, index] of indices.entries()) {
      const pixel = (x: number) => images.data[place * 12 + x * 3];
      t.is(pixel(flips[place] ? 1 : 0), index + 1);
      t.is(pixel(flips[place] ? 0 : 1), 0);
      mirrored += flips[place];
    }
  }
  // 400 draws of one half: 200 with a deviation of 10.
  t.true(Math.abs(mirrored - 200) < 50, String(mirrored));
});

test('trainings of one seed see different images: each has a stream of its own', (t) => {
  const [a, b] = ['tokenizer', 'pretraining'].map((purpose) =>
    imageBatches(dataset, { ...options, purpose }),
  );
  const indices = (next: typeof a) => [0, 1, 2, 3, 4].map((step) => [...next(step).indices]);
  const flips = (next: typeof a) => [0, 1, 2, 3, 4].map((step) => [...next(step).flips]);
  t.notDeepEqual(indices(a), indices(b));
  t.notDeepEqual(flips(a), flips(b));
});
