import fc from 'fast-check';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { uniformRows } from '../../../../components/engine/uniform.ts';
import { seeds } from '../support/arbitrary.ts';
import type { Case } from '../support/compare.ts';
import type { KernelTest } from './kernel-test.ts';
import { kernelTest } from './kernel-test.ts';

const words = fc.tuple(fc.integer(), fc.integer(), fc.oneof(seeds, fc.constantFrom(-1, -2, 2 ** 31 - 2)));

const uniform = fc
  .record({ given: words, rows: fc.integer({ min: 1, max: 6 }), columns: fc.integer({ min: 1, max: 19 }) })
  .map(({ given, rows, columns }): Case => {
    const input: HostTensor = { dtype: 'int32', shape: [3], data: Int32Array.from(given) };
    return {
      name: `uniform numbers [${rows}, ${columns}]`,
      inputs: [input],
      compute: (x) => uniformRows(x, rows, columns),
    };
  });

export const randomTests: readonly KernelTest[] = [
  // The same bits, not only nearly the same numbers.
  kernelTest('PhiloxUniform', [uniform], { runs: 24, tolerance: { absolute: 0, relative: 0 } }),
];
