import fc from 'fast-check';
import type { HostTensor } from '../../../../components/engine/types.ts';

/** Lengths of axes: small, and often 1, where broadcasting and squeezing happen. */
const length = fc.oneof(
  { weight: 1, arbitrary: fc.constant(1) },
  { weight: 3, arbitrary: fc.integer({ min: 2, max: 5 }) },
);

export function shapes(minRank: number, maxRank: number): fc.Arbitrary<number[]> {
  return fc.array(length, { minLength: minRank, maxLength: maxRank });
}

/** Two shapes that can be broadcast together. */
export const broadcastPairs: fc.Arbitrary<[number[], number[]]> = shapes(0, 4).chain((shape) => {
  const weaker = fc
    .tuple(fc.integer({ min: 0, max: shape.length }), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }))
    .map(([drop, ones]) => shape.slice(drop).map((each, axis) => (ones[axis] ? 1 : each)));
  return fc
    .tuple(fc.constant(shape), weaker, fc.boolean())
    .map(([a, b, swap]): [number[], number[]] => (swap ? [b, a] : [a, b]));
});

interface Values {
  readonly min?: number;
  readonly max?: number;
}

/** Numbers that differ from each other, spread over the range, from a seed: shrinking them would only cost time. */
export function floats(
  shape: readonly number[],
  seed: number,
  { min = -2, max = 2 }: Values = {},
): HostTensor {
  const data = Float32Array.from(
    { length: sizeOf(shape) },
    (_, index) => min + (max - min) * uniform(seed, index),
  );
  return { dtype: 'float32', shape, data };
}

export function ints(shape: readonly number[], seed: number, { min = -5, max = 5 }: Values = {}): HostTensor {
  const span = max - min + 1;
  const data = Int32Array.from(
    { length: sizeOf(shape) },
    (_, index) => min + Math.floor(span * uniform(seed, index)),
  );
  return { dtype: 'int32', shape, data };
}

export function bools(shape: readonly number[], seed: number): HostTensor {
  const data = Uint8Array.from({ length: sizeOf(shape) }, (_, index) => (uniform(seed, index) < 0.5 ? 1 : 0));
  return { dtype: 'bool', shape, data };
}

export const seeds = fc.integer({ min: 0, max: 2 ** 20 });

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, each) => product * each, 1);
}

/** A hash of seed and index in [0, 1) (murmur3's finaliser). */
export function uniform(seed: number, index: number): number {
  let bits = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32;
}
