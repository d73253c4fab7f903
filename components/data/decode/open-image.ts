import { readFile } from 'node:fs';
import { promisify } from 'node:util';
import { StageError } from '../../../framework/stage/stage-error.ts';
import { takingTurns } from '../ahead.ts';
import type { ImageBytes, Pixels } from '../types.ts';
import { decode } from './decode.ts';

/**
 * Of all images that a thread was given, two are decoded at once: one is resized while the next is being decoded beside it.
 * Decoded images are large, files are not.
 */
const inTurn = takingTurns(2);

/** Reads and decodes an image, and makes something of its pixels, which are let go of then. Rejects as `decode` does. */
export async function withPixels<T>(image: ImageBytes, use: (pixels: Pixels) => T | Promise<T>): Promise<T> {
  const read = 'file' in image ? { ...image, bytes: await bytesOf(image.file) } : image;
  return inTurn(async () => use(await decode(read)));
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
