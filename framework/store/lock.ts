import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { hasCode } from './files.ts';
import type { LockOptions, LockOwner } from './types.ts';

interface LockRecord extends LockOwner {
  readonly token: string;
}

/** Timing in milliseconds. A lock whose heartbeat stands still for `stale` is nobody's. */
export interface LockTiming {
  readonly heartbeat: number;
  readonly poll: number;
  readonly stale: number;
  /** A clock that only goes forward. */
  now(): number;
}

export const defaultTiming: LockTiming = {
  heartbeat: 5_000,
  poll: 200,
  stale: 60_000,
  now: () => performance.now(),
};

/**
 * Takes a lock file, waiting as long as a living process holds it.
 *
 * A lock is stale if its process is dead (told by pid on this host), or if its heartbeat, the file's modification time,
 * did not move while we watched for `timing.stale`; no clocks of different machines are compared.
 * The lock saves work, it doesn't guard truth: two holders would compute the same stage twice and commit once.
 */
export async function takeLock(
  file: string,
  options: LockOptions & { onStale?(owner: LockOwner): void },
  timing: LockTiming = defaultTiming,
): Promise<() => Promise<void>> {
  const mine: LockRecord = { pid: process.pid, host: os.hostname(), token: randomUUID() };
  await fs.promises.mkdir(path.dirname(file), { recursive: true });
  let told = false;
  let seen: { readonly beat: string; readonly since: number } | undefined;
  for (;;) {
    options.signal?.throwIfAborted();
    if (await create(file, mine)) return hold(file, mine, timing);
    const held = await inspect(file);
    if (held === undefined) continue;
    if (seen?.beat !== held.beat) seen = { beat: held.beat, since: timing.now() };
    if (isDead(held.record) || timing.now() - seen.since > timing.stale) {
      if (await removeStale(file, held)) options.onStale?.(held.record ?? { pid: 0, host: 'unknown' });
      continue;
    }
    if (!told) options.onWait?.(held.record ?? { pid: 0, host: 'unknown' });
    told = true;
    await sleep(timing.poll, options.signal);
  }
}

/** The record is written before the file gets its name, so that nobody ever reads half of it. */
async function create(file: string, record: LockRecord): Promise<boolean> {
  const temporary = `${file}.${record.token}`;
  await fs.promises.writeFile(temporary, JSON.stringify(record), { flag: 'wx' });
  try {
    await fs.promises.link(temporary, file);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) throw error;
    return await createExclusively(file, record); // no hard links here
  } finally {
    await fs.promises.rm(temporary, { force: true });
  }
}

async function createExclusively(file: string, record: LockRecord): Promise<boolean> {
  try {
    await fs.promises.writeFile(file, JSON.stringify(record), { flag: 'wx' });
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function hold(file: string, mine: LockRecord, timing: LockTiming): () => Promise<void> {
  const beating = setInterval(() => {
    const now = new Date();
    fs.promises.utimes(file, now, now).catch(() => {});
  }, timing.heartbeat);
  beating.unref();
  return async () => {
    clearInterval(beating);
    const held = await inspect(file);
    // Somebody may have thought us dead and taken over: then it is theirs.
    if (held?.record?.token === mine.token) await fs.promises.rm(file, { force: true });
  };
}

interface HeldLock {
  readonly record: LockRecord | undefined;
  readonly beat: string;
}

async function inspect(file: string): Promise<HeldLock | undefined> {
  try {
    const stat = await fs.promises.stat(file, { bigint: true });
    const text = await fs.promises.readFile(file, 'utf8');
    return { record: parseRecord(text), beat: `${stat.ino} ${stat.mtimeNs} ${text}` };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function parseRecord(text: string): LockRecord | undefined {
  try {
    const record = JSON.parse(text) as LockRecord;
    return typeof record.pid === 'number' && typeof record.host === 'string' ? record : undefined;
  } catch {
    return undefined;
  }
}

function isDead(record: LockRecord | undefined): boolean {
  if (record === undefined || record.host !== os.hostname()) return false;
  try {
    process.kill(record.pid, 0);
    return false;
  } catch (error) {
    return hasCode(error, 'ESRCH');
  }
}

/**
 * Moves a stale lock away. Between our look and the move somebody else may have taken it over: then what we hold is
 * their fresh lock, and it goes back to its place.
 */
async function removeStale(file: string, stale: HeldLock): Promise<boolean> {
  const aside = `${file}.stale-${randomUUID()}`;
  try {
    await fs.promises.rename(file, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
  const moved = await inspect(aside);
  const isTheStaleOne = moved?.record?.token === stale.record?.token;
  if (!isTheStaleOne) await fs.promises.link(aside, file).catch(() => {});
  await fs.promises.rm(aside, { force: true });
  return isTheStaleOne;
}

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = () => {
      signal?.removeEventListener('abort', stop);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', stop, { once: true });
  });
}
