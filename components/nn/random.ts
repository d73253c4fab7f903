import { hash } from 'node:crypto';
import { philox } from '../engine/philox.ts';

/**
 * Counter-based random numbers: every stream is a pure function of a seed and a path such as
 * `random(seed, 'mask', step)`. There is no generator state to save, so a stage that is resumed at any step
 * draws what an uninterrupted one would have drawn.
 *
 * The generator is Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011);
 * its key is the first 64 bits of SHA-256 of the path.
 */
export interface Random {
  /** The two words of its key, signed: for a program that draws by itself (`uniformRows`). */
  readonly keys: readonly [number, number];
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

/** The stream of a seed and a purpose: `random(seed, 'mask', step)`. The same path gives the same numbers. */
export function random(seed: number, ...path: readonly (string | number)[]): Random {
  const digest = hash('sha256', JSON.stringify([seed, ...path]), 'buffer');
  const key0 = digest.readUInt32LE(0);
  const key1 = digest.readUInt32LE(4);
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
  return { keys: [key0 | 0, key1 | 0], uniform, int, normal, permutation, fillUniform };
}
