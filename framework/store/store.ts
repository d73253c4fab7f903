import fs from 'node:fs';
import path from 'node:path';
import { byInode, openFileDigests } from '../files/digests.ts';
import { explainWriteError } from '../files/files.ts';
import { digestFolder, folderMemoryFile, type Hashing } from '../files/folders.ts';
import type { ContentKey, Fingerprint } from '../stage/keys.ts';
import { collect } from './collect.ts';
import { commitPending, commitResult } from './commit.ts';
import { openDocuments } from './documents.ts';
import { isOwnName } from './form.ts';
import { clearLeftovers } from './leftovers.ts';
import { type Release, takeLock } from './lock.ts';
import { digestText } from './manifest.ts';
import { openMarker } from './marker.ts';
import { discard, entryDir, makeDir, newTemporary, type Place } from './place.ts';
import { enterStore } from './sessions.ts';
import type { Entry, LockOptions, Store, StoreWarning } from './types.ts';
import { inspectEntry, readEntryManifest, type Verdict } from './verify.ts';

export type { Entry, OutputFile, Store, StoreWarning } from './types.ts';

export interface StoreOptions {
  /** Who named the folder (`--store`, a variable, a file): for errors. */
  readonly from?: string;
  /** Damage that was found and got round; a message for people. */
  onWarning?(warning: StoreWarning): void;
  /** How far the hashing of a folder is. */
  onHashing?(hashing: Hashing): void;
}

/** A use is noted this seldom, so that looking up hundreds of entries writes nothing. Milliseconds. */
const useInterval = 24 * 3600 * 1000;

/**
 * Opens the store in a folder; the folder is made, and marked as a store, at the first write.
 *
 * ```
 * peco-store.json                  says that peco-exp made the folder, and in which format
 * objects/sha256/ab/cdef...        immutable bytes, one file per content
 * entries/<content key>/manifest.json, fingerprint.json, outputs/...
 * documents/<digest>.json          what digests in fingerprints were made of
 * work/<content key>/  locks/  tmp/  cache/
 * pending/<content key>/              finished outputs that could not be stored
 * unreadable/                      entries that could not be read when they were to be replaced
 * ```
 *
 * Files in `outputs` are hard links to objects: results are plain files with their own names, for stages and for other
 * tools, at no cost in space or time, and equal files of many entries are one. The price is that writing into one
 * would change the other; so they are read-only, and a file whose stat changed is hashed again before it is believed.
 * An entry's manifest has the time of its last use (to a day) as its time of modification.
 *
 * @throws PecoError `not-a-store` for a folder of other things, `newer-store`
 */
export function openStore(dir: string, options: StoreOptions = {}): Store {
  const root = path.resolve(dir);
  const marker = openMarker(root, options.from);
  const cache = path.join(root, 'cache');
  const place: Place = {
    root,
    digests: openFileDigests(path.join(cache, 'digests.json')),
    objects: openFileDigests(path.join(cache, 'objects.json'), byInode),
    held: new Set(),
    told: new Set(),
    warn: (warning) => options.onWarning?.(warning),
  };
  const hashing = options.onHashing ? { onHashing: options.onHashing } : {};
  let cleared: Promise<void> | undefined;
  const writing = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      await marker.ensure();
      return await work();
    } catch (error) {
      throw explainWriteError(error, root);
    }
  };
  return {
    dir: root,
    lookup: (key) => lookup(place, key),
    commit: (key, commit) => writing(() => commitResult(place, key, commit)),
    fingerprint: async (key) => readFingerprint(place, key),
    workDir: (key) => writing(() => openWork(path.join(root, 'work', key))),
    clearWork: (key) => discard(path.join(root, 'work', key)),
    newOutDir: () =>
      writing(async () => {
        cleared ??= clearLeftovers(place);
        await cleared;
        return makeDir(newTemporary(place, 'out'));
      }),
    lock: (key, lockOptions = {}) => writing(() => lockKey(place, key, lockOptions)),
    enter: () => enterStore(place, marker),
    async collect(collectOptions) {
      // Neither makes a store where none is.
      if (collectOptions.dryRun || !fs.existsSync(root)) return collect(place, collectOptions);
      return writing(() => collect(place, collectOptions));
    },
    entries: () => listEntries(place),
    keys: () => listKeys(place),
    digestFile: (file) => place.digests.digest(file),
    async digestPath(target, sweep = {}) {
      if (!fs.statSync(target).isDirectory()) return { digest: await place.digests.digest(target) };
      await marker.ensure().catch(() => {}); // where nothing can be written, nothing is remembered
      return await digestFolder(target, folderMemoryFile(cache, target), { ...sweep, ...hashing });
    },
    documents: openDocuments(path.join(root, 'documents')),
    async flush() {
      await marker.ensure().catch(() => {});
      await place.digests.flush();
      await place.objects.flush();
    },
  };
}

