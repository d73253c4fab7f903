import fs from 'node:fs';
import path from 'node:path';
import { isDeleted } from '../files/files.ts';
import type { ContentKey } from '../stage/keys.ts';
import { ownerOfName } from './identity.ts';
import { readManifest } from './manifest.ts';

// What peco-exp puts into a store, by name. What is called otherwise is not the store's: no collection removes it, and
// a folder that has it is not taken for a store.

const key = /^[0-9a-f]{64}$/;
/** By which the clock of the file system is read (`clockOf`). */
export const isClock = (name: string): boolean => /^clock\.\d+\.\d+$/.test(name);
const isTemporary = (name: string): boolean =>
  ownerOfName(name) !== undefined || isClock(name) || /^finished-[0-9a-f]{12}-\d+$/.test(name);

/** Folders of a store, and the names that peco-exp gives to what is in them. */
const folders = {
  entries: (name: string) => key.test(name),
  objects: (name: string) => name === 'sha256',
  'objects/sha256': (name: string) => /^[0-9a-f]{2}$/.test(name),
  documents: (name: string) => /^[0-9a-f]{64}\.json(\.\d+)*$/.test(name),
  work: (name: string) => key.test(name),
  pending: (name: string) => key.test(name),
  unreadable: (name: string) => /^[0-9a-f]{64}-\d+$/.test(name),
  uncommitted: (name: string) => /-out-\d+\.\d*\.[0-9a-f]+-[0-9a-f-]{36}$/.test(name),
  locks: (name: string) =>
    /^([0-9a-f]{64}|run-[0-9a-f-]{36}|collect)\.lock$/.test(name) || ownerOfName(name) !== undefined,
  tmp: isTemporary,
  slurm: (name: string) => name === 'stages' || /^\d{8}-\d{6}-[\w-]*-[0-9a-f]{4}$/.test(name),
  runs: (name: string) => /^\d{8}-\d{6}-[\w-]*-[0-9a-f]{4}$/.test(name),
  cache: (name: string) => /^((digests|objects)\.json(\.\d+)*|folders)$/.test(name),
} as const satisfies { readonly [folder: string]: (name: string) => boolean };

/** True for what peco-exp itself put into a folder of a store, by its name. */
export function isOwnName(folder: keyof typeof folders, name: string): boolean {
  return folders[folder](name);
}

const entryNames = new Set(['manifest.json', 'fingerprint.json', 'outputs']);

/**
 * What is in a folder that a store of peco-exp wouldn't have: paths below it, sorted. `names` is what the folder holds.
 * Empty for a folder in the exact form of a store.
 *
 * @throws the file system's error if something can't be looked at
 */
export function findForeign(root: string, names: readonly string[]): string[] {
  const foreign = names.filter((name) => !Object.hasOwn(folders, name) || !isFolder(path.join(root, name)));
  if (foreign.length > 0) return foreign.sort();
  const within = Object.entries(folders).flatMap(([folder, isOwn]) =>
    list(root, folder)
      .filter((name) => !isOwn(name))
      .map((name) => `${folder}/${name}`),
  );
  const objects = list(root, 'objects/sha256').flatMap((prefix) =>
    list(root, `objects/sha256/${prefix}`)
      .filter((name) => !/^[0-9a-f]{62}$/.test(name))
      .map((name) => `objects/sha256/${prefix}/${name}`),
  );
  const entries = list(root, 'entries').filter((name) => key.test(name));
  const inEntries = entries.flatMap((entry) =>
    list(root, `entries/${entry}`)
      .filter((name) => !entryNames.has(name))
      .map((name) => `entries/${entry}/${name}`),
  );
  return [...within, ...objects, ...inEntries].sort();
}

/** True if a result or the record of a run lies there as peco-exp writes them: names alone may be another tool's. */
export function hasOwnContent(root: string): boolean {
  const isEntry = (name: string) =>
    readManifest(path.join(root, 'entries', name), name as ContentKey).state === 'read';
  return list(root, 'entries').some(isEntry) || list(root, 'runs').some((id) => isRun(root, id));
}

function isRun(root: string, id: string): boolean {
  try {
    const record: unknown = JSON.parse(fs.readFileSync(path.join(root, 'runs', id, 'run.json'), 'utf8'));
    return typeof record === 'object' && record !== null && 'id' in record && record.id === id;
  } catch {
    return false;
  }
}

function list(root: string, folder: string): string[] {
  const dir = path.join(root, folder);
  return isFolder(dir) ? fs.readdirSync(dir).filter((name) => !isDeleted(name)) : [];
}

function isFolder(dir: string): boolean {
  return fs.statSync(dir, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
