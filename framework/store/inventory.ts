import fs from 'node:fs';
import path from 'node:path';
import type { ContentKey } from '../plan/types.ts';
import { isOwnName } from './form.ts';
import { readManifest } from './manifest.ts';
import { entryDir, type Place } from './place.ts';
import type { OutputFile } from './types.ts';

/** An entry as a collection sees it: no look at the bytes of its outputs. */
export interface StoredEntry {
  readonly key: ContentKey;
  /** Empty if the manifest is damaged or can't be read. */
  readonly outputs: readonly OutputFile[];
  readonly unreadable: boolean;
  /** To a day; milliseconds since 1970. */
  readonly lastUse: number;
  /** Text of `fingerprint.json`; undefined if that can't be read. */
  readonly fingerprint?: string;
  /** What the fingerprint says, for people. */
  readonly kind?: string;
}

export function listInventory(place: Place): StoredEntry[] {
  return listOwn(place, 'entries').map((name) => describe(place, name as ContentKey));
}

function describe(place: Place, key: ContentKey): StoredEntry {
  const dir = entryDir(place, key);
  const read = readManifest(dir, key);
  const fingerprint = readText(path.join(dir, 'fingerprint.json'));
  const kind = fingerprint === undefined ? undefined : kindOf(fingerprint);
  return {
    key,
    outputs: read.state === 'read' ? read.manifest.outputs : [],
    unreadable: read.state === 'unreadable',
    lastUse: timeOf(path.join(dir, 'manifest.json')) ?? timeOf(dir) ?? 0,
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(kind === undefined ? {} : { kind }),
  };
}

/** Names of what peco-exp put into a folder of the store, sorted: what others put there is none of a collection's business. */
export function listOwn(place: Place, folder: Parameters<typeof isOwnName>[0]): string[] {
  return listNames(path.join(place.root, folder)).filter((name) => isOwnName(folder, name));
}

/** Names in a folder, sorted; none if it can't be read. */
export function listNames(dir: string): string[] {
  try {
    return fs.readdirSync(dir).sort();
  } catch {
    return [];
  }
}

export function readText(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Time of modification in milliseconds since 1970. */
export function timeOf(file: string): number | undefined {
  try {
    return fs.lstatSync(file).mtimeMs;
  } catch {
    return undefined;
  }
}

function kindOf(fingerprint: string): string | undefined {
  try {
    const { kind } = JSON.parse(fingerprint) as { readonly kind?: unknown };
    return typeof kind === 'string' ? kind : undefined;
  } catch {
    return undefined;
  }
}
