import test from 'ava';
import type { Case, Tolerance } from '../support/compare.ts';
import { disagreements } from '../support/compare.ts';
import { families } from './all.ts';
import type { KernelTest } from './kernel-test.ts';
import { casesOf } from './kernel-test.ts';

type ByKernel<T> = { readonly [kernel: string]: T };

export interface Exceptions {
  /** Kernels whose cases with NaN and infinities are left out, and why. */
  readonly notFinite?: ByKernel<string>;
  /** Kernels that are left out, and why. */
  readonly refused?: ByKernel<string>;
  /** Kernels that are compared in fewer digits. */
  readonly coarse?: ByKernel<Tolerance>;
}

/** Registers a test for each family of kernels: on an engine, all cases agree with tfjs's CPU backend but the exceptions. */
export function agreesOn(
  engine: string,
  { notFinite = {}, refused = {}, coarse = {} }: Exceptions = {},
): void {
  for (const [family, tests] of Object.entries(families)) {
    test(`${family} kernels on ${engine} agree with tfjs's CPU backend, gradients included`, async (t) => {
      const testOf = new Map<Case, KernelTest>();
      for (const each of tests.filter(({ kernel }) => !(kernel in refused))) {
        const { drawn, special } = casesOf(each);
        for (const one of each.kernel in notFinite ? drawn : [...drawn, ...special]) testOf.set(one, each);
      }
      const tolerance = (each: Case) => {
        const { kernel, tolerance: usual } = testOf.get(each)!;
        return coarse[kernel] ?? usual;
      };
      t.deepEqual(await disagreements([...testOf.keys()], tolerance, undefined, engine), []);
    });
  }
}
