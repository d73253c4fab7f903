import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Digest } from '../stage/keys.ts';
import { openLags } from './clock.ts';
import { tryWriteDisposable } from './disposable.ts';
import { isClean } from './racy.ts';

/** What a file looked like when it was hashed. `at`: when hashing began, by the clock of its file system, or earlier; in milliseconds since 1970. */
type Memory = readonly [
  size: number,
  mtimeNs: string,
  ctimeNs: string,
  ino: string,
  at: number,
  digest: Digest,
];

/** sha256 of files, remembered on disk as long as size, times of modification and change, and inode stay the same. */
export interface FileDigests {
  /**
   * `stat` (of `fs.lstatSync` or `fs.statSync` with bigints) saves asking again.
   *
   * @throws the file system's error if the file can't be read
   */
  digest(file: string, stat?: fs.BigIntStats): Promise<Digest>;
  /** The digest if it is remembered: looks at no bytes. */
  known(file: string, stat: fs.BigIntStats): Digest | undefined;
  /** Looks at the bytes, whatever is remembered. */
  rehash(file: string, stat: fs.BigIntStats): Promise<Digest>;
  flush(): Promise<void>;
}

/** How a memory is called. An inode has many names, but its bytes only once. */
export type NameMemory = (file: string, stat: fs.BigIntStats) => string;
export const byPath: NameMemory = (file) => file;
export const byInode: NameMemory = (_file, { ino }) => String(ino);

// The clock as it is: experiment files are evaluated a second time under another one.
const realNow = Date.now;

const smallFile = 1 << 16; // bytes: read at once, faster than a stream

/** `memoryFile` is disposable: where it is missing or broken, everything is hashed again. */
export function openFileDigests(
  memoryFile: string,
  nameOf: NameMemory = byPath,
  now: () => number = realNow,
  lagOf: (file: string) => number = openLags(path.dirname(memoryFile)),
): FileDigests {
  let memories: Map<string, Memory> | undefined;
  const fresh = new Map<string, Memory>();
  const running = new Map<string, Promise<Digest>>();

  function known(file: string, stat: fs.BigIntStats): Digest | undefined {
    memories ??= readMemories(memoryFile);
    const memory = memories.get(nameOf(file, stat));
    return memory !== undefined && isTrusted(memory, stat, now()) ? memory[5] : undefined;
  }

  async function rehash(file: string, stat: fs.BigIntStats): Promise<Digest> {
    const at = now() - lagOf(file);
    const digest = await hashFile(file, Number(stat.size));
    const { size, mtimeNs, ctimeNs, ino } = stat;
    const memory: Memory = [Number(size), String(mtimeNs), String(ctimeNs), String(ino), at, digest];
    memories ??= readMemories(memoryFile);
    memories.set(nameOf(file, stat), memory);
    fresh.set(nameOf(file, stat), memory);
    return digest;
  }

  async function look(file: string, stat: fs.BigIntStats): Promise<Digest> {
    return known(file, stat) ?? (await rehash(file, stat));
  }

  return {
    known,
    rehash,
    digest(file, stat) {
      const existing = running.get(file);
      if (existing) return existing;
      const promise = Promise.resolve(stat)
        .then((given) => look(file, given ?? fs.statSync(file, { bigint: true })))
        .finally(() => running.delete(file));
      running.set(file, promise);
      return promise;
    },
    async flush() {
      if (fresh.size === 0) return;
      // Another process may have written meanwhile: what it knows is kept.
      const merged = new Map([...readMemories(memoryFile), ...fresh]);
      fresh.clear();
      await writeMemories(memoryFile, merged);
    },
  };
}

/** sha256 (hex) of a file's bytes. `size` in bytes, if known, saves a stream for small files. */
export async function hashFile(file: string, size = Number.POSITIVE_INFINITY): Promise<Digest> {
  const hash = createHash('sha256');
  if (size <= smallFile) return hash.update(fs.readFileSync(file)).digest('hex') as Digest;
  for await (const chunk of fs.createReadStream(file, { highWaterMark: 1 << 20 }))
    hash.update(chunk as Buffer);
  return hash.digest('hex') as Digest;
}

function isTrusted([size, mtimeNs, ctimeNs, ino, at]: Memory, stat: fs.BigIntStats, now: number): boolean {
  return (
    size === Number(stat.size) &&
    mtimeNs === String(stat.mtimeNs) &&
    // Not only the time of modification, which anybody can set back.
    ctimeNs === String(stat.ctimeNs) &&
    ino === String(stat.ino) &&
    isClean({ mtimeMs: milliseconds(stat.mtimeNs), ctimeMs: milliseconds(stat.ctimeNs) }, at) &&
    // Otherwise the clock went back since: a change made now could get the times of then.
    at <= now
  );
}

function milliseconds(timeNs: bigint): number {
  return Number(timeNs) / 1e6;
}

/** The first line is a checksum of the rest: a flipped bit here must not make a whole file look broken. */
function readMemories(file: string): Map<string, Memory> {
  try {
    const text = fs.readFileSync(file, 'utf8');
    const end = text.indexOf('\n');
    const json = text.slice(end + 1);
    if (text.slice(0, end) !== checksum(json)) return new Map();
    return new Map(Object.entries(JSON.parse(json) as { readonly [name: string]: Memory }));
  } catch {
    return new Map();
  }
}

/** Two processes at once: the last one's memory stays, which costs a hash, not correctness. */
async function writeMemories(file: string, memories: Map<string, Memory>): Promise<void> {
  const json = JSON.stringify(Object.fromEntries(memories));
  await tryWriteDisposable(file, `${checksum(json)}\n${json}`);
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
