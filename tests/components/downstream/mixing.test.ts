import { readFileSync } from 'node:fs';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import test from 'ava';
import { mixImages, mixLabels } from '../../../components/downstream/finetune/mix.ts';
import { cutMix, drawMix, type Mix, mixesOf } from '../../../components/downstream/finetune/mixing.ts';
import { checkMixing, type Mixing } from '../../../components/downstream/finetune/mixing-config.ts';
import { openEngine } from '../../../components/engine/open.ts';
import { crossEntropy, softLabels } from '../../../components/nn/losses.ts';
import { random } from '../../../components/nn/random.ts';
import { bytesTensor, hostTensor } from '../../../components/nn/tree.ts';
import { unit } from '../../../components/nn/unit.ts';

interface Case {
  readonly weight: number;
  /** Absent: mixup. */
  readonly centre: readonly [y: number, x: number] | null;
  readonly labels: readonly number[];
  readonly pair: readonly number[];
  readonly images: readonly number[];
  readonly targets: readonly number[];
}

// Made by make.py beside it.
const file = new URL('../../fixtures/views/mixing.json', import.meta.url);
const { mixing: cases } = JSON.parse(readFileSync(file, 'utf8')) as { mixing: readonly Case[] };
const [size, classes] = [6, 4];

const beit: Mixing = { mixup: 0.8, cutmix: 1, mixing: { probability: 1, cutmixShare: 0.5, group: 128 } };

interface Batch {
  readonly images: Tensor;
  readonly labels: Tensor;
  readonly mixes: Tensor;
}

for (const name of ['onnx', 'reference'])
  test(`${name}: pairs of images and their labels are mixed as timm's Mixup does it`, async (t) => {
    const rows = cases.map(({ weight, centre }): Mix => {
      if (!centre) return { pixels: weight, label: weight, box: [0, 0, 0, 0] };
      return cutMix(weight, size, centre);
    });
    const count = 2 * cases.length;
    const engine = await openEngine({ name });
    const program = await engine.compile<object, Batch, { images: Tensor; labels: Tensor }>({
      name: 'mixing',
      state: engine.state<object>({}),
      batch: {
        images: { dtype: 'uint8', shape: [count, size, size, 3] },
        labels: { dtype: 'int32', shape: [count] },
        mixes: { shape: [count, 6] },
      },
      step: (state, { images, labels, mixes }) => ({
        state,
        out: {
          images: mixImages(unit(images), mixes),
          labels: mixLabels(softLabels(labels, classes, 0.1), mixes),
        },
      }),
    });
    const made = await program.run({
      images: bytesTensor([count, size, size, 3], Uint8Array.from(cases.flatMap(({ pair }) => pair))),
      labels: hostTensor([count], Int32Array.from(cases.flatMap(({ labels }) => labels))),
      mixes: hostTensor(
        [count, 6],
        Float32Array.from(
          rows.flatMap(({ pixels, label, box }) => [pixels, label, ...box, pixels, label, ...box]),
        ),
      ),
    });
    const furthest = (values: ArrayLike<number>, wanted: readonly number[]): number =>
      Math.max(...wanted.map((value, place) => Math.abs(value - values[place]!)));
    t.true(
      furthest(
        made.images.data,
        cases.flatMap(({ images }) => images),
      ) < 2e-7,
    );
    t.true(
      furthest(
        made.labels.data,
        cases.flatMap(({ targets }) => targets),
      ) < 2e-7,
    );
    engine.dispose();
  });

test('soft labels have the cross-entropy that the mean of both labels has', (t) => {
  const logits = tf.tensor2d([0.3, -1, 2, 0.1, 1, 1, -2, 0], [2, 4]);
  const labels = tf.tensor1d([2, 0], 'int32');
  const mixes = tf.tensor2d([1, 0.3, 0, 0, 0, 0, 1, 0.3, 0, 0, 0, 0], [2, 6]);
  const soft = crossEntropy(logits, mixLabels(softLabels(labels, 4, 0.1), mixes)).dataSync()[0]!;
  const own = crossEntropy(logits, labels, { smoothing: 0.1 }).dataSync()[0]!;
  const other = crossEntropy(logits, tf.tensor1d([0, 2], 'int32'), { smoothing: 0.1 }).dataSync()[0]!;
  t.true(Math.abs(soft - (0.3 * own + 0.7 * other)) < 1e-6);
});

