import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Digest } from '../plan/types.ts';

/** Stat of a file and the digest it had then. */
interface Memory {
  readonly size: number;
  readonly mtimeNs: string;
  readonly ino: string;
  /** When hashing began, in milliseconds since 1970. */
  readonly at: number;
  readonly digest: Digest;
}

/** sha256 of files, remembered on disk as long as size, modification time and inode stay the same. */
export interface FileDigests {
  /** @throws the file system's error if the file can't be read */
  digest(file: string): Promise<Digest>;
  /** Remembers a digest that the caller computed while writing the file. */
  remember(file: string, digest: Digest): Promise<void>;
  flush(): Promise<void>;
}

// A file that was written this shortly before it was hashed may be written again within the same tick of the
// file system's clock, with the same stat: such a memory is not believed ("racy clean", as in git).
const racyMilliseconds = 50;
// The clock as it is: experiment files are evaluated a second time under another one.
const now = Date.now;

/** `memoryFile` is disposable: missing or broken, everything is hashed anew. */
export function openFileDigests(memoryFile: string): FileDigests {
  let known: Map<string, Memory> | undefined;
  let changed = false;
  const running = new Map<string, Promise<Digest>>();

  function memories(): Map<string, Memory> {
    known ??= readMemories(memoryFile);
    return known;
  }

  async function compute(file: string): Promise<Digest> {
    const stat = await fs.promises.stat(file, { bigint: true });
    const memory = memories().get(file);
    if (memory !== undefined && isTrusted(memory, stat)) return memory.digest;
    const at = now();
    const digest = await hashFile(file);
    store(file, stat, at, digest);
    return digest;
  }

  function store(file: string, stat: fs.BigIntStats, at: number, digest: Digest): void {
    const { size, mtimeNs, ino } = stat;
    memories().set(file, { size: Number(size), mtimeNs: String(mtimeNs), ino: String(ino), at, digest });
    changed = true;
  }

  return {
    digest(file) {
      const existing = running.get(file);
      if (existing) return existing;
      const promise = compute(file).finally(() => running.delete(file));
      running.set(file, promise);
      return promise;
    },
    async remember(file, digest) {
      store(file, await fs.promises.stat(file, { bigint: true }), now(), digest);
    },
    async flush() {
      if (!changed) return;
      changed = false;
      await writeMemories(memoryFile, memories());
    },
  };
}

/** sha256 (hex) of a file's bytes. */
export async function hashFile(file: string): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of fs.createReadStream(file, { highWaterMark: 1 << 20 }))
    hash.update(chunk as Buffer);
  return hash.digest('hex') as Digest;
}

function isTrusted(memory: Memory, stat: fs.BigIntStats): boolean {
  const same =
    memory.size === Number(stat.size) &&
    memory.mtimeNs === String(stat.mtimeNs) &&
    memory.ino === String(stat.ino);
  return same && Number(stat.mtimeNs / 1_000_000n) + racyMilliseconds < memory.at;
}

function readMemories(file: string): Map<string, Memory> {
  try {
    const parsed: unknown = JSON.parse(fs.readFileSync(file, 'utf8'));
    return new Map(Object.entries(parsed as { readonly [file: string]: Memory }));
  } catch {
    return new Map();
  }
}

/** Whole or not at all; two processes at once: the last one's memory stays, which costs a hash, not correctness. */
async function writeMemories(file: string, memories: Map<string, Memory>): Promise<void> {
  const temporary = `${file}.${process.pid}.${Date.now()}`;
  try {
    await fs.promises.mkdir(path.dirname(file), { recursive: true });
    await fs.promises.writeFile(temporary, JSON.stringify(Object.fromEntries(memories)));
    await fs.promises.rename(temporary, file);
  } catch {
    // A memory that can't be kept (read-only folder, full disk) only makes the next plan slower.
    await fs.promises.rm(temporary, { force: true }).catch(() => {});
  }
}
