import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** An IDX file of unsigned bytes: the format of MNIST and its relatives. */
export interface IdxFile {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const GZIP_MAGIC = [0x1f, 0x8b] as const;
const UNSIGNED_BYTE = 0x08;

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
  const bytes = unpack(file, read(file));
  const header = 4 + 4 * rank;
  if (bytes.length < 4) fail(file, `only ${bytes.length} bytes long, too short for an IDX header`);
  const magic = bytes.readUInt32BE(0);
  const expected = UNSIGNED_BYTE * 256 + rank;
  if (magic !== expected) {
    fail(
      file,
      `starts with ${hex(magic)}; IDX files of unsigned bytes with ${rank} dimensions start with ${hex(expected)}`,
    );
  }
  if (bytes.length < header) fail(file, `ends inside its header of ${header} bytes`);
  const shape = Array.from({ length: rank }, (_, axis) => bytes.readUInt32BE(4 + 4 * axis));
  const length = shape.reduce((product, extent) => product * extent, 1);
  if (bytes.length !== header + length) {
    const what = bytes.length < header + length ? 'is truncated' : 'has surplus bytes';
    fail(
      file,
      `${what}: its header says ${shape.join('x')} = ${length} values, but ${bytes.length - header} follow`,
    );
  }
  return { shape, data: bytes.subarray(header) };
}

/** The bytes of an uncompressed IDX file. */
export function formatIdx({ shape, data }: IdxFile): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(UNSIGNED_BYTE * 256 + shape.length, 0);
  for (const [axis, extent] of shape.entries()) header.writeUInt32BE(extent, 4 + 4 * axis);
  return Buffer.concat([header, data]);
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new Error(`${file}: can't be read (${(cause as NodeJS.ErrnoException).code ?? cause})`, { cause });
  }
}

function unpack(file: string, bytes: Buffer): Buffer {
  if (bytes[0] !== GZIP_MAGIC[0] || bytes[1] !== GZIP_MAGIC[1]) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new Error(`${file}: isn't a whole gzip file (${(cause as Error).message})`, { cause });
  }
}

function hex(word: number): string {
  return `0x${word.toString(16).padStart(8, '0')}`;
}

function fail(file: string, what: string): never {
  throw new Error(`${file}: ${what}`);
}
