import { readFile } from 'node:fs';
import { promisify } from 'node:util';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { StageError } from '../../../framework/stage/stage-error.ts';
import { takingTurns } from '../ahead.ts';
import type { ImageBytes } from '../types.ts';
import type { Chance } from '../views/chance.ts';
import { fillPicture, renderPictures, type Sight } from '../views/render.ts';
import { BadImage, decode } from './decode.ts';

/** One image, and what is to be seen of it. */
export interface RenderTask {
  readonly image: ImageBytes;
  readonly sight: Sight;
  readonly chance?: Chance;
}

/**
 * Of all images that a thread was given, two are decoded at once: one is resized while the next is being decoded beside it.
 * Decoded images are large, files are not.
 */
const inTurn = takingTurns(2);

/** The pictures of an image, `[size, size, 3]` each, one after the other in a buffer of their own. */
export async function render({ image, sight, chance }: RenderTask): Promise<Uint8Array> {
  const read = 'file' in image ? { ...image, bytes: await bytesOf(image.file) } : image;
  return inTurn(async () => {
    const seen = renderPictures(await decode(read), sight, chance);
    const sizes = sight.pictures.map(({ size }) => size);
    const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size * size * 3, 0));
    let start = 0;
    for (const [n, size] of sizes.entries()) {
      fillPicture(bytes, start, seen[n]!, size);
      start += size * size * 3;
    }
    return bytes;
  });
}

const readBytes = promisify(readFile);

/** The system's message names the file, as the caller does. */
async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    return await readBytes(file);
  } catch (cause) {
    throw new StageError(`can't be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}

/** A StageError as it goes from thread to thread: of errors only the message would. */
export interface Failure {
  readonly message: string;
  readonly hint?: string | undefined;
  readonly isBad: boolean;
}

export function failed({ message, hint, isBad }: Failure): StageError {
  return new (isBad ? BadImage : StageError)(message, hint === undefined ? {} : { hint });
}

/**
 * What the threads of the pool run: they load this module by its name (renderer.ts). Everyone else imports it, so it is in
 * the keys like any other code. The buffer is handed over, not copied.
 *
 * @returns the pictures, or a `Failure`
 */
export async function renderApart(task: RenderTask): Promise<unknown> {
  let bytes: Uint8Array;
  try {
    bytes = await render(task);
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    const { message, hint } = error;
    return { message, hint, isBad: error instanceof BadImage } satisfies Failure;
  }
  return move({
    get [transferableSymbol]() {
      return bytes.buffer;
    },
    get [valueSymbol]() {
      return bytes;
    },
  });
}
