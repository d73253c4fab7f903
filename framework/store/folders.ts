import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Digest } from '../plan/types.ts';
import { digestJson } from '../stage/canonical.ts';
import { hashFile } from './digests.ts';

/** What is in a folder: path below it (forward slashes, sorted) -> size in bytes and sha256. */
export interface FolderManifest {
  readonly format: 1;
  readonly files: { readonly [file: string]: readonly [size: number, sha256: Digest] };
}

export interface FolderDigest {
  /** Of the manifest: equal folders have equal digests, wherever they lie. */
  readonly digest: Digest;
  manifest(): FolderManifest;
}

/** Stat of every file as it was when the file was hashed, as columns: thousands of files are read in milliseconds. */
interface Memory {
  readonly format: 2;
  readonly files: readonly string[];
  readonly sizes: readonly number[];
  readonly mtimes: readonly number[];
  readonly ctimes: readonly number[];
  readonly inodes: readonly number[];
  /** When hashing of the file began, in milliseconds since 1970. */
  readonly at: readonly number[];
  readonly sha256: readonly Digest[];
  readonly digest: Digest;
}

interface Found {
  readonly file: string;
  readonly stat: fs.Stats;
}

const hashesAtOnce = 8;
// A file that changed this shortly before it was hashed may change again with the same stat ("racy clean", as in git).
const racyMilliseconds = 50;
// The clock as it is: experiment files are evaluated a second time under another one.
const now = Date.now;

/**
 * Digest of all files in a folder, however deep; links are followed. A file is hashed once: its stat, remembered in
 * `memoryFile` (disposable), tells whether it is still the same.
 *
 * @throws the file system's error if the folder or one of its files can't be read
 */
export async function digestFolder(folder: string, memoryFile: string): Promise<FolderDigest> {
  const memory = readMemory(memoryFile);
  const found = listFolder(folder);
  if (memory && isUnchanged(memory, found))
    return { digest: memory.digest, manifest: () => manifestOf(memory) };
  const next = await remember(folder, found, memory);
  writeMemory(memoryFile, next);
  return { digest: next.digest, manifest: () => manifestOf(next) };
}

/** Where the memory of a folder is kept below a cache folder. */
export function folderMemory(cacheDir: string, folder: string): string {
  return path.join(
    cacheDir,
    'folders',
    `${createHash('sha256').update(folder).digest('hex').slice(0, 32)}.json`,
  );
}

/** Synchronously: for many files that is several times as fast as promises, and nothing else waits meanwhile. */
function listFolder(folder: string): Found[] {
  const found: Found[] = [];
  const open = new Set<string>();
  function walk(dir: string, prefix: string): void {
    const real = fs.realpathSync(dir);
    if (open.has(real)) return; // a link to a folder above it
    open.add(real);
    const entries = fs.readdirSync(dir, { withFileTypes: true });
    for (const entry of entries) {
      const file = prefix + entry.name;
      const full = `${dir}/${entry.name}`;
      if (entry.isDirectory()) walk(full, `${file}/`);
      else {
        const stat = fs.statSync(full);
        if (stat.isDirectory()) walk(full, `${file}/`);
        else if (stat.isFile()) found.push({ file, stat });
      }
    }
    open.delete(real);
  }
  walk(folder, '');
  return found.sort((a, b) => (a.file < b.file ? -1 : 1));
}

function isUnchanged(memory: Memory, found: readonly Found[]): boolean {
  return found.length === memory.files.length && found.every((one, index) => isTrusted(memory, index, one));
}

function isTrusted(memory: Memory, index: number, { file, stat }: Found): boolean {
  return (
    memory.files[index] === file &&
    memory.sizes[index] === stat.size &&
    memory.mtimes[index] === stat.mtimeMs &&
    memory.ctimes[index] === stat.ctimeMs &&
    memory.inodes[index] === stat.ino &&
    Math.max(stat.mtimeMs, stat.ctimeMs) + racyMilliseconds < memory.at[index]!
  );
}

async function remember(
  folder: string,
  found: readonly Found[],
  memory: Memory | undefined,
): Promise<Memory> {
  const places = new Map(memory?.files.map((file, index) => [file, index]));
  const at: number[] = new Array(found.length);
  const sha256: Digest[] = new Array(found.length);
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
  return { ...columns, digest: digestJson(manifestOf(columns) as never) as Digest };
}

function manifestOf({ files, sizes, sha256 }: Pick<Memory, 'files' | 'sizes' | 'sha256'>): FolderManifest {
  return {
    format: 1,
    files: Object.fromEntries(files.map((file, index) => [file, [sizes[index]!, sha256[index]!] as const])),
  };
}

function readMemory(file: string): Memory | undefined {
  try {
    const memory = JSON.parse(fs.readFileSync(file, 'utf8')) as Memory;
    return memory.format === 2 ? memory : undefined;
  } catch {
    return undefined;
  }
}

/** A memory that can't be kept (read-only store, full disk) only makes the next time slower. */
function writeMemory(file: string, memory: Memory): void {
  const temporary = `${file}.${process.pid}.${process.hrtime.bigint()}`;
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(temporary, JSON.stringify(memory));
    fs.renameSync(temporary, file);
  } catch {
    fs.rmSync(temporary, { force: true });
  }
}
