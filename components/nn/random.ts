import { createHash } from 'node:crypto';

/**
 * Counter-based random numbers: every stream is a pure function of a seed and a path such as
 * `random(seed, 'mask', step)`. There is no generator state to save, so a stage that is resumed at any step
 * draws what an uninterrupted one would have drawn.
 *
 * The generator is Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011);
 * its key is the first 64 bits of SHA-256 of the path.
 */
export interface Random {
  /** The next number of the stream, uniform in [0, 1), 32 bits of it. */
  uniform(): number;
  /** Uniform integer in [0, bound). */
  int(bound: number): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** A permutation of 0..count-1 (Fisher-Yates). */
  permutation(count: number): Int32Array;
  /** Fills with uniform numbers in [0, 1). */
  fillUniform(target: Float32Array): Float32Array;
}

export function random(seed: number, ...path: readonly (string | number)[]): Random {
  const hash = createHash('sha256')
    .update(JSON.stringify([seed, ...path]))
    .digest();
  const key0 = hash.readUInt32LE(0);
  const key1 = hash.readUInt32LE(4);
  const block = new Uint32Array(4);
  let counter = 0;
  let used = 4;

  const next = (): number => {
    if (used === 4) {
      philox([counter >>> 0, Math.floor(counter / 0x100000000) >>> 0, 0, 0], key0, key1, block);
      counter++;
      used = 0;
    }
    return block[used++];
  };
  const uniform = (): number => next() / 0x100000000;
  const int = (bound: number): number => Math.floor(uniform() * bound);
  const normal = (): number => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    return radius * Math.cos(2 * Math.PI * uniform());
  };
  const permutation = (count: number): Int32Array => {
    const order = Int32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = int(i + 1);
      const swap = order[i];
      order[i] = order[j];
      order[j] = swap;
    }
    return order;
  };
  const fillUniform = (target: Float32Array): Float32Array => {
    // 24 bits each, so that rounding to float32 can't reach 1.
    for (let i = 0; i < target.length; i++) target[i] = (next() >>> 8) / 0x1000000;
    return target;
  };
  return { uniform, int, normal, permutation, fillUniform };
}

/** One block of Philox4x32-10 with this counter of four 32-bit words, written to `out`. Exported for its known answers. */
export function philox(
  counter: readonly [number, number, number, number],
  key0: number,
  key1: number,
  out: Uint32Array,
): void {
  let [c0, c1, c2, c3] = counter;
  let k0 = key0;
  let k1 = key1;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c1 = low1 >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** Upper 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const cross = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) >>> 0;
}
