import { createHash, hash } from 'node:crypto';
import fs from 'node:fs';

/** Bytes of a sha256. */
export const digestWidth = 32;

// One for the whole thread: a buffer for each of a million files keeps the garbage collector busy.
const buffer = Buffer.allocUnsafeSlow(1 << 20);

/**
 * sha256 of files, one after the other in `digestWidth` bytes each. Synchronously: threads do this.
 *
 * @throws the file system's error
 */
export function hashFiles(files: readonly string[]): Uint8Array {
  const digests = new Uint8Array(digestWidth * files.length);
  for (const [place, file] of files.entries()) digests.set(hashOne(file), digestWidth * place);
  return digests;
}

function hashOne(file: string): Buffer {
  const descriptor = fs.openSync(file, 'r');
  try {
    const length = fill(descriptor);
    if (length < buffer.length) return hash('sha256', buffer.subarray(0, length), 'buffer');
    const whole = createHash('sha256').update(buffer);
    for (let more = fill(descriptor); more > 0; more = fill(descriptor))
      whole.update(buffer.subarray(0, more));
    return whole.digest();
  } catch (error) {
    // Errors of a descriptor don't name its file.
    throw Object.assign(error as Error, { path: file });
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Reads on until the buffer is full or the file at its end. */
function fill(descriptor: number): number {
  let length = 0;
  while (length < buffer.length) {
    const read = fs.readSync(descriptor, buffer, length, buffer.length - length, null);
    if (read === 0) break;
    length += read;
  }
  return length;
}
