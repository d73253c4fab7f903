import { createHash } from 'node:crypto';
import path from 'node:path';
import { digestJson } from '../stage/canonical.ts';
import type { Digest } from '../stage/keys.ts';
import { hashFile } from './digests.ts';
import { tryWriteDisposable } from './disposable.ts';
import {
  type FolderMemory,
  type FoundFile,
  isTrusted,
  isUnchanged,
  listFolder,
  readFolderMemory,
} from './folder-memory.ts';

/** What is in a folder: path below it (forward slashes, sorted) -> size in bytes and sha256. */
export interface FolderManifest {
  readonly format: 1;
  readonly files: { readonly [file: string]: readonly [size: number, sha256: string] };
}

export interface FolderDigest {
  /** Of the manifest: equal folders have equal digests, wherever they lie. */
  readonly digest: Digest;
  manifest(): FolderManifest;
}

const hashesAtOnce = 8;
// The clock as it is: experiment files are evaluated a second time under another one.
const now = Date.now;

/**
 * Digest of all files in a folder, however deep; links are followed. A file is hashed once: its stat, remembered in
 * `memoryFile` (disposable), tells whether it is still the same.
 *
 * @throws the file system's error if the folder or one of its files can't be read
 */
export async function digestFolder(folder: string, memoryFile: string): Promise<FolderDigest> {
  const memory = readFolderMemory(memoryFile);
  const found = listFolder(folder);
  if (memory && isUnchanged(memory, found)) return digestOf(memory);
  const next = await remember(folder, found, memory);
  await tryWriteDisposable(memoryFile, JSON.stringify(next));
  return digestOf(next);
}

/** Where the memory of a folder is kept below a cache folder. */
export function folderMemoryFile(cacheDir: string, folder: string): string {
  const name = createHash('sha256').update(path.resolve(folder)).digest('hex').slice(0, 32);
  return path.join(cacheDir, 'folders', `${name}.json`);
}

async function remember(
  folder: string,
  found: readonly FoundFile[],
  memory: FolderMemory | undefined,
): Promise<FolderMemory> {
  const places = new Map(memory?.files.map((file, index) => [file, index]));
  const at: number[] = new Array(found.length);
  const sha256: string[] = new Array(found.length);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < found.length; index = next++) {
      const one = found[index]!;
      const place = places.get(one.file);
      const isKnown = memory !== undefined && place !== undefined && isTrusted(memory, place, one);
      at[index] = isKnown ? memory.at[place]! : now();
      sha256[index] = isKnown ? memory.sha256[place]! : await hashFile(path.join(folder, one.file));
    }
  };
  await Promise.all(Array.from({ length: hashesAtOnce }, work));
  const columns = {
    format: 2 as const,
    files: found.map(({ file }) => file),
    sizes: found.map(({ stat }) => stat.size),
    mtimes: found.map(({ stat }) => stat.mtimeMs),
    ctimes: found.map(({ stat }) => stat.ctimeMs),
    inodes: found.map(({ stat }) => stat.ino),
    at,
    sha256,
  };
  return { ...columns, digest: digestJson(manifestOf(columns) as never) };
}

function digestOf(memory: FolderMemory): FolderDigest {
  return { digest: memory.digest as Digest, manifest: () => manifestOf(memory) };
}

function manifestOf({
  files,
  sizes,
  sha256,
}: Pick<FolderMemory, 'files' | 'sizes' | 'sha256'>): FolderManifest {
  return {
    format: 1,
    files: Object.fromEntries(files.map((file, index) => [file, [sizes[index]!, sha256[index]!] as const])),
  };
}
