import fs from 'node:fs';
import path from 'node:path';
import type { isOwnName } from './form.ts';
import { type InventoryEntry, listNames, listOwn, readText, timeOf } from './inventory.ts';
import { findLeftovers } from './leftovers.ts';
import type { Place } from './place.ts';
import { collectionLock } from './sessions.ts';
import type { CollectOptions } from './types.ts';

/** What a collection removes beside entries: absolute paths. */
export interface Remains {
  readonly objects: readonly string[];
  readonly documents: readonly string[];
  /** Work folders of stages, and outputs that could not be stored. */
  readonly work: readonly string[];
  /** Of dead processes, in `tmp/` and `locks/`. */
  readonly leftovers: readonly string[];
  /** Logs of runs, and what was put aside for people. */
  readonly logs: readonly string[];
}

export interface RemainsQuery {
  readonly kept: readonly InventoryEntry[];
  readonly removed: readonly InventoryEntry[];
  /** Runs in progress may use what was used since then; infinite if there are none. Milliseconds since 1970. */
  readonly usedSince: number;
  readonly now: number;
  readonly options: CollectOptions;
}

type Folder = Parameters<typeof isOwnName>[0];

/** An object or a document without an entry may be of a commit that is on its way. */
const grace = 3600 * 1000;
const workAge = 7 * 24 * 3600 * 1000;

export function findRemains(place: Place, query: RemainsQuery): Remains {
  return {
    objects: findObjects(place, query),
    documents: findDocuments(place, query),
    work: [
      ...findOld(place, 'work', new Set(query.options.keepWork ?? []), query),
      ...findPending(place, query),
    ],
    leftovers: findLeftovers(place, { now: query.now, locks: 'all' }).filter(
      (file) => file !== collectionLock(place),
    ),
    logs: [
      ...findLogs(place, query),
      ...findPutAside(place, 'unreadable', query),
      ...findPutAside(place, 'uncommitted', query),
    ],
  };
}

function findObjects(place: Place, { kept, removed, now }: RemainsQuery): string[] {
  const digests = (entries: readonly InventoryEntry[]) =>
    new Set<string>(entries.flatMap(({ outputs }) => outputs.map(({ sha256 }) => sha256)));
  const needed = digests(kept);
  const freed = digests(removed);
  const root = path.join(place.root, 'objects', 'sha256');
  return listOwn(place, 'objects/sha256').flatMap((prefix) =>
    listNames(path.join(root, prefix)).flatMap((rest) => {
      const file = path.join(root, prefix, rest);
      if (needed.has(prefix + rest) || !/^[0-9a-f]{62}$/.test(rest)) return [];
      return freed.has(prefix + rest) || isOlder(file, grace, now) ? [file] : [];
    }),
  );
}

/** Kept as long as a fingerprint, or a document that one needs, says its name, whatever it means there. */
function findDocuments(place: Place, { kept, removed, now }: RemainsQuery): string[] {
  const root = path.join(place.root, 'documents');
  const names = listOwn(place, 'documents');
  const known = new Set(names);
  if (names.length === 0 || kept.some(({ fingerprint }) => fingerprint === undefined)) return [];
  const reach = (entries: readonly InventoryEntry[]): Set<string> => {
    const found = new Set<string>();
    const pending = entries.map(({ fingerprint }) => fingerprint ?? '');
    for (let text = pending.pop(); text !== undefined; text = pending.pop()) {
      for (const [digest] of text.matchAll(/[0-9a-f]{64}/g)) {
        const name = `${digest}.json`;
        if (found.has(name) || !known.has(name)) continue;
        found.add(name);
        pending.push(readText(path.join(root, name)) ?? '');
      }
    }
    return found;
  };
  const needed = reach(kept);
  const freed = reach(removed);
  return names
    .filter((name) => !needed.has(name) && (freed.has(name) || isOlder(path.join(root, name), grace, now)))
    .map((name) => path.join(root, name));
}

function findOld(place: Place, folder: Folder, keep: ReadonlySet<string>, query: RemainsQuery): string[] {
  const { usedSince, now, options } = query;
  const oldest = options.work ? now : now - workAge;
  return listOwn(place, folder)
    .filter((name) => !keep.has(name))
    .map((name) => path.join(place.root, folder, name))
    .filter((dir) => {
      const touched = lastTouch(dir);
      return touched <= oldest && touched < usedSince;
    });
}

/** Outputs that wait to be stored: those of an entry that is there, or was just removed, wait for nothing. */
function findPending(place: Place, query: RemainsQuery): string[] {
  const { kept, removed, usedSince, options } = query;
  const root = path.join(place.root, 'pending');
  const settled = [...kept, ...removed].map(({ key }) => path.join(root, key));
  const useless = settled.filter((dir) => fs.existsSync(dir) && lastTouch(dir) < usedSince);
  return [...new Set([...useless, ...findOld(place, 'pending', new Set(options.keep ?? []), query)])];
}

function findLogs(place: Place, query: RemainsQuery): string[] {
  const { olderThan } = query.options;
  if (olderThan === undefined) return [];
  return [
    ...findUntouched(place, 'runs', olderThan, query),
    ...findUntouched(place, 'slurm', olderThan, query),
  ];
}

/** Entries that could not be read, results whose inputs changed meanwhile: for people, so only if asked for. */
function findPutAside(place: Place, folder: Folder, query: RemainsQuery): string[] {
  const { olderThan, keep, maxSize } = query.options;
  const all = keep === undefined && maxSize === undefined;
  return olderThan === undefined && !all ? [] : findUntouched(place, folder, olderThan ?? 0, query);
}

function findUntouched(
  place: Place,
  folder: Folder,
  age: number,
  { now, usedSince }: RemainsQuery,
): string[] {
  return listOwn(place, folder)
    .map((name) => path.join(place.root, folder, name))
    .filter((target) => {
      const touched = lastTouch(target);
      return now - touched >= age && touched < usedSince;
    });
}

/** When anything below a folder was last written. */
function lastTouch(target: string): number {
  let latest = timeOf(target) ?? 0;
  let names: fs.Dirent[] = [];
  try {
    names = fs.readdirSync(target, { withFileTypes: true });
  } catch {
    // A file, or gone.
  }
  for (const item of names) {
    const file = path.join(target, item.name);
    latest = Math.max(latest, item.isDirectory() ? lastTouch(file) : (timeOf(file) ?? 0));
  }
  return latest;
}

/** By the time of change, which a new name for the same file moves as well. */
function isOlder(file: string, age: number, now: number): boolean {
  try {
    return now - fs.lstatSync(file).ctimeMs > age;
  } catch {
    return false;
  }
}

/** Bytes that become free if these files and folders go: a file with names elsewhere stays on the disk. */
export function measureFreed(targets: readonly string[]): number {
  const files = new Map<string, { readonly size: number; readonly links: number; names: number }>();
  const visit = (target: string): void => {
    try {
      const stat = fs.lstatSync(target);
      if (stat.isDirectory()) {
        for (const name of fs.readdirSync(target)) visit(path.join(target, name));
        return;
      }
      const id = `${stat.dev}:${stat.ino}`;
      const known = files.get(id) ?? { size: stat.size, links: stat.nlink, names: 0 };
      known.names += 1;
      files.set(id, known);
    } catch {
      // Another process removed it.
    }
  };
  for (const target of targets) visit(target);
  return [...files.values()].reduce((sum, { size, links, names }) => (names >= links ? sum + size : sum), 0);
}
