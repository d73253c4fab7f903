import type * as tf from '@tensorflow/tfjs-core';
import { StageError } from '../../framework/stage/stage-error.ts';
import { onePass } from '../data/loader.ts';
import type { Dataset } from '../data/types.ts';
import { type StillView, sizeOf } from '../data/views/view.ts';
import type { Engine, HostTensor } from '../engine/types.ts';
import { firstNonFinite } from '../nn/finite.ts';
import { hostTensor } from '../nn/tree.ts';
import { unit } from '../nn/unit.ts';
import { tokensOf } from './config.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Batches have one size, as programs have. */
export interface BatchForm {
  readonly batchSize: number;
  /** Height and width of the images. */
  readonly size: number;
}

/** Makes codes of images with a frozen tokenizer. */
export interface TokenEncoder {
  /**
   * images uint8 [batchSize, size, size, 3] -> codes int32 [batchSize * tokens].
   *
   * @param first which image of the data set is the first, for messages
   * @throws Error that names the image, if a code isn't one of the vocabulary
   */
  encode(images: HostTensor, first: number): Promise<Int32Array>;
  dispose(): void;
}

/** Makes images of codes with a frozen tokenizer. */
export interface TokenDecoder {
  /**
   * codes int32 [batchSize * tokens] -> images [batchSize * size * size * 3], clipped to [0, 1].
   *
   * @param first which image of the data set is the first, for messages
   * @throws Error that names the image, if a number of one isn't finite: clipped, it would look like any other
   */
  decode(codes: Int32Array, first: number): Promise<Float32Array>;
  dispose(): void;
}

/**
 * How many images of a size are encoded or decoded at once: 100 of those of 32 pixels, 5 of 224. At full size a network
 * keeps a hundred numbers for each pixel, several times over.
 */
export function imagesAtOnce(size: number): number {
  return Math.max(1, Math.min(100, Math.floor(2 ** 18 / size ** 2)));
}

type Nothing = Record<string, never>;
type Weights = Parameters<Tokenizer['encode']>[0];

export async function openEncoder(
  engine: Engine,
  tokenizer: Tokenizer,
  { batchSize, size }: BatchForm,
): Promise<TokenEncoder> {
  const { stride, vocabulary, weights } = tokenizer;
  const state = engine.state({});
  const program = await engine.compile({
    name: 'tokenizer encode',
    step: (nothing: Nothing, batch: { images: tf.Tensor }, constants: Weights) => ({
      state: nothing,
      out: { codes: tokenizer.encode(constants, unit(batch.images)) },
    }),
    state,
    batch: { images: { dtype: 'uint8', shape: [batchSize, size, size, 3] } },
    constants: weights as never,
  });
  return {
    async encode(images, first) {
      const out = await program.run({ images });
      const codes = out.codes.data as Int32Array;
      checkCodes(codes, { first, tokens: tokensOf(size, stride), vocabulary });
      return codes;
    },
    dispose() {
      program.dispose();
      state.dispose();
    },
  };
}

export async function openDecoder(
  engine: Engine,
  tokenizer: Tokenizer,
  { batchSize, size }: BatchForm,
): Promise<TokenDecoder> {
  const tokens = tokensOf(size, tokenizer.stride);
  const state = engine.state({});
  const program = await engine.compile({
    name: 'tokenizer decode',
    step: (nothing: Nothing, batch: { codes: tf.Tensor }, constants: Weights) => ({
      state: nothing,
      out: { images: tokenizer.decode(constants, batch.codes) },
    }),
    state,
    batch: { codes: { shape: [batchSize, tokens], dtype: 'int32' } },
    constants: tokenizer.weights as never,
  });
  return {
    async decode(codes, first) {
      const out = await program.run({ codes: hostTensor([batchSize, tokens], codes) });
      const images = out.images.data as Float32Array;
      const bad = firstNonFinite(images);
      if (bad !== undefined) {
        throw new StageError(`tokenizer decode: images from ${first} on give ${bad}`, { hint: tooLarge });
      }
      return images.map((value) => Math.min(1, Math.max(0, value)));
    },
    dispose() {
      program.dispose();
      state.dispose();
    },
  };
}

export interface CodesOptions {
  readonly view: StillView;
  /** Threads that decode images. */
  readonly workers: number;
  readonly signal: AbortSignal;
}

/** Codes of all images of a data set, int32 [count * tokens]. Fails as `encode` does. */
export async function codesOf(
  engine: Engine,
  tokenizer: Tokenizer,
  dataset: Dataset,
  { view, workers, signal }: CodesOptions,
): Promise<Int32Array> {
  const size = sizeOf(view, dataset);
  const batchSize = imagesAtOnce(size);
  const tokens = tokensOf(size, tokenizer.stride);
  const encoder = await openEncoder(engine, tokenizer, { batchSize, size });
  const codes = new Int32Array(dataset.count * tokens);
  let done = 0;
  const pass = onePass(dataset, { batchSize, view, workers, signal, pictures: { images: {} } });
  for await (const { pictures, real } of pass) {
    const found = await encoder.encode(pictures.images, done);
    codes.set(found.subarray(0, real * tokens), done * tokens);
    done += real;
  }
  encoder.dispose();
  return codes;
}

const tooLarge = 'the weights are too large for float32: lower the learning rate of their training';

function checkCodes(
  codes: Int32Array,
  { first, tokens, vocabulary }: { first: number; tokens: number; vocabulary: number },
): void {
  const odd = codes.findIndex((code) => !(code >= 0 && code < vocabulary));
  if (odd < 0) return;
  const image = first + Math.floor(odd / tokens);
  throw new StageError(
    `tokenizer encode: image ${image} has the code ${codes[odd]}, which is none of ${vocabulary}`,
    {
      hint:
        codes[odd] === -1
          ? tooLarge
          : `\`encode\` gives numbers below \`vocabulary\`: 0 to ${vocabulary - 1}`,
    },
  );
}