async function lockKey(place: Place, key: string, options: LockOptions): Promise<Release> {
  const release = await takeLock(path.join(place.root, 'locks', `${key}.lock`), {
    ...options,
    onStale({ pid, host }) {
      const message = `took over the lock of process ${pid} on ${host}, which is gone`;
      place.warn({ code: 'stale-lock', message });
    },
  });
  place.held.add(key);
  return async () => {
    place.held.delete(key);
    await release();
  };
}

async function lookup(place: Place, key: ContentKey): Promise<Entry | undefined> {
  const verdict = await inspectEntry(place, key);
  report(place, key, verdict);
  if (verdict.state !== 'whole') return commitPending(place, key);
  noteUse(place, key);
  return verdict.entry;
}

/** Each finding once: a plan, a run and its gates look at one entry several times. */
function report(place: Place, key: ContentKey, verdict: Verdict): void {
  const warning = describeVerdict(key, verdict);
  if (warning === undefined || place.told.has(warning.message)) return;
  place.told.add(warning.message);
  place.warn(warning);
}

function describeVerdict(key: ContentKey, verdict: Verdict): StoreWarning | undefined {
  const name = `the stored result ${key.slice(0, 12)}`;
  if (verdict.state === 'damaged') {
    const message = `${name} is damaged (${verdict.why}): it counts as not there`;
    return { code: 'damaged-entry', message, key };
  }
  if (verdict.state === 'unreadable') {
    const message = `${name} can't be read (${verdict.why}): it counts as not there, and stays where it is`;
    return { code: 'unreadable-entry', message, key };
  }
  if (verdict.state === 'whole' && verdict.mended.length > 0) {
    const message = `${name} was damaged (${verdict.mended.join(', ')}): mended from another copy of the same bytes`;
    return { code: 'mended-entry', message, key };
  }
  return undefined;
}

function noteUse(place: Place, key: ContentKey): void {
  const file = path.join(entryDir(place, key), 'manifest.json');
  try {
    const now = Date.now();
    if (Math.abs(now - fs.statSync(file).mtimeMs) > useInterval) fs.utimesSync(file, now / 1000, now / 1000);
  } catch {
    // A store that can't be written to isn't collected either.
  }
}

/** Undefined too if it isn't what was committed: a wrong explanation is worse than none. */
function readFingerprint(place: Place, key: ContentKey): Fingerprint | undefined {
  const expected = readEntryManifest(place, key)?.fingerprint;
  try {
    const text = fs.readFileSync(path.join(entryDir(place, key), 'fingerprint.json'), 'utf8');
    return expected === undefined || digestText(text) === expected
      ? (JSON.parse(text) as Fingerprint)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Its time of modification says that it is in use. */
async function openWork(dir: string): Promise<string> {
  await makeDir(dir);
  const now = new Date();
  await fs.promises.utimes(dir, now, now).catch(() => {});
  return dir;
}

async function* listEntries(place: Place): AsyncIterable<Entry> {
  for (const key of listKeys(place)) {
    const verdict = await inspectEntry(place, key);
    report(place, key, verdict);
    if (verdict.state === 'whole') yield verdict.entry;
  }
}

function listKeys(place: Place): readonly ContentKey[] {
  try {
    const names = fs.readdirSync(path.join(place.root, 'entries'));
    return names.filter((name) => isOwnName('entries', name)) as ContentKey[];
  } catch {
    return [];
  }
}
