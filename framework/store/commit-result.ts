import fs from 'node:fs';
import path from 'node:path';
import { explainWriteError, hasCode } from '../files/files.ts';
import type { ContentKey } from '../plan/types.ts';
import { isPecoError } from '../stage/errors.ts';
import { publishEntry } from './commit.ts';
import { tryLock } from './lock.ts';
import {
  describeFinished,
  describeKept,
  type FinishedStage,
  forgetKept,
  keepFinished,
  keepForPeople,
  readKept,
} from './pending.ts';
import { discard, type Place } from './place.ts';
import type { Commit, Entry } from './types.ts';
import { inspectEntry } from './verify.ts';

/** Publishes a result. If that fails the finished outputs are kept, and the error says where. */
export async function commitResult(place: Place, key: ContentKey, commit: Commit): Promise<Entry> {
  let outDir = commit.outDir;
  try {
    const finished = await describeFinished(key, commit);
    outDir = await keepFinished(place, finished);
    const entry = await publishEntry(place, { ...finished, outDir });
    await discard(outDir);
    await forgetKept(place, key);
    return entry;
  } catch (error) {
    if (isPecoError(error)) throw error; // outputs that are refused are not finished work
    const published = await inspectEntry(place, key);
    if (published.state === 'whole') return published.entry; // it failed after that, or another process was quicker
    if (outDir === commit.outDir) outDir = await keepForPeople(place, key, outDir);
    throw describeKept(explainWriteError(error, place.root), outDir);
  }
}

/**
 * Stores outputs that an earlier commit had to leave, if there are any for this key.
 *
 * @throws PecoError `store-write` if the disk is still full: making the result again would not help
 */
export async function commitKept(place: Place, key: ContentKey): Promise<Entry | undefined> {
  if (readKept(place, key) === undefined) return undefined;
  const lock = path.join(place.root, 'locks', `${key}.lock`);
  const release = place.held.has(key) ? async () => {} : await tryLock(lock).catch(() => undefined);
  if (release === undefined) return undefined; // somebody is storing them now
  try {
    const kept = readKept(place, key);
    return kept && (await storeKept(place, key, kept));
  } finally {
    await release();
  }
}

async function storeKept(place: Place, key: ContentKey, kept: FinishedStage): Promise<Entry | undefined> {
  const name = `the finished outputs of ${key.slice(0, 12)} that were kept`;
  try {
    const entry = await publishEntry(place, kept);
    await forgetKept(place, key);
    place.warn({ code: 'kept-result', message: `stored ${name}`, key });
    return entry;
  } catch (error) {
    if (hasCode(error, 'ENOSPC', 'EDQUOT'))
      throw describeKept(explainWriteError(error, place.root), kept.outDir);
    const why = error instanceof Error ? error.message : String(error);
    // Damaged since: asking again would not help.
    if (isPecoError(error)) fs.rmSync(path.join(path.dirname(kept.outDir), 'manifest.json'), { force: true });
    place.warn({ code: 'kept-result', message: `can't store ${name} in ${kept.outDir}: ${why}`, key });
    return undefined;
  }
}
