import { open } from 'node:fs/promises';
import { StageError } from '../../../framework/stage/stage-error.ts';
import { BadImage } from './decode.ts';
import { nameFormat } from './formats.ts';

export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/** So much of a file is read at first: the header of nearly every one is in it. Bytes. */
const enough = 16_384;

/**
 * Height and width of a JPEG, PNG or WebP, as its header says: the pixels aren't looked at. Orientation by EXIF is left
 * aside, as `decode` does.
 *
 * @throws BadImage if the file is none or its header is damaged; StageError if it can't be read. The messages don't name it
 */
export async function imageSize(file: string): Promise<ImageSize> {
  const head = await firstBytes(file, enough);
  const size = sizeIn(head.bytes) ?? (head.whole ? undefined : sizeIn((await firstBytes(file)).bytes));
  if (size !== undefined && size.height > 0 && size.width > 0) return size;
  throw new BadImage(`can't be decoded: ${nameFormat(head.bytes) ?? 'its header is damaged or missing'}`);
}

/**
 * The first bytes of a file, or all.
 *
 * @throws StageError if it can't be read; the message doesn't name it
 */
export async function firstBytes(
  file: string,
  most = Number.POSITIVE_INFINITY,
): Promise<{ readonly bytes: Uint8Array; readonly whole: boolean }> {
  try {
    const handle = await open(file, 'r');
    try {
      if (most === Number.POSITIVE_INFINITY) return { bytes: await handle.readFile(), whole: true };
      const { bytesRead, buffer } = await handle.read(new Uint8Array(most), 0, most, 0);
      return { bytes: buffer.subarray(0, bytesRead), whole: bytesRead < most };
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new StageError(`can't be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}

function sizeIn(bytes: Uint8Array): ImageSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const begins = (text: string, at = 0): boolean =>
    bytes.length >= at + text.length &&
    [...text].every((letter, n) => bytes[at + n] === letter.charCodeAt(0));
  if (begins('\xff\xd8')) return sizeInJpeg(view);
  if (begins('\x89PNG\r\n\x1a\n') && bytes.length >= 24 && begins('IHDR', 12))
    return { width: view.getUint32(16), height: view.getUint32(20) };
  if (begins('RIFF') && begins('WEBP', 8) && bytes.length >= 30) return sizeInWebp(view, begins);
  return undefined;
}

/** What the first frame header says (ITU T.81, B.2.2). */
function sizeInJpeg(view: DataView): ImageSize | undefined {
  for (let at = 2; at + 9 <= view.byteLength && view.getUint8(at) === 0xff; ) {
    const marker = view.getUint8(at + 1);
    // The start of a frame; C4, C8 and CC are none.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return undefined;
}

/** Lossy, lossless and extended (RFC 9649, 2.5 to 2.7). */
function sizeInWebp(view: DataView, begins: (text: string, at: number) => boolean): ImageSize | undefined {
  if (begins('VP8 ', 12)) {
    const side = (at: number) => view.getUint16(at, true) & 0x3fff;
    return { width: side(26), height: side(28) };
  }
  if (begins('VP8L', 12)) {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
  }
  if (!begins('VP8X', 12)) return undefined;
  const side = (at: number) => (view.getUint32(at, true) & 0xffffff) + 1;
  return { width: side(24), height: side(27) };
}
