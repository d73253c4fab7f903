import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Digest } from '../stage/keys.ts';
import { openLags, timeAt } from './clock.ts';
import { tryWriteDisposable } from './disposable.ts';
import { digestWidth } from './folder-hash.ts';
import { type ListedPart, statWidth } from './folder-list.ts';
import { type FolderManifest, manifestOf, textOf } from './folder-manifest.ts';
import {
  type FolderMemory,
  isSamePart,
  isTrusted,
  isUnchanged,
  type MemoryPart,
  packFolderMemory,
  readFolderMemory,
} from './folder-memory.ts';
import { type FolderPool, noPool, openFolderPool } from './folder-pool.ts';
import { type Sweep, type SweepOptions, sweepFolder } from './folder-sweep.ts';

export type { FolderManifest } from './folder-manifest.ts';

export interface FolderDigest {
  /** Of the folder's manifest: equal folders have equal digests, wherever they lie. */
  readonly digest: Digest;
  /** Its manifest and those of the folders in it, by their digests; made when they are asked for. */
  readonly manifests: ReadonlyMap<Digest, () => FolderManifest>;
}

/** How far the hashing of a folder is. */
export interface Hashing {
  readonly folder: string;
  /** Bytes of the files that were new or had changed. */
  readonly done: number;
  readonly of: number;
}

export interface DigestOptions extends SweepOptions {
  onHashing?(hashing: Hashing): void;
}

// The clock as it is: experiment files are evaluated a second time under another one.
const now = Date.now;
/** What one thread hashes before it says so: files and bytes. */
const most = { files: 256, bytes: 1 << 25 };
/** Up to so much is hashed here, since threads take a while to start. */
const little = { files: 4_000, bytes: 1 << 26 };
/** What was hashed is written down this often, in milliseconds: an interrupted hashing resumes there. */
const writeInterval = 10_000;
/** In milliseconds. */
const tornAge = 3600 * 1000;

/** By the sweep that it was made of: the memory isn't read again for the same one. */
const made = new WeakMap<Sweep, Map<string, Promise<FolderDigest>>>();

/**
 * Digest of all files in a folder, however deep; links are followed. A file is hashed once: its stat, remembered in
 * `memoryFile` (disposable), tells whether it is still the same.
 *
 * @throws the file system's error if the folder or one of its files can't be read
 */
export async function digestFolder(
  folder: string,
  memoryFile: string,
  options: DigestOptions = {},
): Promise<FolderDigest> {
  const sweep = await sweepFolder(folder, options);
  const byMemory = made.get(sweep) ?? new Map<string, Promise<FolderDigest>>();
  made.set(sweep, byMemory);
  const digest = byMemory.get(memoryFile) ?? digestSweep(folder, sweep, memoryFile, options);
  byMemory.set(memoryFile, digest);
  return digest;
}

/** Where the memory of a folder is kept below a cache folder. */
export function folderMemoryFile(cacheDir: string, folder: string): string {
  const name = createHash('sha256').update(path.resolve(folder)).digest('hex').slice(0, 32);
  return path.join(cacheDir, 'folders', name);
}

async function digestSweep(
  folder: string,
  { parts }: Sweep,
  memoryFile: string,
  options: DigestOptions,
): Promise<FolderDigest> {
  const memory = readFolderMemory(memoryFile);
  if (memory && isUnchanged(memory, parts)) return digestOf(memory);
  const known = new Map(memory?.parts.map((part) => [part.dir, part]));
  const growing = parts.map((part) => takeKnown(part, known.get(part.dir)));
  await hashUnknown(folder, growing, memoryFile, options);
  const next = withDigests(growing);
  await tryWriteDisposable(memoryFile, packFolderMemory(next));
  await removeTorn(memoryFile);
  return digestOf(next);
}

/** What was being written beside a memory when a process was interrupted, as long as no other can still be at it. */
async function removeTorn(memoryFile: string): Promise<void> {
  const [dir, start] = [path.dirname(memoryFile), `${path.basename(memoryFile)}.`];
  try {
    const torn = (await fs.readdir(dir)).filter((name) => name.startsWith(start));
    if (torn.length === 0) return;
    const time = timeAt(dir);
    for (const name of torn) {
      const file = path.join(dir, name);
      if (time - (await fs.stat(file)).mtimeMs > tornAge) await fs.rm(file);
    }
  } catch {
    // They only take room.
  }
}

/** A part with what is known of its files; the others have `at` 0. */
function takeKnown(part: ListedPart, known: MemoryPart | undefined): MemoryPart {
  if (known && isSamePart(known, part)) return known;
  const { dir, names, count, stats } = part;
  const at = new Float64Array(count);
  const sha256 = new Uint8Array(digestWidth * count);
  if (known) {
    const places = new Map(namesIn(known).map((name, place) => [name, place]));
    const time = now();
    for (const [file, name] of namesIn(part).entries()) {
      const place = places.get(name);
      if (place === undefined || !isTrusted(known, place, stats, file, time)) continue;
      at[file] = known.at[place]!;
      sha256.set(shaAt(known, place), digestWidth * file);
    }
  }
  return { dir, names, count, stats, at, sha256, digest: '' };
}

