import test from 'ava';
import { lowerings } from '../../../../components/engine/lower/all.ts';
import type { Case } from '../support/compare.ts';
import { disagreements } from '../support/compare.ts';
import { families } from './all.ts';
import type { KernelTest } from './kernel-test.ts';
import { casesOf } from './kernel-test.ts';

for (const [family, tests] of Object.entries(families)) {
  test(`${family} kernels agree with tfjs's CPU backend, gradients, NaN and infinities included`, async (t) => {
    const testOf = new Map<Case, KernelTest>();
    for (const each of tests) {
      const { drawn, special } = casesOf(each);
      for (const one of [...drawn, ...special]) testOf.set(one, each);
    }
    const called = new Map<Case, ReadonlySet<string>>();
    const problems = await disagreements([...testOf.keys()], (each) => testOf.get(each)?.tolerance, called);
    t.deepEqual(problems, []);
    const missed = [...testOf].filter(([each, { kernel }]) => !called.get(each)?.has(kernel));
    t.deepEqual(
      missed.map(([{ name }, { kernel }]) => `${name} does not run ${kernel}`),
      [],
    );
  });
}

test('every kernel that can be compiled is compared', (t) => {
  const compared = Object.values(families)
    .flat()
    .map(({ kernel }) => kernel);
  t.deepEqual([...new Set(compared)].sort(), Object.keys(lowerings).sort());
});
