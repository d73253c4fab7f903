import test from 'ava';
import fc from 'fast-check';
import { PNG } from 'pngjs';
import { random } from '../../../components/nn/random.ts';
import { bytesTensor } from '../../../components/nn/tree.ts';
import { maskedImages } from '../../../components/pretraining/masked-images.ts';
import { batchMasks, blockMask, type MaskingOptions } from '../../../components/pretraining/masking.ts';

const countOf = (mask: Uint8Array) => mask.reduce((sum, flag) => sum + flag, 0);
const counts = (draws: number, options: MaskingOptions) =>
  Array.from({ length: draws }, (_, i) => countOf(blockMask(random(i, 'mask'), options)));

test("masks of BEiT's size have the statistics of BEiT's generator", (t) => {
  // Simulated from the official code, 100,000 draws: mean 74.47, sd 0.99, at most 75, exactly 75 in 66.6 % of draws.
  const all = counts(6000, { side: 14, count: 75, minPatches: 16 });
  const mean = all.reduce((sum, count) => sum + count, 0) / all.length;
  const sd = Math.sqrt(all.reduce((sum, count) => sum + (count - mean) ** 2, 0) / all.length);
  t.is(Math.max(...all), 75);
  t.true(Math.min(...all) >= 60);
  // Four standard errors: 0.99 / sqrt(6000), and of a share sqrt(0.666 * 0.334 / 6000).
  t.true(Math.abs(mean - 74.47) < 0.051, `mean ${mean}`);
  t.true(Math.abs(sd - 0.99) < 0.1, `sd ${sd}`);
  const full = all.filter((count) => count === 75).length / all.length;
  t.true(Math.abs(full - 0.666) < 0.0244, `full ${full}`);
});

test("masks of BEiT's size are as clustered as those of BEiT's generator", (t) => {
  // Pairs of masked patches side by side, simulated from the official rule in Python, 40,000 draws: mean 125.15, sd 3.59.
  const side = 14;
  const pairs = Array.from({ length: 6000 }, (_, i) => {
    const mask = blockMask(random(i, 'mask'), { side, count: 75, minPatches: 16 });
    return mask.reduce((sum, flag, at) => {
      const right = (at + 1) % side === 0 ? 0 : mask[at + 1];
      return sum + flag * (right + (mask[at + side] ?? 0));
    }, 0);
  });
  const mean = pairs.reduce((sum, each) => sum + each, 0) / pairs.length;
  // Four standard errors of both means.
  t.true(Math.abs(mean - 125.15) < 4 * 3.59 * Math.sqrt(1 / 6000 + 1 / 40000), `mean ${mean}`);
});

test('on smaller grids every mask has its count, whatever the least block', (t) => {
  for (let side = 2; side < 14; side++) {
    for (const share of [0.01, 75 / 196, 0.9]) {
      const count = Math.min(side ** 2 - 1, Math.max(1, Math.round(share * side ** 2)));
      for (const minPatches of [1, 2, 16]) {
        t.deepEqual(new Set(counts(60, { side, count, minPatches })), new Set([count]), `${side} ${count}`);
      }
    }
  }
});

test('on larger grids a mask ends below its count only where no least block fits, and is never empty', (t) => {
  const holds = () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 14, max: 20 }),
        fc.integer({ min: 1, max: 190 }),
        fc.integer({ min: 1, max: 16 }),
        fc.nat(),
        (side, count, minPatches, seed) => {
          const masked = countOf(blockMask(random(seed, 'mask'), { side, count, minPatches }));
          return masked > 0 && masked <= count && (masked === count || count - masked < minPatches);
        },
      ),
      { numRuns: 500, seed: 3 },
    );
  t.notThrows(holds);
});

test('rows, weights and mask of a batch name the same tokens, never more than asked for', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 8 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(),
      (side, batch, seed) => {
        const count = Math.max(1, Math.round(side * side * 0.4));
        const masks = batchMasks((image) => random(seed, 'batch', image), batch, {
          side,
          count,
          minPatches: 1,
        });
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

test('a picture of masks shows images, and below them the same with grey patches', (t) => {
  // Two images of 96 pixels, one red and one green; the second patch of the first and the third of the second are masked.
  const pixels = 96 * 96;
  const bytes = Uint8Array.from({ length: 2 * pixels * 3 }, (_, at) =>
    at % 3 === (at < pixels * 3 ? 0 : 1) ? 200 : 0,
  );
  const mask = [0, 1, 0, 0, 0, 0, 1, 0];
  const { data, width } = PNG.sync.read(maskedImages(bytesTensor([2, 96, 96, 3], bytes), mask, 2));
  const at = (row: number, image: number, patch: number) => {
    const y = 4 + row * 100 + 48 * Math.floor(patch / 2) + 20;
    const start = (y * width + 4 + image * 100 + 48 * (patch % 2) + 20) * 4;
    return [...data.subarray(start, start + 3)].join();
  };
  const [red, green, grey] = ['200,0,0', '0,200,0', '128,128,128'];
  const patches = [0, 1, 2, 3];
  t.deepEqual(
    patches.map((patch) => at(0, 0, patch)),
    [red, red, red, red],
  );
  t.deepEqual(
    patches.map((patch) => at(1, 0, patch)),
    [red, grey, red, red],
  );
  t.deepEqual(
    patches.map((patch) => at(1, 1, patch)),
    [green, green, grey, green],
  );
});