test('boxes are cut around a pixel, and labels count what is left of them in the picture', (t) => {
  // Half of 36 pixels: sides of 4.24, cut off to 4.
  t.deepEqual(cutMix(0.5, 6, [3, 2]), { pixels: 1, label: 1 - 16 / 36, box: [1, 5, 0, 4] });
  t.deepEqual(cutMix(0.5, 6, [0, 5]), { pixels: 1, label: 1 - 6 / 36, box: [0, 2, 3, 6] });
  // Sides of 5.37: timm 0.3.2 cuts 2 on either side of the pixel.
  t.deepEqual(cutMix(0.2, 6, [3, 3]).box, [1, 5, 1, 5]);
  t.deepEqual(cutMix(1, 6, [3, 3]).label, 1);
});

test('one in two draws cuts, weights of mixup have the distribution Beta(0.8, 0.8), boxes that of cutmix', (t) => {
  const drawn = Array.from({ length: 10_000 }, (_, step) => drawMix(beit, 224, random(0, step)));
  const isCut = ({ box }: Mix): boolean => box[1] > 0;
  const weights = drawn.filter((mix) => !isCut(mix)).map(({ label }) => label);
  t.true(Math.abs(weights.length - 5000) < 200, String(weights.length));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  // By numpy: mean 0.5, variance 0.0962, 13.19 % below 0.1.
  t.true(Math.abs(mean(weights) - 0.5) < 0.02);
  t.true(Math.abs(mean(weights.map((weight) => (weight - 0.5) ** 2)) - 0.0962) < 0.004);
  t.true(Math.abs(weights.filter((weight) => weight < 0.1).length / weights.length - 0.1319) < 0.02);
  // 4 million draws of timm's rand_bbox with sides cut as in 0.3.2, by numpy.
  const labels = drawn.filter(isCut).map(({ label }) => label);
  t.true(Math.abs(mean(labels) - CUT_LABEL) < 0.015, String(mean(labels)));
  for (const { label, box } of drawn) {
    const [top, bottom, left, right] = box;
    t.true(0 <= top && top <= bottom && bottom <= 224 && 0 <= left && left <= right && right <= 224);
    if (bottom > 0) t.is(label, 1 - ((bottom - top) * (right - left)) / 224 ** 2);
  }
});

/** Mean weight of the own label where images are cut. */
const CUT_LABEL = 0.6822;

test('without cutmix all is mixup, without mixup all is cut, and with neither or no chance images stay', (t) => {
  const of = (changes: Partial<Mixing>) =>
    Array.from({ length: 50 }, (_, step) => drawMix({ ...beit, ...changes }, 8, random(0, step)));
  t.true(of({ cutmix: 0 }).every(({ box, label, pixels }) => box[1] === 0 && label === pixels && label < 1));
  t.true(of({ mixup: 0 }).every(({ pixels }) => pixels === 1));
  const never = { ...beit.mixing, probability: 0 };
  t.true(of({ mixing: never }).every(({ label }) => label === 1));
});

test('micro-batches are mixed as the batch is, and a group in one way', (t) => {
  const place = { seed: 1, step: 7 };
  const config = { ...beit, mixing: { ...beit.mixing, group: 4 } };
  const whole = mixesOf(config, { ...place, first: 0, count: 12 }, 16);
  t.deepEqual(whole.shape, [12, 6]);
  for (const first of [0, 2, 6, 10]) {
    const part = mixesOf(config, { ...place, first, count: 2 }, 16);
    t.deepEqual(part.data, whole.data.subarray(first * 6, (first + 2) * 6));
  }
  const row = (image: number) => [...whole.data.subarray(image * 6, image * 6 + 6)];
  t.deepEqual(row(0), row(3));
  t.notDeepEqual(row(0), row(4));
  t.notDeepEqual(mixesOf(config, { ...place, step: 8, first: 0, count: 12 }, 16).data, whole.data);
});

test('pairs need an even number of images in memory', (t) => {
  t.deepEqual(checkMixing({ ...beit, batchSize: 5 })[0]?.path, ['batchSize']);
  t.deepEqual(checkMixing({ ...beit, batchSize: 6, microBatch: 3 })[0]?.path, ['microBatch']);
  t.deepEqual(checkMixing({ ...beit, batchSize: 6, microBatch: 2 }), []);
  t.deepEqual(checkMixing({ ...beit, mixup: 0, cutmix: 0, batchSize: 5 }), []);
});
