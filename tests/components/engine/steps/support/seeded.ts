import { crc32 } from 'node:zlib';
import type { HostTensor } from '../../../../../components/engine/types.ts';
import { hostTensor, mapTree, type TreeOf } from '../../../../../components/nn/tree.ts';

/**
 * `count` numbers in [0, 1) that two languages can make: hashes of a name and an index. The twin of tests/fixtures/steps/seeded.py, from
 * where PyTorch has the same weights and batches.
 */
export function uniforms(name: string, count: number): number[] {
  const key = Math.imul(crc32(name), 0x9e3779b1);
  return Array.from({ length: count }, (_, index) => {
    let bits = key ^ Math.imul(index + 1, 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32;
  });
}

/** float32, uniform in [low, high). */
export function between(name: string, shape: readonly number[], low: number, high: number): HostTensor {
  const size = shape.reduce((product, n) => product * n, 1);
  return hostTensor(
    shape,
    Float32Array.from(uniforms(name, size), (value) => low + (high - low) * value),
  );
}

/** 0..count-1 in the order of their hashes. */
export function permutation(name: string, count: number): number[] {
  const keys = uniforms(name, count);
  return Array.from({ length: count }, (_, index) => index).sort((a, b) => keys[a] - keys[b]);
}

/** A tree of the same form with first values for every parameter, each named by `prefix` and its path. */
export function seededWeights<T>(prefix: string, tree: T): T {
  return mapTree<HostTensor, HostTensor>(tree as TreeOf<HostTensor>, ({ shape }, path) =>
    weight([prefix, ...path].join('/'), shape),
  ) as T;
}

/**
 * One parameter: none is zero, so that none can be left out unnoticed. Ranges follow from the last part of the path;
 * patch embeddings are small, so that the epsilon of the first layer normalisation counts.
 */
export function weight(name: string, shape: readonly number[]): HostTensor {
  const range = RANGES[name.split('/').at(-1) as string];
  if (range) return between(name, shape, ...range);
  const fanIn = shape.slice(0, -1).reduce((product, n) => product * n, 1);
  // DALL-E's: four convolutions behind ReLUs in a row, without a norm.
  const bound = Math.sqrt((name.startsWith('dalle') ? 6 : 1) / fanIn);
  return name.endsWith('patch/weight')
    ? between(name, shape, -0.1 * bound, 0.1 * bound)
    : between(name, shape, -bound, bound);
}

const RANGES: { readonly [name: string]: readonly [number, number] | undefined } = {
  gain: [0.8, 1.2],
  bias: [-0.1, 0.1],
  queryBias: [-0.1, 0.1],
  keyBias: [-0.1, 0.1],
  valueBias: [-0.1, 0.1],
  scale1: [0.05, 0.15],
  scale2: [0.05, 0.15],
  classToken: [-0.05, 0.05],
  positions: [-0.05, 0.05],
  maskToken: [-0.05, 0.05],
  relativePositions: [-0.5, 0.5],
  codebook: [-0.6, 0.6],
  vectors: [-0.6, 0.6],
};
