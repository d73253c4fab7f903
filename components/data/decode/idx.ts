import { constants, gunzipSync, type ZlibOptions } from 'node:zlib';
import { disk } from '../../../framework/stage/disk.ts';
import { StageError } from '../../../framework/stage/stage-error.ts';

/** An IDX file of unsigned bytes: the format of MNIST and its relatives. */
export interface IdxFile {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const GZIP_MAGIC = [0x1f, 0x8b] as const;
const UNSIGNED_BYTE = 0x08;
/** Bytes at the start of a file in which its header is, also when it is packed. */
const HEAD = 1024;

/**
 * Reads an IDX file, gzipped or not (told by its first bytes, not by its name).
 *
 * Source of the format: the header comment of yann.lecun.com/exdb/mnist: two zero bytes, the type, the rank,
 * then one big-endian uint32 a dimension, then the values in row-major order.
 *
 * @param rank number of dimensions that the file must have: 3 for images, 1 for labels
 * @throws Error that names the file, if it can't be read or isn't such a file
 */
export function readIdx(file: string, rank: number): IdxFile {
  const bytes = unpack(
    file,
    reading(file, () => bufferOf(disk.read(file))),
  );
  const shape = parseHeader(file, bytes, rank);
  checkLength(file, shape, bytes.length);
  return { shape, data: bytes.subarray(headerLength(rank)) };
}

/**
 * The shape that an IDX file says it has, if it is as long as that: quick, since nothing but the header is decoded. Of a
 * gzipped file the length is that which gzip notes at its end; damage in between is left to `readIdx`.
 *
 * @throws Error as `readIdx` does
 */
export function readIdxShape(file: string, rank: number): readonly number[] {
  const ends = reading(file, () => disk.ends(file, HEAD));
  const [head, tail] = [bufferOf(ends.head), bufferOf(ends.tail)];
  if (!isPacked(head)) {
    const shape = parseHeader(file, head, rank);
    checkLength(file, shape, ends.size);
    return shape;
  }
  // The first bytes are no whole gzip file, but enough of one for a header.
  const start = unpack(file, head, { finishFlush: constants.Z_SYNC_FLUSH });
  const shape = parseHeader(file, start, rank);
  const noted = tail.readUInt32LE(tail.length - 4);
  // Files of several gzip parts note the length of the last one only: those are read.
  return noted === headerLength(rank) + count(shape) ? shape : readIdx(file, rank).shape;
}

function parseHeader(file: string, bytes: Buffer, rank: number): number[] {
  if (bytes.length < 4) fail(file, `only ${bytes.length} bytes long, too short for an IDX header`);
  const magic = bytes.readUInt32BE(0);
  const expected = UNSIGNED_BYTE * 256 + rank;
  if (magic !== expected) {
    fail(
      file,
      `starts with ${hex(magic)}; IDX files of unsigned bytes with ${rank} dimensions start with ${hex(expected)}`,
    );
  }
  const header = headerLength(rank);
  if (bytes.length < header) fail(file, `ends inside its header of ${header} bytes`);
  return Array.from({ length: rank }, (_, axis) => bytes.readUInt32BE(4 + 4 * axis));
}

function checkLength(file: string, shape: readonly number[], length: number): void {
  const follow = length - headerLength(shape.length);
  const expected = count(shape);
  if (follow === expected) return;
  const what = follow < expected ? 'is truncated' : 'has surplus bytes';
  fail(file, `${what}: its header says ${shape.join('x')} = ${expected} values, but ${follow} follow`);
}

function headerLength(rank: number): number {
  return 4 + 4 * rank;
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** The bytes of an uncompressed IDX file. */
export function formatIdx({ shape, data }: IdxFile): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(UNSIGNED_BYTE * 256 + shape.length, 0);
  for (const [axis, extent] of shape.entries()) header.writeUInt32BE(extent, 4 + 4 * axis);
  return Buffer.concat([header, data]);
}

function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new StageError(`${file}: can't be read (${(cause as NodeJS.ErrnoException).code ?? cause})`, {
      cause,
    });
  }
}

/** The same bytes, with Buffer's methods. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function isPacked(bytes: Buffer): boolean {
  return bytes[0] === GZIP_MAGIC[0] && bytes[1] === GZIP_MAGIC[1];
}

function unpack(file: string, bytes: Buffer, options: ZlibOptions = {}): Buffer {
  if (!isPacked(bytes)) return bytes;
  try {
    return gunzipSync(bytes, options);
  } catch (cause) {
    throw new StageError(`${file}: isn't a whole gzip file (${(cause as Error).message})`, { cause });
  }
}

function hex(word: number): string {
  return `0x${word.toString(16).padStart(8, '0')}`;
}

function fail(file: string, what: string): never {
  throw new StageError(`${file}: ${what}`);
}
