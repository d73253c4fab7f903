import test from 'ava';
import fc from 'fast-check';
import { random } from '../../../components/nn/random.ts';
import { batchMasks, blockMask } from '../../../components/pretraining/masking.ts';

test("masks of BEiT's size have the statistics of BEiT's generator", (t) => {
  // Simulated from the official code: mean 74.47, sd 0.99, at most 75, exactly 75 in 66.6 % of draws.
  const counts = Array.from({ length: 2000 }, (_, i) => {
    const mask = blockMask(random(i, 'mask'), { side: 14, count: 75, minPatches: 16 });
    return mask.reduce((sum, flag) => sum + flag, 0);
  });
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  t.is(Math.max(...counts), 75);
  t.true(Math.abs(mean - 74.47) < 0.1, `mean ${mean}`);
  const full = counts.filter((count) => count === 75).length / counts.length;
  t.true(Math.abs(full - 0.666) < 0.045, `full ${full}`);
});

test('rows, weights and mask of a batch name the same tokens, never more than asked for', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 8 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(),
      (side, batch, seed) => {
        const count = Math.max(1, Math.round(side * side * 0.4));
        const masks = batchMasks(random(seed, 'batch'), batch, { side, count, minPatches: 1 });
        const named = [...masks.rows].filter((_, i) => masks.weights[i] === 1);
        const flagged = [...masks.mask.keys()].filter((i) => masks.mask[i] === 1);
        t.deepEqual(named, flagged);
        t.true(named.length <= batch * count);
        t.is(new Set(named).size, named.length);
      },
    ),
    { numRuns: 50 },
  );
});
