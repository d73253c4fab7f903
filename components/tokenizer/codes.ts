import type * as tf from '@tensorflow/tfjs-core';
import type { Dataset } from '../data/types.ts';
import { flipRows } from '../data/views/augment.ts';
import type { Engine } from '../engine/types.ts';
import { hostTensor } from '../nn/tree.ts';
import type { Tokenizer } from './tokenizer.ts';

/**
 * Codes of images `[0, count)` of a data set, int32 [count * tokens], optionally of their mirror images.
 *
 * @throws Error that names the image, if a code isn't one of the vocabulary
 */
export async function codesOf(
  engine: Engine,
  tokenizer: Tokenizer,
  dataset: Dataset,
  { count = dataset.count, batchSize = 100, mirrored = false, onBatch = () => {} }: CodesOptions = {},
): Promise<Int32Array> {
  const tokens = (dataset.size / tokenizer.stride) ** 2;
  const state = engine.state({});
  const program = await engine.compile({
    name: 'tokenizer encode',
    step: (
      nothing: Record<string, never>,
      batch: { images: tf.Tensor },
      weights: Parameters<Tokenizer['encode']>[0],
    ) => ({ state: nothing, out: { codes: tokenizer.encode(weights, batch.images) } }),
    state,
    batch: { images: { shape: [batchSize, dataset.size, dataset.size, 3] } },
    constants: tokenizer.weights as never,
  });
  const codes = new Int32Array(count * tokens);
  for (let first = 0; first < count; first += batchSize) {
    // The last batch repeats its last image: programs have one fixed batch size.
    const indices = Int32Array.from({ length: batchSize }, (_, i) => Math.min(first + i, count - 1));
    const pixels = dataset.read(indices);
    if (mirrored) flipRows(pixels, new Uint8Array(batchSize).fill(1), dataset.size);
    const out = await program.run({ images: hostTensor([batchSize, dataset.size, dataset.size, 3], pixels) });
    const used = Math.min(batchSize, count - first) * tokens;
    const found = (out.codes.data as Int32Array).subarray(0, used);
    checkCodes(found, { first, tokens, vocabulary: tokenizer.vocabulary });
    codes.set(found, first * tokens);
    onBatch(Math.min(first + batchSize, count));
  }
  program.dispose();
  state.dispose();
  return codes;
}

export interface CodesOptions {
  readonly count?: number;
  readonly batchSize?: number;
  readonly mirrored?: boolean;
  /** Called with the number of images done. */
  readonly onBatch?: (done: number) => void;
}

function checkCodes(
  codes: Int32Array,
  { first, tokens, vocabulary }: { first: number; tokens: number; vocabulary: number },
): void {
  const odd = codes.findIndex((code) => !(code >= 0 && code < vocabulary));
  if (odd < 0) return;
  const image = first + Math.floor(odd / tokens);
  const why = codes[odd] === -1 ? ': the weights are too large for float32' : '';
  throw new Error(
    `tokenizer encode: image ${image} has the code ${codes[odd]}, which is none of ${vocabulary}${why}.`,
  );
}
