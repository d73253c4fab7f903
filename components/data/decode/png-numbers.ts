import { constants, crc32, inflateSync } from 'node:zlib';
import { BadImage } from './decode.ts';

/** A picture of more pixels is refused by its header. */
const mostPixels = 100_000_000;

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** What the header of a PNG says. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits of a number: 1, 2, 4, 8 or 16. */
  readonly bits: number;
  readonly colour: 'grey' | 'RGB' | 'palette' | 'grey with opacity' | 'RGB with opacity';
  readonly interlaced: boolean;
}

/** As many of a file's first bytes have its header. */
const pngHeaderBytes = 33;

const colours = new Map<number, PngHeader['colour']>([
  [0, 'grey'],
  [2, 'RGB'],
  [3, 'palette'],
  [4, 'grey with opacity'],
  [6, 'RGB with opacity'],
]);

/**
 * The header of a PNG by the first bytes of the file.
 *
 * @throws BadImage if they begin no PNG
 */
export function pngHeader(bytes: Uint8Array): PngHeader {
  if (signature.some((byte, at) => bytes[at] !== byte)) throw new BadImage('is no PNG');
  if (bytes.length < pngHeaderBytes) throw new BadImage('is a PNG whose end is missing');
  const view = viewOf(bytes);
  const colour = colours.get(bytes[25]!);
  if (nameOf(view, 12) !== 'IHDR' || colour === undefined || isDamaged(bytes, 8))
    throw new BadImage('is a damaged PNG: its header is no header');
  return {
    ...{ width: view.getUint32(16), height: view.getUint32(20) },
    ...{ bits: bytes[24]!, colour, interlaced: bytes[28] === 1 },
  };
}

/** The numbers in a PNG of one channel, row by row. */
export interface PngNumbers {
  readonly numbers: Uint8Array | Uint16Array;
  readonly height: number;
  readonly width: number;
}

/**
 * The numbers in a PNG of one channel: greys of 8 or 16 bits, or the indices of a palette, whatever its colours are. No
 * decoder of pictures gives them: those make colours of a palette, and 8 bits of 16.
 *
 * @throws BadImage for any other PNG, one that isn't whole, one of more than 100 million pixels, and other files
 */
export function readPngNumbers(bytes: Uint8Array): PngNumbers {
  const header = pngHeader(bytes);
  const { width, height, bits } = header;
  checkNumbers(header);
  const passes = header.interlaced ? interlacedPasses(width, height) : [onePass(width, height)];
  const rowBytes = (pass: Pass): number => Math.ceil((pass.width * bits) / 8);
  const size = passes.reduce((sum, pass) => sum + pass.height * (1 + rowBytes(pass)), 0);
  const packed = inflate(dataOf(bytes), size);
  const numbers = bits === 16 ? new Uint16Array(width * height) : new Uint8Array(width * height);
  let from = 0;
  for (const pass of passes) {
    const length = pass.height * (1 + rowBytes(pass));
    const rows = packed.subarray(from, from + length);
    undoFilters(rows, rowBytes(pass), bits === 16 ? 2 : 1);
    spread(rows, { pass, rowBytes: rowBytes(pass), bits }, numbers, width);
    from += length;
  }
  return { numbers, height, width };
}

/**
 * The numbers of its first rows, as many as a file's first bytes have; none of a PNG that is interlaced or damaged there.
 *
 * @throws BadImage as `checkNumbers` does
 */
export function firstNumbers(bytes: Uint8Array): PngNumbers['numbers'] {
  const header = pngHeader(bytes);
  checkNumbers(header);
  const { width, bits } = header;
  const rowBytes = Math.ceil((width * bits) / 8);
  try {
    const packed = header.interlaced ? new Uint8Array(0) : Buffer.concat(partsIn(bytes));
    const rows = inflateSync(packed, { finishFlush: constants.Z_SYNC_FLUSH });
    const pass = onePass(width, Math.min(header.height, Math.floor(rows.length / (1 + rowBytes))));
    const whole = rows.subarray(0, pass.height * (1 + rowBytes));
    undoFilters(whole, rowBytes, bits === 16 ? 2 : 1);
    const count = width * pass.height;
    const numbers = bits === 16 ? new Uint16Array(count) : new Uint8Array(count);
    spread(whole, { pass, rowBytes, bits }, numbers, width);
    return numbers;
  } catch {
    return new Uint8Array(0);
  }
}

/** What there is of the packed pixels in a file's first bytes. */
function partsIn(bytes: Uint8Array): Uint8Array[] {
  const view = viewOf(bytes);
  const parts: Uint8Array[] = [];
  for (let at = 8; at + 8 <= bytes.length; at += 12 + view.getUint32(at))
    if (nameOf(view, at + 4) === 'IDAT')
      parts.push(bytes.subarray(at + 8, Math.min(bytes.length, at + 8 + view.getUint32(at))));
  return parts;
}

/**
 * Whether the numbers in a PNG can be those of classes, as far as its header says.
 *
 * @throws BadImage if not
 */
