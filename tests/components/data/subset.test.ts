import test from 'ava';
import { imagesAt, onePass } from '../../../components/data/loader.ts';
import { classBalancedSubset, firstOf, labelsOf, subset } from '../../../components/data/subset.ts';
import type { Dataset } from '../../../components/data/types.ts';
import { plainView } from '../../../components/data/views/view.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { StageError } from '../../../framework/stage/stage-error.ts';
import { imagesOf } from '../../support/images.ts';

const numbers = imagesOf(Uint8Array.of(0, 51, 102, 153, 204, 255), {
  size: 1,
  channels: 1,
  label: (i) => 10 * i,
  classes: Array.from({ length: 51 }, (_, i) => `class ${i}`),
});

test('a subset has its images and targets in the order asked for, and no others', async (t) => {
  const some = subset(numbers, Int32Array.of(4, 0, 4));
  t.is(some.count, 3);
  t.deepEqual(await labelsOf(some), Int32Array.of(40, 0, 40));
  const { data } = await imagesAt(some, [0, 1, 2]);
  t.deepEqual([data[0], data[3], data[6]], [204, 0, 204]);
  await t.throwsAsync(some.target(3), { instanceOf: RangeError });
  await t.throwsAsync(some.image(-1), { instanceOf: RangeError });
  t.deepEqual(await labelsOf(firstOf(numbers, 2)), Int32Array.of(0, 10));
  t.is(firstOf(numbers, 7), numbers);
});

test('a class-balanced subset has equally many of each class and nests in larger ones', (t) => {
  const labels = Int32Array.from({ length: 300 }, (_, i) => (i * 7) % 10);
  const small = classBalancedSubset(labels, 53, 1);
  const large = classBalancedSubset(labels, 200, 1);
  const counts = Array.from({ length: 10 }, (_, label) => small.filter((i) => labels[i] === label).length);
  t.deepEqual(counts, [6, 6, 6, 5, 5, 5, 5, 5, 5, 5]);
  t.is(new Set(small).size, 53);
  t.true(small.every((index) => large.includes(index)));
  t.notDeepEqual([...small], [...classBalancedSubset(labels, 53, 2)]);
});

test('a subset that is not there is refused', (t) => {
  const error = t.throws(() => classBalancedSubset(Int32Array.of(0, 0, 1), 4, 0), { instanceOf: StageError });
  t.is(
    formatError(error),
    '4 class-balanced labels need 2 images of class 1, but there are 1\n  lower the number of labels',
  );
});

test('a target that is no class of the data is reported, with its image', async (t) => {
  for (const odd of [2, -1, 0.5, Number.NaN, 'shoe', undefined]) {
    const data = imagesOf(new Uint8Array(4), {
      size: 1,
      channels: 1,
      label: (i) => (i === 3 ? (odd as number) : 1),
    });
    const message = `image 3 of images of a test has the class ${odd === 'shoe' ? '"shoe"' : odd}`;
    await t.throwsAsync(labelsOf(data), { message });
    await t.throwsAsync(imagesAndTargets(data), { message });
  }
  const rejecting = { ...numbers, target: async () => Promise.reject(new Error('no such row')) };
  await t.throwsAsync(labelsOf(rejecting), {
    message: 'image 0 of images of a test: its target: no such row',
  });
});

async function imagesAndTargets(data: Dataset): Promise<void> {
  const pass = { batchSize: 2, view: plainView, pictures: { images: {} }, workers: 0 };
  const indices: number[] = [];
  for await (const batch of onePass(data, pass)) indices.push(...batch.indices);
}
