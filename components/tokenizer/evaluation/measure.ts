import { onePass } from '../../data/loader.ts';
import type { Dataset, Window } from '../../data/types.ts';
import { type StillView, showsAll, sizeOf } from '../../data/views/view.ts';
import type { Engine } from '../../engine/types.ts';
import { imagesAtOnce, openDecoder, openEncoder } from '../codes.ts';
import { tokensOf } from '../config.ts';
import type { Tokenizer } from '../tokenizer.ts';
import { psnrOf } from './psnr.ts';

/** What a tokenizer makes of images; of all but a few of them nothing but codes is kept. */
export interface Measured {
  /** Codes of the images, int32 [count * tokens]. */
  readonly codes: Int32Array;
  /** Mean over images, in dB. */
  readonly psnr: number;
  /** How often each code is taken. */
  readonly histogram: Float64Array;
  /** The first images as they are and, in [0, 1], as they are reconstructed: [pictures * size * size * 3]. */
  readonly originals: Uint8Array;
  readonly reconstructions: Float32Array;
}

export interface MeasureOptions {
  readonly view: StillView;
  /** The first so many images are decoded again; the others give codes only. */
  readonly decoded: number;
  /** The first so many of those are kept. */
  readonly pictures: number;
  readonly workers: number;
  readonly signal: AbortSignal;
  readonly onBatch: (done: number) => void;
}

/** One pass over the images: codes, pictures of the codes, and their distance. */
export async function measure(
  engine: Engine,
  tokenizer: Tokenizer,
  images: Dataset,
  { view, decoded, pictures, workers, signal, onBatch }: MeasureOptions,
): Promise<Measured> {
  const size = sizeOf(view, images);
  const batchSize = Math.min(imagesAtOnce(size), images.count);
  const form = { batchSize, size };
  const encoder = await openEncoder(engine, tokenizer, form);
  const decoder = await openDecoder(engine, tokenizer, form);
  const tokens = tokensOf(size, tokenizer.stride);
  const codes = new Int32Array(images.count * tokens);
  const originals = new Uint8Array(pictures * size * size * 3);
  const reconstructions = new Float32Array(originals.length);
  let sum = 0;
  let done = 0;
  const pass = onePass(images, { batchSize, view, workers, signal, pictures: { images: {} } });
  for await (const batch of pass) {
    const found = await encoder.encode(batch.pictures.images, done);
    codes.set(found.subarray(0, batch.real * tokens), done * tokens);
    const wanted = Math.min(batch.real, decoded - done);
    if (wanted > 0) {
      const shown = batch.pictures.images.data as Uint8Array;
      const made = await decoder.decode(found, done);
      for (const value of psnrOf(shown, made, size, windowOf(images, view)).slice(0, wanted)) sum += value;
      keep(originals, shown, done, size);
      keep(reconstructions, made, done, size);
    }
    done += batch.real;
    onBatch(done);
  }
  encoder.dispose();
  decoder.dispose();
  const histogram = new Float64Array(tokenizer.vocabulary);
  for (const code of codes.subarray(0, decoded * tokens)) histogram[code]++;
  return { codes, psnr: sum / decoded, histogram, originals, reconstructions };
}

/** Where the picture is in what a view shows; undefined: everywhere, or at a place that the data doesn't say. */
export function windowOf(data: Dataset, view: StillView): Window | undefined {
  return showsAll(view, data) ? data.window : undefined;
}

/** Copies what of a batch that begins at image `first` belongs to the first images. */
function keep<T extends Uint8Array | Float32Array>(kept: T, batch: T, first: number, size: number): void {
  const start = first * size * size * 3;
  if (start < kept.length) kept.set(batch.subarray(0, kept.length - start), start);
}