export function checkNumbers({ width, height, bits, colour }: PngHeader): void {
  if (width === 0 || height === 0) throw new BadImage('is a damaged PNG: it has no pixels');
  if (width * height > mostPixels) {
    const most = mostPixels.toLocaleString('en-US');
    throw new BadImage(`has ${width} x ${height} pixels, more than ${most}`);
  }
  if (colour === 'palette' && [1, 2, 4, 8].includes(bits)) return;
  if (colour === 'grey' && (bits === 8 || bits === 16)) return;
  if (colour === 'grey' && [1, 2, 4].includes(bits)) {
    const most = 2 ** bits - 1;
    throw new BadImage(
      `is a grey PNG of ${bits} bits, of which programs make the numbers 0 to ${most} or 0 to 255`,
      { hint: 'save the numbers of the classes as a grey PNG of 8 bits' },
    );
  }
  throw new BadImage(`is a PNG of colours (${colour}, ${bits} bits), not of the numbers of classes`, {
    hint: 'save the numbers of the classes as a grey PNG of 8 or 16 bits, or with a palette',
  });
}

/** Pixels of a PNG that are stored together: every so many columns and rows from a place on. */
interface Pass {
  readonly left: number;
  readonly top: number;
  readonly across: number;
  readonly down: number;
  readonly width: number;
  readonly height: number;
}

function onePass(width: number, height: number): Pass {
  return { left: 0, top: 0, across: 1, down: 1, width, height };
}

/** The seven passes of Adam7 (PNG specification, 8.2); those without pixels aren't stored. */
function interlacedPasses(width: number, height: number): Pass[] {
  const places = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
  ] as const;
  return places
    .map(([left, top, across, down]) => ({
      ...{ left, top, across, down },
      width: Math.ceil(Math.max(0, width - left) / across),
      height: Math.ceil(Math.max(0, height - top) / down),
    }))
    .filter((pass) => pass.width > 0 && pass.height > 0);
}

/** The packed pixels: what is in the IDAT chunks, whose checksums are compared. */
function dataOf(bytes: Uint8Array): Uint8Array {
  const view = viewOf(bytes);
  const parts: Uint8Array[] = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const end = at + 12 + length;
    if (end > bytes.length) break;
    const name = nameOf(view, at + 4);
    if (['IDAT', 'PLTE', 'IEND'].includes(name) && isDamaged(bytes, at))
      throw new BadImage(`is a damaged PNG: the checksum of a part (${name}) is wrong`);
    if (name === 'IEND') return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    if (name === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + length));
    at = end;
  }
  throw new BadImage('is a PNG whose end is missing');
}

function inflate(packed: Uint8Array, size: number): Uint8Array {
  let made: Uint8Array;
  try {
    // Some programs write a few bytes more than there are pixels.
    made = inflateSync(packed, { maxOutputLength: size + 65_536 });
  } catch (cause) {
    throw new BadImage('is a damaged PNG: its pixels can not be unpacked', { cause });
  }
  if (made.length >= size) return made.subarray(0, size);
  throw new BadImage(`is a damaged PNG: it has ${made.length} bytes of pixels instead of ${size}`);
}

/** Undoes the filters of rows in place (PNG specification, 9.2); each row begins with the number of its filter. */
function undoFilters(rows: Uint8Array, rowBytes: number, pixelBytes: number): void {
  const stride = rowBytes + 1;
  for (let start = 0; start < rows.length; start += stride) {
    const filter = rows[start]!;
    if (filter === 0) continue;
    if (filter > 4) throw new BadImage(`is a damaged PNG: a row has the filter ${filter}`);
    const isFirst = start === 0;
    for (let at = start + 1; at < start + stride; at++) {
      const left = at - pixelBytes > start ? rows[at - pixelBytes]! : 0;
      const up = isFirst ? 0 : rows[at - stride]!;
      if (filter === 1) rows[at] = rows[at]! + left;
      else if (filter === 2) rows[at] = rows[at]! + up;
      else if (filter === 3) rows[at] = rows[at]! + ((left + up) >> 1);
      else {
        const corner = isFirst || at - pixelBytes <= start ? 0 : rows[at - stride - pixelBytes]!;
        rows[at] = rows[at]! + nearest(left, up, corner);
      }
    }
  }
}

/** The filter of Paeth: of the three neighbours the one that is nearest to left + up - corner. */
function nearest(left: number, up: number, corner: number): number {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

interface Stored {
  readonly pass: Pass;
  readonly rowBytes: number;
  readonly bits: number;
}

/** Writes the numbers of a pass where they belong. */
function spread(
  rows: Uint8Array,
  { pass, rowBytes, bits }: Stored,
  numbers: PngNumbers['numbers'],
  width: number,
): void {
  const mask = 2 ** Math.min(bits, 8) - 1;
  for (let y = 0; y < pass.height; y++) {
    const row = y * (rowBytes + 1) + 1;
    let to = (pass.top + y * pass.down) * width + pass.left;
    for (let x = 0; x < pass.width; x++, to += pass.across) {
      if (bits === 8) numbers[to] = rows[row + x]!;
      else if (bits === 16) numbers[to] = rows[row + 2 * x]! * 256 + rows[row + 2 * x + 1]!;
      else numbers[to] = (rows[row + ((x * bits) >> 3)]! >> (8 - bits - ((x * bits) & 7))) & mask;
    }
  }
}

/** Whether the checksum of the chunk that begins there is another than the one behind it. */
function isDamaged(bytes: Uint8Array, at: number): boolean {
  const view = viewOf(bytes);
  const end = at + 8 + view.getUint32(at);
  return end + 4 > bytes.length || crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function nameOf(view: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((n) => view.getUint8(at + n)));
}
