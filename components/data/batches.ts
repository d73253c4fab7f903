import path from 'node:path';
import { StageError } from '../../framework/stage/stage-error.ts';
import { openAhead } from './ahead.ts';
import { orderedBatches, shuffledBatches } from './order.ts';
import type { Dataset, ImageBytes } from './types.ts';
import type { Chance } from './views/chance.ts';

/** Batches of a training, without end. */
export interface Loader<Batch> {
  /**
   * The batch of a step (0-based). A pure function of data, options and step: a resumed training sees the same. Asked
   * for one step after the other it has the next ones prepared meanwhile. Rejects where an image can't be read, and names
   * it; later steps may still be asked for.
   */
  batch(step: number): Promise<Batch>;
  /** Stops what is being prepared and ends the workers. */
  close(): Promise<void>;
}

/** Which images a batch is made of. */
export interface Wanted {
  readonly indices: Int32Array;
  /** Places from here on repeat the first. */
  readonly real: number;
  /** What is drawn for the image of a place; undefined: nothing is. */
  readonly chanceOf: (place: number) => Chance | undefined;
}

/** Makes batches of images. */
export interface Sampler<Batch> {
  /** Of a batch, about. */
  readonly bytes: number;
  /** Whether `sample` calls `handedOut` (`AheadOptions.handsOut`). */
  readonly handsOut?: boolean;
  sample(wanted: Wanted, signal: AbortSignal, handedOut: () => void): Promise<Batch>;
  close(): Promise<void>;
}

/** What decides which images the batches of a training show. */
export interface Shuffled {
  readonly batchSize: number;
  readonly seed: number;
  readonly purpose: string;
  readonly chances?: string;
  readonly steps?: number;
}

/**
 * How many batches are prepared beside the one that is in use. One is enough where steps take equally long, and memory is
 * bounded by them: of large batches there is only one.
 */
const AHEAD = 2;
const LARGE = 2 ** 28;

function aheadOf({ bytes, handsOut = false }: Sampler<unknown>) {
  return { ahead: bytes > LARGE ? 1 : AHEAD, handsOut };
}

/** Shuffled batches without end; see `openLoader`. */
export function trainingBatches<Batch>(
  count: number,
  { batchSize, seed, purpose, chances = purpose, steps }: Shuffled,
  sampler: Sampler<Batch>,
): Loader<Batch> {
  const order = shuffledBatches({ count, batch: batchSize, seed, purpose });
  const ahead = openAhead(
    (step, signal, handedOut) => {
      const indices = order.at(step);
      const chanceOf = (place: number): Chance => {
        const epoch = Math.floor((step * batchSize + place) / count);
        return [seed, chances, epoch, indices[place]];
      };
      return sampler.sample({ indices, real: batchSize, chanceOf }, signal, handedOut);
    },
    { ...aheadOf(sampler), ...(steps === undefined ? {} : { end: steps }) },
  );
  return {
    batch: ahead.get,
    async close() {
      await ahead.close();
      await sampler.close();
    },
  };
}

/** Every image once, in order; see `onePass`. */
export async function* passBatches<Batch extends object>(
  count: number,
  batchSize: number,
  open: () => Sampler<Batch>,
  signal?: AbortSignal,
): AsyncGenerator<Batch & { readonly real: number }, void, undefined> {
  const batches = orderedBatches(count, batchSize);
  const sampler = open();
  const ahead = openAhead(
    async (step, stopped, handedOut) => {
      const { indices, count: real } = batches[step];
      const sampled = await sampler.sample({ indices, real, chanceOf: () => undefined }, stopped, handedOut);
      return { ...sampled, real };
    },
    { ...aheadOf(sampler), end: batches.length },
  );
  try {
    for (let step = 0; step < batches.length; step++) {
      signal?.throwIfAborted();
      yield await ahead.get(step);
    }
  } finally {
    await ahead.close();
    await sampler.close();
  }
}

/** A reader of a user's own may run without a check of its types. */
function checkImage(read: Partial<{ readonly file: unknown; readonly bytes: unknown }> | undefined): void {
  if (typeof read?.file === 'string' || read?.bytes instanceof Uint8Array) return;
  throw new StageError('its reader gives neither a `file` nor `bytes`', {
    hint: '`image(index)` of a data set gives { format, file }, { format, bytes }, or pixels with the format "raw"',
  });
}

/** What is made of an image. Rejects with a StageError that names the image, or its file. */
export async function withImage<Made>(
  { name, image }: Pick<Dataset<unknown>, 'name' | 'image'>,
  index: number,
  make: (image: ImageBytes) => Promise<Made>,
): Promise<Made> {
  let from: string | undefined;
  try {
    const read = await image(index);
    checkImage(read);
    if (read.format !== 'raw') from = 'file' in read ? read.file : read.from;
    return await make(read);
  } catch (cause) {
    const isRelative = from !== undefined && !path.isAbsolute(from);
    const { hint = isRelative ? '`file` of an image is an absolute path' : undefined } = cause as StageError;
    throw new StageError(`${from ?? `image ${index} of ${name}`}: ${(cause as Error).message}`, {
      cause,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
