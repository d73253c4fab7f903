import test from 'ava';
import { families } from '../components/engine/kernels/all.ts';
import type { KernelTest } from '../components/engine/kernels/kernel-test.ts';
import { casesOf } from '../components/engine/kernels/kernel-test.ts';
import { onTensorflow } from '../components/engine/kernels/on-tensorflow.ts';
import type { Case } from '../components/engine/support/compare.ts';
import { disagreements } from '../components/engine/support/compare.ts';
import { withTensorflow } from './support/library.ts';

await withTensorflow(() => {
  for (const [family, tests] of Object.entries(families)) {
    test(`${family} kernels agree with tfjs's CPU backend, gradients, NaN and infinities included`, async (t) => {
      const testOf = new Map<Case, KernelTest>();
      for (const each of tests) {
        const { drawn, special } = casesOf(each);
        const compared = each.kernel in onTensorflow ? drawn : [...drawn, ...special];
        for (const one of compared) testOf.set(one, each);
      }
      const tolerance = (each: Case) => testOf.get(each)?.tolerance;
      t.deepEqual(await disagreements([...testOf.keys()], tolerance, undefined, 'tensorflow'), []);
    });
  }
});
