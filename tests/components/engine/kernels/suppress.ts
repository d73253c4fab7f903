import fc from 'fast-check';
import { keptBoxes } from '../../../../components/engine/suppress.ts';
import { seeds, uniform } from '../support/arbitrary.ts';
import type { Case } from '../support/compare.ts';
import type { KernelTest } from './kernel-test.ts';
import { kernelTest } from './kernel-test.ts';

/** Boxes on a coarse grid: many overlap by exactly the threshold, some have no area. */
const boxes = fc
  .record({
    groups: fc.integer({ min: 1, max: 3 }),
    count: fc.integer({ min: 1, max: 24 }),
    threshold: fc.constantFrom(0, 0.25, 0.5, 0.7, 1),
    seed: seeds,
  })
  .map(({ groups, count, threshold, seed }): Case => {
    const size = groups * count;
    const corner = (index: number) => Math.floor(uniform(seed, index) * 5);
    const side = (index: number) => Math.floor(uniform(seed, index) * 5);
    const places = Array.from({ length: size }, (_, box) => {
      const [x, y] = [corner(4 * box), corner(4 * box + 1)];
      return [x, y, x + side(4 * box + 2), y + side(4 * box + 3)];
    });
    const valid = Uint8Array.from({ length: size }, (_, box) => (uniform(seed + 7, box) < 0.85 ? 1 : 0));
    return {
      name: `boxes that remain of [${groups}, ${count}] above ${threshold}`,
      inputs: [
        { dtype: 'float32', shape: [groups, count, 4], data: Float32Array.from(places.flat()) },
        { dtype: 'bool', shape: [groups, count], data: valid },
      ],
      compute: (given, which) => keptBoxes(given!, which!, threshold),
    };
  });

export const suppressTests: readonly KernelTest[] = [
  kernelTest('SuppressOverlaps', [boxes], {
    runs: 40,
    tolerance: { absolute: 0, relative: 0 },
    special: { none: 'boxes are finite' },
  }),
];
