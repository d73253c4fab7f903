import fc from 'fast-check';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { seeds, shapes, uniform } from '../support/arbitrary.ts';
import type { Case, Tolerance } from '../support/compare.ts';

/** How one kernel's lowering is compared with tfjs's CPU backend. */
export interface KernelTest {
  readonly kernel: string;
  /** Each is drawn from `runs` times: usually one for each dtype or way of use. */
  readonly draws: readonly fc.Arbitrary<Case>[];
  readonly runs: number;
  readonly tolerance?: Tolerance;
  readonly special: Special;
  /** Further cases with NaN and infinities: all of them together. */
  readonly extremes?: readonly Case[];
}

/** Which float32 inputs get NaN, infinities and zeros of both signs in further cases, and if not, why not. */
export interface Special {
  /** All of them unless said; `why` says why not all. */
  readonly inputs?: readonly number[];
  readonly why?: string;
  /** Why NaN is left out. */
  readonly withoutNaN?: string;
  /** Why -Infinity is left out. */
  readonly withoutLeast?: string;
  /** Why there are no such cases. */
  readonly none?: string;
}

type Options = Partial<Pick<KernelTest, 'runs' | 'tolerance' | 'special' | 'extremes'>>;

export function kernelTest(
  kernel: string,
  draws: readonly fc.Arbitrary<Case>[],
  options: Options = {},
): KernelTest {
  return { kernel, draws, runs: 6, special: {}, ...options };
}

/** Cases made from a shape and a seed. */
export function shaped(
  [minRank, maxRank]: readonly [number, number],
  make: (shape: number[], seed: number) => Case,
): fc.Arbitrary<Case> {
  return fc.tuple(shapes(minRank, maxRank), seeds).map(([shape, seed]) => make(shape, seed));
}

/** The same case each time. */
export function fixed(...cases: readonly Case[]): fc.Arbitrary<Case> {
  return fc.constantFrom(...cases);
}

/** A small integer that the seed decides. */
export function pick(seed: number, index: number, below: number): number {
  return Math.floor(uniform(seed + 31, index) * below);
}

const extremes = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0];

/** The input with about a third of its values replaced. */
function withExtremes(input: HostTensor, seed: number, values: readonly number[]): HostTensor {
  const data = Float32Array.from(input.data, (value, index) =>
    uniform(seed, index) < 0.35 ? values[pick(seed, index, values.length)] : value,
  );
  return { ...input, data };
}

/** All cases of a kernel, the same in every run: as drawn, and with NaN and infinities (values only, no gradients). */
export function casesOf(test: KernelTest): {
  readonly drawn: readonly Case[];
  readonly special: readonly Case[];
} {
  const { kernel, draws, runs, special } = test;
  const seed = [...kernel].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) | 0;
  const drawn = draws.flatMap((draw) => fc.sample(draw, { numRuns: runs, seed }));
  const extra = test.extremes ?? [];
  if (special.none !== undefined) return { drawn, special: extra };
  const values = [Number.NaN, ...extremes].filter(
    (value) =>
      !(Number.isNaN(value) && special.withoutNaN) &&
      !(value === Number.NEGATIVE_INFINITY && special.withoutLeast),
  );
  const changed = drawn.flatMap((each, number): Case[] => {
    const inputs = each.inputs.map((input, index) =>
      input.dtype === 'float32' && (special.inputs?.includes(index) ?? true)
        ? withExtremes(input, number * 16 + index, values)
        : input,
    );
    if (inputs.every((input, index) => input === each.inputs[index])) return [];
    return [{ ...each, name: `${each.name} with NaN and infinities`, inputs, gradients: [] }];
  });
  return { drawn, special: [...changed, ...extra] };
}
