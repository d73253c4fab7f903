import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, isGone, isLinked } from '../files/files.ts';
import { identifyProcess, isDead, isOurs, type ProcessIdentity, temporaryName } from './identity.ts';
import type { LockOptions, LockOwner } from './types.ts';

interface LockRecord extends ProcessIdentity {
  readonly token: string;
  /** By the clock of its host, in milliseconds since 1970. */
  readonly since?: number;
}

/** Timing in milliseconds. A lock whose heartbeat has not moved for `stale` is free. */
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

/** Releases a lock. Never throws: a lock that can't be removed becomes stale by itself. */
export type Release = () => Promise<void>;

/**
 * Takes a lock file, waiting as long as a living process holds it.
 *
 * A lock is stale if its process is dead (pid and start say so on this host), or if its heartbeat, the file's
 * modification time, did not move while we watched for `timing.stale`; no clocks of different machines are compared.
 * The lock saves work, it doesn't guard truth: two holders would compute the same stage twice and commit once.
 */
export async function takeLock(
  file: string,
  options: LockOptions & { onStale?(owner: LockOwner): void },
  timing: LockTiming = defaultTiming,
): Promise<Release> {
  const mine: LockRecord = { ...identifyProcess(), token: randomUUID(), since: Date.now() };
  await fs.promises.mkdir(path.dirname(file), { recursive: true });
  let told = false;
  let seen: { readonly beat: string; readonly since: number } | undefined;
  for (;;) {
    options.signal?.throwIfAborted();
    const held = inspect(file);
    if (held === undefined) {
      const handle = await create(file, mine);
      if (handle) return hold(file, mine, handle, timing);
      continue;
    }
    if (seen?.beat !== held.beat) seen = { beat: held.beat, since: timing.now() };
    const owner = held.record ?? { pid: 0, host: 'unknown' };
    if ((held.record && isDead(held.record)) || timing.now() - seen.since > timing.stale) {
      if (await removeStale(file, held)) options.onStale?.(owner);
      continue;
    }
    if (!told) options.onWait?.(owner);
    told = true;
    const { signal } = options;
    // Its reason is thrown above.
    await sleep(timing.poll, undefined, signal && { signal }).catch(() => {});
  }
}

/** Takes a lock only if that needs no waiting: undefined if a process that may be alive holds it. */
export async function tryLock(file: string): Promise<Release | undefined> {
  const full = new AbortController();
  try {
    return await takeLock(file, { signal: full.signal, onWait: () => full.abort(new Error('held')) });
  } catch (error) {
    if (full.signal.aborted) return undefined;
    throw error;
  }
}

/** Who holds a lock, as far as one look shows. */
export interface Holder extends LockOwner {
  /** When it took the lock, by its own clock, in milliseconds since 1970. */
  readonly since: number;
}

/**
 * Undefined if no process holds the lock, or a dead one does. One that can't be asked about counts as dead when
 * its heartbeat is older than `silence` milliseconds by our clock: choose it far beyond what clocks differ.
 */
export function readHolder(file: string, silence = 24 * 3600 * 1000): Holder | undefined {
  const held = inspect(file);
  if (held === undefined || (held.record && isDead(held.record))) return undefined;
  const known = held.record !== undefined && isOurs(held.record);
  if (!known && Date.now() - held.beatAt > silence) return undefined;
  const { pid = 0, host = 'unknown', since = 0 } = held.record ?? {};
  return { pid, host, since };
}

/** The record is written before the file gets its name, so that no process reads half of it. */
async function create(file: string, record: LockRecord): Promise<fs.promises.FileHandle | undefined> {
  const temporary = path.join(path.dirname(file), temporaryName('take'));
  let handle: fs.promises.FileHandle | undefined;
  try {
    handle = await openRecord(temporary, record);
    await fs.promises.link(temporary, file).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST') || !isLinked(temporary)) throw error;
    });
    return handle;
  } catch (error) {
    await handle?.close().catch(() => {});
    if (hasCode(error, 'EEXIST')) return undefined;
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) throw error;
    return await createExclusively(file, record);
  } finally {
    await fs.promises.rm(temporary, { force: true }).catch(() => {});
  }
}

/** For file systems without hard links. A process that dies on the way leaves rubbish, which is stale in a while. */
async function createExclusively(
  file: string,
  record: LockRecord,
): Promise<fs.promises.FileHandle | undefined> {
  try {
    return await openRecord(file, record);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return undefined;
    throw error;
  }
}

async function openRecord(file: string, record: LockRecord): Promise<fs.promises.FileHandle> {
  const handle = await fs.promises.open(file, 'wx');
  try {
    await handle.writeFile(JSON.stringify(record));
    return handle;
  } catch (error) {
    await handle.close().catch(() => {});
    throw error;
  }
}

/** Beats by the handle: a process that takes over has another file, which this does not keep alive. */
function hold(file: string, mine: LockRecord, handle: fs.promises.FileHandle, timing: LockTiming): Release {
  const beating = setInterval(() => {
    const now = new Date();
    handle.utimes(now, now).catch(() => {});
  }, timing.heartbeat);
  beating.unref();
  let released = false;
  return async () => {
    if (released) return;
    released = true;
    clearInterval(beating);
    await handle.close().catch(() => {});
    try {
      // Another process may have taken us for dead and taken over: then the lock is its own.
      if (inspect(file)?.record?.token === mine.token) await fs.promises.rm(file, { force: true });
    } catch {
      // Our heartbeat has ended, so it is stale soon.
    }
  };
}

interface HeldLock {
  readonly record: LockRecord | undefined;
  readonly beat: string;
  readonly beatAt: number;
}

function inspect(file: string): HeldLock | undefined {
  try {
    const stat = fs.lstatSync(file, { bigint: true });
    // Anything but a plain file is no lock of ours, and goes away as a stale one does.
    const text = stat.isFile() ? fs.readFileSync(file, 'utf8') : '';
    const beat = `${stat.ino} ${stat.mtimeNs} ${text}`;
    return { record: parseRecord(text), beat, beatAt: Number(stat.mtimeMs) };
  } catch (error) {
    if (isGone(error)) return undefined;
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

/**
 * Moves a stale lock away. Between our look and the move another process may have taken it over: then what we hold is
 * their fresh lock, and it goes back to its place.
 */
async function removeStale(file: string, stale: HeldLock): Promise<boolean> {
  const aside = path.join(path.dirname(file), temporaryName('stale'));
  try {
    await fs.promises.rename(file, aside);
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
  const isTheStaleOne = inspect(aside)?.record?.token === stale.record?.token;
  if (!isTheStaleOne) await fs.promises.link(aside, file).catch(() => {});
  await fs.promises.rm(aside, { recursive: true, force: true }).catch(() => {});
  return isTheStaleOne;
}
