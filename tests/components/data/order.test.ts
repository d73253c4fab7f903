import test from 'ava';
import fc from 'fast-check';
import { orderedBatches, shuffledBatches } from '../../../components/data/order.ts';

test('a batch is a function of seed, purpose and step, whatever was asked before', (t) => {
  const options = { count: 50, batch: 8, seed: 3, purpose: 'a' };
  const forward = shuffledBatches(options);
  const all = Array.from({ length: 20 }, (_, step) => [...forward.at(step)]);
  const backward = shuffledBatches(options);
  for (let step = 19; step >= 0; step--) t.deepEqual([...backward.at(step)], all[step]);
  t.notDeepEqual([...shuffledBatches({ ...options, seed: 4 }).at(0)], all[0]);
  t.notDeepEqual([...shuffledBatches({ ...options, purpose: 'b' }).at(0)], all[0]);
});

test('every image is shown once an epoch, and epochs differ', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 60 }), (count, batch) => {
      const batches = shuffledBatches({ count, batch, seed: 0, purpose: 'epochs' });
      const stream = Array.from({ length: Math.ceil((2 * count) / batch) }, (_, k) => [
        ...batches.at(k),
      ]).flat();
      const all = Array.from({ length: count }, (_, i) => i);
      for (const epoch of [0, 1]) {
        const shown = stream.slice(epoch * count, (epoch + 1) * count);
        if (String(shown.sort((a, b) => a - b)) !== String(all)) return false;
      }
      return true;
    }),
    { seed: 1 },
  );
  const batches = shuffledBatches({ count: 30, batch: 30, seed: 0, purpose: 'epochs' });
  t.notDeepEqual([...batches.at(0)], [...batches.at(1)]);
});

test('ordered batches cover all images once, the last one filled up', (t) => {
  const batches = orderedBatches(5, 2).map(({ indices, count }) => [[...indices], count]);
  t.deepEqual(batches, [
    [[0, 1], 2],
    [[2, 3], 2],
    [[4, 4], 1],
  ]);
});
