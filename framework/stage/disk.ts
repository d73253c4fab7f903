import fs from 'node:fs';
import path from 'node:path';
import { isSettled } from './skew.ts';
import { statAt } from './stat.ts';

// By name, since an experiment's bundle and the command line have a copy of this module each.
const key = Symbol.for('peco-exp.disk');
const listsKey = Symbol.for('peco-exp.disk.lists');
// Not Date.now: experiment files are evaluated a second time under another clock.
const now = () => performance.timeOrigin + performance.now();

/** What was at a place when an experiment file looked there. */
export interface Look {
  /** Size, modification and change (milliseconds since 1970), inode, behind links; null: nothing was there. */
  readonly found: readonly [size: number, mtimeMs: number, ctimeMs: number, inode: number] | null;
  /** When, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * How code that is evaluated with an experiment file (`files`, `check` and the like of a component) looks at the disk.
 * What it looked at, and what was not there, becomes part of what a later run compares. Code that reads the disk in
 * another way works too, but is evaluated at every run.
 *
 * Paths are relative to the current folder. Errors are those of `node:fs`.
 */
export const disk = {
  /** Whether a file or folder is there; a link counts by what it leads to. */
  exists(place: string): boolean {
    return note(place).found !== null;
  },
  /** The first of these places where something is; undefined if nothing is at any. */
  first(places: readonly string[]): string | undefined {
    return places.find((place) => disk.exists(place));
  },
  /** The bytes of a file. */
  read(file: string): Uint8Array {
    note(file);
    return fs.readFileSync(file);
  },
  /** The first and the last `most` bytes of a file (or fewer), and how many it has: cheap for large files. */
  ends(
    file: string,
    most: number,
  ): { readonly head: Uint8Array; readonly tail: Uint8Array; readonly size: number } {
    note(file);
    const descriptor = fs.openSync(file, 'r');
    try {
      const { size } = fs.fstatSync(descriptor);
      const part = (from: number): Uint8Array => {
        const bytes = new Uint8Array(Math.min(most, size));
        return bytes.subarray(0, fs.readSync(descriptor, bytes, 0, bytes.length, from));
      };
      return { head: part(0), tail: part(Math.max(0, size - most)), size };
    } finally {
      fs.closeSync(descriptor);
    }
  },
  /** The bytes of a file, one part of at most so many bytes after the other, each in the same array as the one before. */
  *parts(file: string, most = 1 << 22): Generator<Uint8Array, void, undefined> {
    note(file);
    const descriptor = fs.openSync(file, 'r');
    try {
      const bytes = new Uint8Array(most);
      for (;;) {
        const read = fs.readSync(descriptor, bytes, 0, most, null);
        if (read === 0) return;
        yield bytes.subarray(0, read);
      }
    } finally {
      fs.closeSync(descriptor);
    }
  },
  /** Names in a folder, sorted by code unit. */
  list(folder: string): string[] {
    const { found, at } = note(folder);
    const known = listed().get(path.resolve(folder));
    if (known?.found.every((field, n) => field === found?.[n])) return split(known.names);
    const names = fs.readdirSync(folder).sort();
    // A folder of very many files is listed several times while an experiment is loaded.
    if (found && isSettled(folder, { mtimeMs: found[1], ctimeMs: found[2] }, at))
      listed().set(path.resolve(folder), { found, names: names.join('/') });
    return names;
  },
} as const;

/** Everything that `disk` looked at since the last `forgetLooks`, by absolute path, as it was at the first look. */
export function listedLooks(): ReadonlyMap<string, Look> {
  return new Map(registry());
}

export function forgetLooks(): void {
  registry().clear();
}

/** Names in a folder, joined by what no name has; they are the same as long as the stat is. */
interface Listed {
  readonly found: NonNullable<Look['found']>;
  readonly names: string;
}

function split(names: string): string[] {
  return names === '' ? [] : names.split('/');
}

function listed(): Map<string, Listed> {
  const holder = globalThis as { [listsKey]?: Map<string, Listed> };
  holder[listsKey] ??= new Map();
  return holder[listsKey];
}

function note(place: string): Look {
  const file = path.resolve(place);
  const stat = statAt(file);
  const found = stat === undefined ? null : ([stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino] as const);
  const look = { found, at: now() };
  if (!registry().has(file)) registry().set(file, look);
  return look;
}

function registry(): Map<string, Look> {
  const holder = globalThis as { [key]?: Map<string, Look> };
  holder[key] ??= new Map();
  return holder[key];
}
