import fs from 'node:fs';
import path from 'node:path';
import { explainWriteError, hasCode } from '../files/files.ts';
import { isPecoError } from '../stage/errors.ts';
import type { ContentKey } from '../stage/keys.ts';
import { tryLock } from './lock.ts';
import {
  describeFinished,
  describePending,
  type FinishedStage,
  forgetPending,
  keepFinished,
  keepForPeople,
  readPending,
} from './pending.ts';
import { discard, type Place } from './place.ts';
import type { Commit, Entry } from './types.ts';
import { inspectEntry } from './verify.ts';
import { writeEntry } from './write-entry.ts';

/** Stores a result. If that fails, the finished outputs stay in `pending/`, and the error says where. */
export async function commitResult(place: Place, key: ContentKey, commit: Commit): Promise<Entry> {
  let outDir = commit.outDir;
  try {
    const finished = await describeFinished(key, commit);
    outDir = await keepFinished(place, finished);
    const entry = await writeEntry(place, { ...finished, outDir });
    await discard(outDir);
    await forgetPending(place, key);
    return entry;
  } catch (error) {
    if (isPecoError(error)) throw error; // outputs that are refused are not finished work
    const published = await inspectEntry(place, key);
    if (published.state === 'whole') return published.entry; // it failed after that, or another process was quicker
    if (outDir === commit.outDir) outDir = await keepForPeople(place, key, outDir);
    throw describePending(explainWriteError(error, place.root), outDir);
  }
}

/**
 * Stores outputs that an earlier commit had to leave, if there are any for this key.
 *
 * @throws PecoError `store-write` if the disk is still full: making the result again would not help
 */
export async function commitPending(place: Place, key: ContentKey): Promise<Entry | undefined> {
  if (readPending(place, key) === undefined) return undefined;
  const lock = path.join(place.root, 'locks', `${key}.lock`);
  const release = place.held.has(key) ? async () => {} : await tryLock(lock).catch(() => undefined);
  if (release === undefined) return undefined; // another process is storing them now
  try {
    const pending = readPending(place, key);
    return pending && (await storePending(place, key, pending));
  } finally {
    await release();
  }
}

async function storePending(
  place: Place,
  key: ContentKey,
  pending: FinishedStage,
): Promise<Entry | undefined> {
  const name = `the finished outputs of ${key.slice(0, 12)} that were pending`;
  try {
    const entry = await writeEntry(place, pending);
    await forgetPending(place, key);
    place.warn({ code: 'pending-result', message: `stored ${name}`, key });
    return entry;
  } catch (error) {
    if (hasCode(error, 'ENOSPC', 'EDQUOT'))
      throw describePending(explainWriteError(error, place.root), pending.outDir);
    const why = error instanceof Error ? error.message : String(error);
    // Damaged since: asking again would not help.
    if (isPecoError(error))
      fs.rmSync(path.join(path.dirname(pending.outDir), 'manifest.json'), { force: true });
    place.warn({ code: 'pending-result', message: `can't store ${name} in ${pending.outDir}: ${why}`, key });
    return undefined;
  }
}
