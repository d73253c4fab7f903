import type { FileHandle } from 'node:fs/promises';

/** One read of the system takes at most 2 GiB. */
const MOST_AT_ONCE = 1 << 30;

/**
 * Bytes of a file from a position on.
 *
 * @throws RangeError if the file ends before
 */
export async function readRange(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const most = Math.min(MOST_AT_ONCE, length - done);
    const { bytesRead } = await handle.read(bytes, done, most, position + done);
    if (bytesRead === 0)
      throw new RangeError(`it ends at byte ${position + done}, before byte ${position + length}`);
    done += bytesRead;
  }
  return bytes;
}
