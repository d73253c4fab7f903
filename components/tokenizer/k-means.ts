import * as tf from '@tensorflow/tfjs-core';
import type { Engine, HostTensor } from '../engine/types.ts';
import type { Random } from '../nn/random.ts';
import { hostTensor } from '../nn/tree.ts';
import { nearestCodes, revivalCandidates, sumsByCode, unitRows } from './codebook.ts';

export interface KMeansOptions {
  /** How many centres: K. */
  readonly size: number;
  /** Tokens have length 1, and so have centres. */
  readonly normalise: boolean;
  readonly rounds?: number;
  readonly signal?: AbortSignal;
}

/** Centres [K, D], and how many tokens the last round gave to each, [K]. */
export interface Centres<T> {
  readonly vectors: T;
  readonly counts: T;
}

/**
 * Lloyd's k-means of tokens [N, D], from K of them drawn without repetition while there are enough. A centre that no token
 * is nearest to stays where it is. As `kmeans` of BEiT v2 (microsoft/unilm, beit2/norm_ema_quantizer.py).
 */
export async function kMeans(
  engine: Engine,
  tokens: HostTensor,
  random: Random,
  { size, normalise, rounds = 10, signal }: KMeansOptions,
): Promise<Centres<HostTensor>> {
  const first = rowsOf(tokens, revivalCandidates(random, size, tokens.shape[0]));
  const state = engine.state<Centres<tf.Tensor>>({ vectors: first, counts: hostTensor([size]) });
  const program = await engine.compile<Centres<tf.Tensor>, { tokens: tf.Tensor }, { moved: tf.Scalar }>({
    name: 'k-means',
    state,
    batch: { tokens: { shape: tokens.shape } },
    step: ({ vectors }, batch) => {
      const codes = nearestCodes(batch.tokens, vectors);
      const { taken, sums } = sumsByCode(batch.tokens, codes, size);
      const column = tf.reshape(taken, [size, 1]);
      const means = tf.div(sums, tf.maximum(column, 1));
      const next = tf.where(tf.greater(column, 0), normalise ? unitRows(means) : means, vectors);
      const moved = tf.mean(tf.squaredDifference(next, vectors)) as tf.Scalar;
      return { state: { vectors: next, counts: taken }, out: { moved } };
    },
  });
  try {
    for (let round = 0; round < rounds; round++) {
      signal?.throwIfAborted();
      const { moved } = await program.run({ tokens });
      if (moved.data[0] === 0) break;
    }
    return state.read();
  } finally {
    program.dispose();
    state.dispose();
  }
}

function rowsOf({ shape, data }: HostTensor, rows: Int32Array): HostTensor {
  const dim = shape[1];
  const chosen = new Float32Array(rows.length * dim);
  for (const [place, row] of rows.entries())
    chosen.set((data as Float32Array).subarray(row * dim, (row + 1) * dim), place * dim);
  return hostTensor([rows.length, dim], chosen);
}
