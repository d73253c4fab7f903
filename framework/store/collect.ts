import fs from 'node:fs';
import path from 'node:path';
import { timeAt } from '../files/clock.ts';
import { hasCode, isGone } from '../files/files.ts';
import type { ContentKey } from '../stage/keys.ts';
import { withRoom } from './full-disk.ts';
import { type InventoryEntry, listInventory } from './inventory.ts';
import { removeLeftover } from './leftovers.ts';
import { readHolder, tryLock } from './lock.ts';
import { entryDir, makeDir, newTemporary, type Place } from './place.ts';
import { findRemains, measureFreed, type Remains } from './remains.ts';
import { holdCollection, listSessions } from './sessions.ts';
import type { CollectedEntry, Collection, CollectOptions } from './types.ts';

/** A use is noted once a day, and clocks of hosts differ: what was used this long before a run began may be its. */
const useMargin = 25 * 3600 * 1000;

/**
 * Removes entries that are not needed, and what is left of them and of dead processes. Each entry goes by one rename, with
 * its lock held, so that a run that wants it either finds all of it or makes it again; killed at any moment, what
 * remains is whole.
 */
export async function collect(place: Place, options: CollectOptions): Promise<Collection> {
  if (!fs.existsSync(place.root)) return summarise([], [], emptyRemains, [], 0);
  if (options.dryRun) return removeUnneeded(place, options);
  const release = await withRoom(place, () => holdCollection(place));
  try {
    return await removeUnneeded(place, options);
  } finally {
    await release();
  }
}

const emptyRemains: Remains = { objects: [], documents: [], work: [], leftovers: [], logs: [] };

async function removeUnneeded(place: Place, options: CollectOptions): Promise<Collection> {
  const now = timeAt(path.join(place.root, 'tmp'));
  const sessions = listSessions(place);
  const begins = [...sessions.map(({ since }) => since), options.usedSince ?? Number.POSITIVE_INFINITY];
  const usedSince = Math.min(...begins) - useMargin;
  const stored = listInventory(place);
  const chosen = chooseEntries(stored, options, now);
  const removed: InventoryEntry[] = [];
  const inUse: InventoryEntry[] = [];
  const trash: string[] = [];
  for (const entry of chosen) {
    const take = () => takeAway(place, entry.key, options.dryRun);
    const aside = entry.lastUse >= usedSince ? undefined : await withRoom(place, take);
    (aside === undefined ? inUse : removed).push(entry);
    if (aside !== undefined) trash.push(aside);
  }
  const gone = new Set<ContentKey>(removed.map(({ key }) => key));
  // Looked up again: a run may have stored something meanwhile.
  const kept = listInventory(place).filter(({ key }) => !gone.has(key));
  const remains = findRemains(place, { kept, removed, usedSince, now, options });
  const { leftovers, ...others } = remains;
  const targets = [...trash, ...Object.values(others).flat()];
  const freed = measureFreed([...targets, ...leftovers]);
  if (!options.dryRun) {
    for (const target of targets) await remove(target);
    for (const leftover of leftovers) await removeLeftover(leftover);
  }
  return summarise(kept, removed, remains, inUse, freed);
}

/** What another process reads at the moment can't go on every file system: what is left of it goes the next time. */
async function remove(target: string): Promise<void> {
  try {
    await fs.promises.rm(target, { recursive: true, force: true });
  } catch (error) {
    if (!hasCode(error, 'EBUSY', 'ENOTEMPTY')) throw error;
  }
}

/** Every entry that isn't to be kept; with limits, those that are too old, and the longest unused beyond the size. */
function chooseEntries(
  stored: readonly InventoryEntry[],
  options: CollectOptions,
  now: number,
): InventoryEntry[] {
  const keep = new Set<string>(options.keep ?? []);
  const { olderThan, maxSize } = options;
  // What can't be read may be whole.
  const free = stored.filter((entry) => !entry.unreadable && !keep.has(entry.key));
  if (olderThan === undefined && maxSize === undefined) return free;
  const chosen = new Set(free.filter(({ lastUse }) => olderThan !== undefined && now - lastUse > olderThan));
  if (maxSize !== undefined) {
    const users = new Map<string, number>();
    let size = 0;
    const left = stored.filter((entry) => !chosen.has(entry));
    for (const { sha256, size: bytes } of left.flatMap(({ outputs }) => outputs)) {
      if (!users.has(sha256)) size += bytes;
      users.set(sha256, (users.get(sha256) ?? 0) + 1);
    }
    for (const entry of free.filter((one) => !chosen.has(one)).sort((a, b) => a.lastUse - b.lastUse)) {
      if (size <= maxSize) break;
      chosen.add(entry);
      for (const { sha256, size: bytes } of entry.outputs) {
        const others = users.get(sha256)! - 1;
        users.set(sha256, others);
        if (others === 0) size -= bytes;
      }
    }
  }
  return [...chosen];
}

/** Moves an entry out of the store, unless a process holds its lock. Returns where it lies now. */
async function takeAway(place: Place, key: ContentKey, dryRun = false): Promise<string | undefined> {
  const dir = entryDir(place, key);
  const lock = path.join(place.root, 'locks', `${key}.lock`);
  if (dryRun) return readHolder(lock) === undefined ? dir : undefined;
  const release = await tryLock(lock);
  if (release === undefined) return undefined;
  try {
    const aside = newTemporary(place, 'collected');
    await makeDir(path.dirname(aside));
    await fs.promises.rename(dir, aside);
    return aside;
  } catch (error) {
    if (isGone(error)) return undefined; // it went while we looked
    throw error;
  } finally {
    await release();
  }
}

function summarise(
  kept: readonly InventoryEntry[],
  removed: readonly InventoryEntry[],
  remains: Remains,
  inUse: readonly InventoryEntry[],
  freed: number,
): Collection {
  const sizes = new Map(kept.flatMap(({ outputs }) => outputs).map(({ sha256, size }) => [sha256, size]));
  const describe = ({ key, kind, lastUse, outputs }: InventoryEntry): CollectedEntry => ({
    key,
    ...(kind === undefined ? {} : { kind }),
    lastUse,
    size: outputs.reduce((sum, { size }) => sum + size, 0),
  });
  return {
    kept: { entries: kept.length, bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0) },
    removed: removed.map(describe),
    inUse: inUse.map(describe),
    objects: remains.objects.length,
    documents: remains.documents.length,
    work: remains.work.length,
    leftovers: remains.leftovers.length,
    logs: remains.logs.length,
    freed,
  };
}
