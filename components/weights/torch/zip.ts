import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import { readRange } from '../read-range.ts';

/** PyTorch stores without compression; a file that was packed again may be compressed, up to this many bytes an entry. */
const MOST_INFLATED = 1 << 29;
const MOST_ENTRIES = 100_000;

/** What is wrong with an archive; the reader of the file adds its name. */
export class ZipError extends Error {
  override readonly name = 'ZipError';
}

/** The entries of a zip file by their names. Nothing is unpacked before it is asked for. */
export interface Zip {
  readonly entries: ReadonlyMap<string, Entry>;
  /**
   * The bytes of an entry, which are checked against its CRC-32.
   *
   * @throws ZipError
   */
  read(entry: Entry): Promise<Buffer>;
}

/**
 * @param handle stays open as long as entries are read, and is the caller's to close
 * @throws ZipError for what is no sound zip file, has an entry twice, or is encrypted
 */
export async function openZip(handle: FileHandle): Promise<Zip> {
  const zip = await explained(() => yauzl.fromFdPromise(handle.fd, { autoClose: false }));
  // Promises carry errors, too; without a listener this one would end the process.
  zip.on('error', () => {});
  const entries = await explained(() => listEntries(zip));
  return { entries, read: (entry) => explained(() => readEntry(zip, handle, entry)) };
}

async function listEntries(zip: ZipFile): Promise<Map<string, Entry>> {
  if (zip.entryCount > MOST_ENTRIES)
    throw new ZipError(`has ${zip.entryCount} entries, more than ${MOST_ENTRIES}`);
  const entries = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) {
    if (entries.has(entry.fileName))
      throw new ZipError(`has the entry ${JSON.stringify(entry.fileName)} twice`);
    entries.set(entry.fileName, entry);
  }
  return entries;
}

async function readEntry(zip: ZipFile, handle: FileHandle, entry: Entry): Promise<Buffer> {
  const name = JSON.stringify(entry.fileName);
  if (entry.isEncrypted()) throw new ZipError(`has the encrypted entry ${name}`);
  const bytes =
    entry.compressionMethod === 0 ? await readStored(zip, handle, entry) : await inflate(zip, entry, name);
  if (crc32(bytes) !== entry.crc32)
    throw new ZipError(`is damaged: the entry ${name} has another CRC-32 than the archive says`);
  return bytes;
}

async function readStored(zip: ZipFile, handle: FileHandle, entry: Entry): Promise<Buffer> {
  const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
  return readRange(handle, fileDataStart, entry.uncompressedSize);
}

async function inflate(zip: ZipFile, entry: Entry, name: string): Promise<Buffer> {
  if (entry.uncompressedSize > MOST_INFLATED)
    throw new ZipError(
      `has the compressed entry ${name} of ${entry.uncompressedSize} bytes: save it uncompressed`,
    );
  const chunks: Buffer[] = [];
  // The library ends the stream with an error where it gives another number of bytes than the entry says.
  for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ZipError) throw cause;
    throw new ZipError(`is no sound zip file: ${(cause as Error).message}`, { cause });
  }
}
