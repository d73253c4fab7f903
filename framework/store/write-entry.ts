import fs from 'node:fs';
import path from 'node:path';
import { hashFile } from '../files/digests.ts';
import { hasCode, isGone, linkOrCopy, rename, syncToDisk } from '../files/files.ts';
import { PecoError } from '../stage/errors.ts';
import type { ContentKey } from '../stage/keys.ts';
import { entryOf, formatManifest } from './manifest.ts';
import type { FinishedFile, FinishedStage } from './pending.ts';
import { discard, entryDir, makeDir, newTemporary, objectFile, type Place } from './place.ts';
import type { Entry } from './types.ts';
import { inspectEntry, inspectFile } from './verify.ts';

/** How often the objects of a commit may be taken away by a collection that runs at the same time. */
const mostAttempts = 10;

/**
 * One rename, after everything that the entry consists of is on the disk: bytes before names, objects and manifest
 * before the entry. Leaves the outputs where they are, but read-only.
 *
 * @throws PecoError `store-write` if they are not what `finished` says
 */
export async function writeEntry(place: Place, finished: FinishedStage): Promise<Entry> {
  const staged = newTemporary(place, 'entry');
  try {
    const target = path.join(staged, 'outputs');
    const folders = new Set([await makeDir(target)]);
    for (const file of finished.files) {
      const name = path.join(target, file.path);
      for (let dir = path.dirname(name); !folders.has(dir); dir = path.dirname(dir))
        folders.add(await makeDir(dir));
      await stageFile(place, path.join(finished.outDir, file.path), file, name);
    }
    for (const dir of folders) await syncToDisk(dir);
    await writeDurably(path.join(staged, 'fingerprint.json'), finished.fingerprint);
    await writeDurably(path.join(staged, 'manifest.json'), formatManifest(finished.manifest));
    await syncToDisk(staged);
    return await publish(place, staged, finished);
  } finally {
    await discard(staged);
  }
}

/** Puts an output among the objects, and links it to its place in the entry. */
async function stageFile(place: Place, source: string, file: FinishedFile, staged: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const object = await storeObject(place, source, file);
    try {
      await linkOrCopy(object, staged);
      return;
    } catch (error) {
      // A collection took the object away, since no entry has it yet.
      if (!isGone(error) || attempt === mostAttempts) throw error;
    }
  }
}

async function storeObject(place: Place, source: string, file: FinishedFile): Promise<string> {
  const object = objectFile(place, file.sha256);
  const temporary = newTemporary(place, 'object');
  try {
    await makeDir(path.dirname(temporary));
    await linkOrCopy(source, temporary);
    await fs.promises.chmod(temporary, 0o444);
    await syncToDisk(temporary);
    if (!(await isStill(temporary, file))) throw changedMeanwhile(file);
    if (fs.lstatSync(object, { throwIfNoEntry: false }) !== undefined) {
      if ((await inspectFile(place, object, file)).state === 'right') return object;
      await clearWay(place, object);
    }
    await makeDurableDir(path.dirname(object));
    await rename(temporary, object); // a racer's object has the same bytes: either may stay
    await syncToDisk(path.dirname(object));
    return object;
  } finally {
    await discard(temporary);
  }
}

/** Whether a file has the bytes that it had when it was finished. By its stat, where that was taken moments ago. */
async function isStill(file: string, finished: FinishedFile): Promise<boolean> {
  const { size, mtimeNs, ino } = await fs.promises.lstat(file, { bigint: true });
  if (Number(size) !== finished.size) return false;
  if (finished.stat?.ino === ino && finished.stat.mtimeNs === mtimeNs) return true;
  return (await hashFile(file, finished.size)) === finished.sha256;
}

function changedMeanwhile(file: FinishedFile): PecoError {
  return new PecoError(`the output "${file.path}" changed after its stage had ended`, {
    code: 'store-write',
    hint: 'a process that the stage started may still be writing to it',
  });
}

/** A file is replaced by the rename; a folder in its place must go first. */
async function clearWay(place: Place, object: string): Promise<void> {
  if (!fs.lstatSync(object, { throwIfNoEntry: false })?.isDirectory()) return;
  const trash = newTemporary(place, 'damaged');
  await fs.promises.rename(object, trash);
  await discard(trash);
}

async function makeDurableDir(dir: string): Promise<void> {
  if ((await fs.promises.mkdir(dir, { recursive: true })) !== undefined) await syncToDisk(path.dirname(dir));
}

async function publish(place: Place, staged: string, { manifest }: FinishedStage): Promise<Entry> {
  const dir = entryDir(place, manifest.key);
  await makeDurableDir(path.dirname(dir));
  for (;;) {
    const before = fs.lstatSync(dir, { bigint: true, throwIfNoEntry: false });
    // A file or a link in its place would not be replaced by the rename of a folder.
    if (before !== undefined && !before.isDirectory()) await setAside(place, manifest.key, before, 'damaged');
    try {
      await rename(staged, dir);
      break;
    } catch (error) {
      if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    }
    const found = await inspectEntry(place, manifest.key);
    if (found.state === 'whole') return found.entry;
    if (found.state !== 'absent' && before !== undefined)
      await setAside(place, manifest.key, before, found.state);
  }
  // If this fails, a power cut may take the entry back: a miss, nothing worse.
  await syncToDisk(path.dirname(dir)).catch(() => {});
  return entryOf(manifest, dir);
}

/**
 * Takes an entry out of the way that is damaged, or can't be read: that one is kept, it may be whole. Another process
 * may have replaced it since `seen`; then theirs goes back.
 */
async function setAside(
  place: Place,
  key: ContentKey,
  seen: fs.BigIntStats,
  state: 'damaged' | 'unreadable',
): Promise<void> {
  const dir = entryDir(place, key);
  const aside =
    state === 'damaged'
      ? newTemporary(place, 'damaged')
      : path.join(place.root, 'unreadable', `${key}-${Date.now()}`);
  await makeDir(path.dirname(aside));
  try {
    await fs.promises.rename(dir, aside);
  } catch (error) {
    if (isGone(error)) return;
    throw error;
  }
  const moved = fs.lstatSync(aside, { bigint: true, throwIfNoEntry: false });
  if (moved !== undefined && moved.ino !== seen.ino) await fs.promises.rename(aside, dir).catch(() => {});
  if (state === 'damaged') {
    await discard(aside);
    return;
  }
  const message = `the stored result ${key.slice(0, 12)} can't be read: it was moved to ${aside}`;
  place.warn({ code: 'unreadable-entry', message, key });
}

async function writeDurably(file: string, text: string): Promise<void> {
  await fs.promises.writeFile(file, text, { flag: 'wx' });
  await syncToDisk(file);
}