/** Files of one part that one thread hashes at once. */
interface Batch {
  readonly part: MemoryPart;
  readonly names: readonly string[];
  /** Places of the names in the part. */
  readonly places: readonly number[];
  readonly bytes: number;
}

/** Hashes what isn't known yet, and writes into the columns of the parts. */
async function hashUnknown(
  folder: string,
  parts: readonly MemoryPart[],
  memoryFile: string,
  { onHashing }: DigestOptions,
): Promise<void> {
  const batches = parts.flatMap(batchesOf);
  const files = batches.reduce((sum, { places }) => sum + places.length, 0);
  const bytes = batches.reduce((sum, batch) => sum + batch.bytes, 0);
  if (files === 0) return;
  const lagOf = openLags(path.dirname(memoryFile));
  let pool: FolderPool | undefined;
  if (files > little.files || bytes > little.bytes) pool = await openFolderPool();
  const { hash } = pool ?? noPool;
  let [next, done, written] = [0, 0, performance.now()];
  const lane = async (): Promise<void> => {
    for (let batch = batches[next++]; batch !== undefined; batch = batches[next++]) {
      const { part, names, places } = batch;
      const began = now() - lagOf(path.join(folder, part.dir));
      const digests = await hash(names.map((name) => path.join(folder, part.dir, name)));
      for (const [n, place] of places.entries()) {
        part.at[place] = began;
        part.sha256.set(digests.subarray(digestWidth * n, digestWidth * (n + 1)), digestWidth * place);
      }
      done += batch.bytes;
      onHashing?.({ folder, done, of: bytes });
      if (performance.now() - written < writeInterval) continue;
      written = performance.now();
      await tryWriteDisposable(memoryFile, packFolderMemory({ digest: '', parts }));
    }
  };
  try {
    await Promise.all(Array.from({ length: 2 * (pool?.lanes ?? 1) }, lane));
  } finally {
    next = batches.length;
    await pool?.close();
  }
}

function batchesOf(part: MemoryPart): Batch[] {
  const batches: Batch[] = [];
  const names = namesIn(part);
  let [own, places, bytes] = [[] as string[], [] as number[], 0];
  const close = (): void => {
    if (places.length > 0) batches.push({ part, names: own, places, bytes });
    [own, places, bytes] = [[], [], 0];
  };
  for (const [place, name] of names.entries()) {
    if (part.at[place] !== 0) continue;
    own.push(name);
    places.push(place);
    bytes += part.stats[statWidth * place]!;
    if (places.length >= most.files || bytes >= most.bytes) close();
  }
  close();
  return batches;
}

/** A memory of parts whose files are all known: the digest of a folder has those of the folders in it, as in git. */
function withDigests(parts: readonly MemoryPart[]): FolderMemory {
  const done = new Map<string, MemoryPart>();
  const below = foldersBelow(parts);
  // A folder comes before those in it.
  for (const part of [...parts].reverse()) {
    const inside = below.get(part.dir) ?? [];
    const folders = inside.flatMap((dir): [string, string][] => {
      const { digest } = done.get(dir)!;
      return digest === '' ? [] : [[path.posix.basename(dir), digest]];
    });
    const isKnown = part.digest !== '' && inside.length === 0;
    const isEmpty = part.count === 0 && folders.length === 0 && part.dir !== '';
    const digest = isKnown ? part.digest : isEmpty ? '' : sha256Of(textOf(filesOf(part), folders));
    done.set(part.dir, { ...part, digest });
  }
  return { digest: done.get('')!.digest, parts: parts.map(({ dir }) => done.get(dir)!) };
}

function digestOf(memory: FolderMemory): FolderDigest {
  const below = foldersBelow(memory.parts);
  const byDir = new Map(memory.parts.map((part) => [part.dir, part]));
  const manifests = memory.parts.flatMap((part): [Digest, () => FolderManifest][] => {
    if (part.digest === '') return [];
    const folders = (): [string, string][] =>
      (below.get(part.dir) ?? []).flatMap((dir): [string, string][] => {
        const { digest } = byDir.get(dir)!;
        return digest === '' ? [] : [[path.posix.basename(dir), digest]];
      });
    return [[part.digest as Digest, () => manifestOf(filesOf(part), folders())]];
  });
  return { digest: memory.digest as Digest, manifests: new Map(manifests) };
}

/** Paths of the folders directly in each folder that has some. */
function foldersBelow(parts: readonly MemoryPart[]): Map<string, string[]> {
  const below = new Map<string, string[]>();
  for (const { dir } of parts) {
    if (dir === '') continue;
    const above = dir.includes('/') ? path.posix.dirname(dir) : '';
    const siblings = below.get(above);
    if (siblings) siblings.push(dir);
    else below.set(above, [dir]);
  }
  return below;
}

function* filesOf(part: MemoryPart): Iterable<readonly [name: string, size: number, sha256: string]> {
  for (const [place, name] of namesIn(part).entries())
    yield [name, part.stats[statWidth * place]!, Buffer.from(shaAt(part, place)).toString('hex')];
}

function namesIn({ names, count }: Pick<ListedPart, 'names' | 'count'>): string[] {
  return count === 0 ? [] : names.split('/');
}

function shaAt({ sha256 }: MemoryPart, place: number): Uint8Array {
  return sha256.subarray(digestWidth * place, digestWidth * (place + 1));
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
