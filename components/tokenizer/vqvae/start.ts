import * as tf from '@tensorflow/tfjs-core';
import type { Engine, HostTensor } from '../../engine/types.ts';
import { random } from '../../nn/random.ts';
import { hostTensor } from '../../nn/tree.ts';
import { unit } from '../../nn/unit.ts';
import type { Beginning } from '../../training/fit.ts';
import { applyEncoder, type Encoder } from '../autoencoder.ts';
import { type Codebook, unitRows } from '../codebook.ts';
import { kMeans } from '../k-means.ts';
import type { VqvaeConfig } from './config.ts';
import type { VqvaeBatch, VqvaeParameters } from './model.ts';

type Begin = Beginning<VqvaeParameters<tf.Tensor>, VqvaeBatch<tf.Tensor>>;

/**
 * The codebook that begins as the centres of the tokens that the untrained encoder makes of the first images: those of
 * the first batch, and of as many more as it takes to have a token for each code.
 */
export async function codebookOfTokens(
  engine: Engine,
  { codebook: { size, normalise } }: VqvaeConfig,
  given: Begin,
  { seed, signal }: { readonly seed: number; readonly signal: AbortSignal },
): Promise<Codebook<HostTensor>> {
  const { tokens, batches } = await firstTokens(engine, { size, normalise }, given, signal);
  const centres = await kMeans(engine, tokens, random(seed, 'k-means'), { size, normalise, signal });
  const { vectors } = centres;
  const counts = hostTensor(
    [size],
    Float32Array.from(centres.counts.data, (count) => count / batches),
  );
  if (normalise) return { vectors, counts };
  const dim = vectors.shape[1];
  const sums = Float32Array.from(vectors.data, (value, i) => value * counts.data[Math.floor(i / dim)]);
  return { vectors, counts, sums: hostTensor(vectors.shape, sums) };
}

/** Tokens [N, D] of whole batches, N at least `size`. */
async function firstTokens(
  engine: Engine,
  { size, normalise }: { readonly size: number; readonly normalise: boolean },
  { parameters, plan, batch }: Begin,
  signal: AbortSignal,
): Promise<{ readonly tokens: HostTensor; readonly batches: number }> {
  const { images } = await batch(0);
  const state = engine.state<Record<string, never>>({});
  const program = await engine.compile({
    name: 'tokens for k-means',
    state,
    batch: { images },
    constants: { encoder: parameters.encoder },
    step: (
      nothing: Record<string, never>,
      fed: { images: tf.Tensor },
      constants: { encoder: Encoder<tf.Tensor> },
    ) => {
      const encoded = applyEncoder(constants.encoder, unit(fed.images));
      const rows = tf.reshape(encoded, [-1, encoded.shape[3]]);
      return { state: nothing, out: { tokens: normalise ? unitRows(rows) : rows } };
    },
  });
  try {
    const parts: HostTensor[] = [];
    let count = 0;
    while (count < size || parts.length % plan.parts !== 0) {
      signal.throwIfAborted();
      const { tokens } = await program.run({ images: (await batch(parts.length)).images });
      parts.push(tokens);
      count += tokens.shape[0];
    }
    const data = new Float32Array(count * parts[0].shape[1]);
    let place = 0;
    for (const part of parts) {
      data.set(part.data as Float32Array, place);
      place += part.data.length;
    }
    return { tokens: hostTensor([count, parts[0].shape[1]], data), batches: parts.length / plan.parts };
  } finally {
    program.dispose();
    state.dispose();
  }
}
