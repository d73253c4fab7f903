import test from 'ava';
import { viewSchema } from '../../../components/data/views/view.ts';
import { openImages } from '../../../components/training/images.ts';
import type { Plan } from '../../../components/training/recipe.ts';
import { imagesOf } from '../../support/images.ts';

/** Images of two pixels across: the left ones tell which image it is, the right ones are 0. */
const dataset = imagesOf(Uint8Array.from(Array.from({ length: 10 }, (_, i) => [i + 1, 0, i + 1, 0]).flat()), {
  size: 2,
  channels: 1,
});
const context = { seed: 3, engine: { name: 'onnx', threads: 1 } };
const whole: Plan = { steps: 100, end: 100, warmup: 0, microBatch: 4, parts: 1 };

/** Which images the training sees, in order, and which of them are mirrored. */
async function seen(plan: Plan, purpose = 'a') {
  const options = { purpose, view: viewSchema.parse({}), pictures: { images: {} } };
  const loader = openImages(context, dataset, plan, options);
  const images: number[] = [];
  const flips: boolean[] = [];
  for (let index = 0; index < plan.end * plan.parts; index++) {
    const { pictures, indices } = await loader.batch(index);
    for (const [place, image] of indices.entries()) {
      const pixel = (x: number) => pictures.images.data[place * 12 + x * 3]!;
      images.push(image);
      flips.push(pixel(0) === 0);
      if (pixel(0) + pixel(1) !== image + 1) throw new Error(`image ${image} is not itself`);
    }
  }
  await loader.close();
  return { images, flips };
}

test('about half of the images are mirrored, not the same in every epoch', async (t) => {
  const { images, flips } = await seen(whole);
  // 400 draws of one half: 200 with a deviation of 10.
  const mirrored = flips.filter(Boolean).length;
  t.true(Math.abs(mirrored - 200) < 50, String(mirrored));
  const ofFirst = flips.filter((_, place) => images[place] === 0);
  t.is(new Set(ofFirst).size, 2);
});

test('trainings of one seed see different images: each has a stream of its own', async (t) => {
  const [first, second] = [await seen(whole, 'tokenizer'), await seen(whole, 'pretraining')];
  t.notDeepEqual(first.images, second.images);
  t.notDeepEqual(first.flips, second.flips);
});

test('micro-batches have the images of the batch, mirrored alike', async (t) => {
  t.deepEqual(await seen({ ...whole, microBatch: 2, parts: 2 }), await seen(whole));
});
