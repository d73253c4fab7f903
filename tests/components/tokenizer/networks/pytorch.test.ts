import test from 'ava';
import { furthest } from '../../engine/steps/support/compare.ts';
import { readExpected } from '../../engine/steps/support/fixture.ts';
import { compareVqgan, readVqganSpec, vqganFixture } from '../support/vqgan.ts';

// As far as PyTorch in float32 is from PyTorch in float64, times five.
const TOLERANCE: { readonly [kind: string]: number } = {
  forward: 1e-5,
  gradient: 3e-5,
  codebook: 5e-6,
  out: 2e-6,
};

const compared = compareVqgan(readVqganSpec('small'), readExpected('small', new URL('.', vqganFixture)));

test('a tokenizer in VQGAN form has the parameters that PyTorch has', async (t) => {
  t.deepEqual((await compared).missing, []);
});

for (const [kind, allowed] of Object.entries(TOLERANCE)) {
  test(`a tokenizer in VQGAN form with unit codes: ${kind} of a step as PyTorch's`, async (t) => {
    const { path, distance } = furthest((await compared)[kind]);
    t.true(distance <= allowed, `${path} is off by ${distance}`);
    t.log(`${path} ${distance}`);
  });
}
