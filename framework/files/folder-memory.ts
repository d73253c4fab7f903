import fs from 'node:fs';
import { isClean } from './racy.ts';

// The clock as it is: experiment files are evaluated a second time under another one.
const now = Date.now;

// Imports next to nothing: the quick path of the command line uses it.

/** Stat of every file as it was when the file was hashed, as columns: thousands of files are read in milliseconds. */
export interface FolderMemory {
  readonly format: 2;
  /** Paths below the folder, with forward slashes, sorted by code unit. */
  readonly files: readonly string[];
  readonly sizes: readonly number[];
  readonly mtimes: readonly number[];
  readonly ctimes: readonly number[];
  readonly inodes: readonly number[];
  /** When hashing of the file began, in milliseconds since 1970. */
  readonly at: readonly number[];
  readonly sha256: readonly string[];
  readonly digest: string;
}

export interface FoundFile {
  readonly file: string;
  readonly stat: fs.Stats;
}

/** Undefined for a memory that is missing or broken: it is made again. */
export function readFolderMemory(file: string): FolderMemory | undefined {
  try {
    const memory = JSON.parse(fs.readFileSync(file, 'utf8')) as FolderMemory;
    return memory.format === 2 ? memory : undefined;
  } catch {
    return undefined;
  }
}

/**
 * All files in a folder, however deep; links are followed. Synchronously: for many files that is several times as fast
 * as promises, and nothing else waits meanwhile.
 */
export function listFolder(folder: string): FoundFile[] {
  const found: FoundFile[] = [];
  const open = new Set<string>();
  function walk(dir: string, prefix: string): void {
    const real = fs.realpathSync(dir);
    if (open.has(real)) return; // a link to a folder above it
    open.add(real);
    for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
      const file = prefix + entry.name;
      const full = `${dir}/${entry.name}`;
      if (entry.isDirectory()) {
        walk(full, `${file}/`);
        continue;
      }
      const stat = fs.statSync(full);
      if (stat.isDirectory()) walk(full, `${file}/`);
      else if (stat.isFile()) found.push({ file, stat });
    }
    open.delete(real);
  }
  walk(folder, '');
  return found.sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** True if the files are those of the memory, by their stat alone. */
export function isUnchanged(memory: FolderMemory, found: readonly FoundFile[]): boolean {
  return found.length === memory.files.length && found.every((one, index) => isTrusted(memory, index, one));
}

/** True if a file is the one at a place of the memory, and was hashed long enough after its last change. */
export function isTrusted(memory: FolderMemory, index: number, { file, stat }: FoundFile): boolean {
  const at = memory.at[index]!;
  return (
    memory.files[index] === file &&
    memory.sizes[index] === stat.size &&
    memory.mtimes[index] === stat.mtimeMs &&
    memory.ctimes[index] === stat.ctimeMs &&
    memory.inodes[index] === stat.ino &&
    isClean(stat, at) &&
    at <= now() // else the clock was set back since, and says nothing
  );
}
