import test from 'ava';
import { families } from '../components/engine/kernels/all.ts';
import type { KernelTest } from '../components/engine/kernels/kernel-test.ts';
import { casesOf } from '../components/engine/kernels/kernel-test.ts';
import { coarseOnWebgpu, notFiniteOnWebgpu } from '../components/engine/kernels/on-webgpu.ts';
import type { Case } from '../components/engine/support/compare.ts';
import { disagreements } from '../components/engine/support/compare.ts';
import { withWebgpu } from './support/device.ts';

await withWebgpu(() => {
  for (const [family, tests] of Object.entries(families)) {
    test(`${family} kernels agree with tfjs's CPU backend, gradients included`, async (t) => {
      const testOf = new Map<Case, KernelTest>();
      for (const each of tests) {
        const { drawn, special } = casesOf(each);
        const compared = each.kernel in notFiniteOnWebgpu ? drawn : [...drawn, ...special];
        for (const one of compared) testOf.set(one, each);
      }
      const tolerance = (each: Case) => {
        const { kernel, tolerance: usual } = testOf.get(each)!;
        return coarseOnWebgpu[kernel] ?? usual;
      };
      t.deepEqual(await disagreements([...testOf.keys()], tolerance, undefined, 'onnx:webgpu'), []);
    });
  }
});
