import fs from 'node:fs';
import path from 'node:path';
import type { JsonObject } from '../stage/json.ts';
import type { ContentKey, Fingerprint } from '../stage/keys.ts';
import { isOwnName } from './form.ts';
import { readManifest } from './manifest.ts';
import { entryDir, type Place } from './place.ts';
import type { OutputFile, Store } from './types.ts';

/** An entry as its files describe it. */
export interface StoredEntry {
  readonly key: ContentKey;
  /** Role and kind: `tokenizer/vqvae`; `unknown` if the fingerprint is gone. */
  readonly kind: string;
  readonly outputs: readonly OutputFile[];
  readonly provenance: JsonObject;
  readonly fingerprint: Fingerprint | undefined;
  /** Absolute folder of the outputs. */
  readonly dir: string;
}

/** What a store says that it holds. */
export interface Inventory {
  readonly entries: readonly StoredEntry[];
  /** Entries whose manifest is missing, broken or can't be read. */
  readonly damaged: readonly ContentKey[];
}

/** Reads every manifest, and no other byte: `lookup` says whether the outputs are whole. */
export async function takeInventory(store: Pick<Store, 'dir' | 'keys' | 'fingerprint'>): Promise<Inventory> {
  const entries: StoredEntry[] = [];
  const damaged: ContentKey[] = [];
  for (const key of [...store.keys()].sort()) {
    const folder = path.join(store.dir, 'entries', key);
    const read = readManifest(folder, key);
    if (read.state === 'absent') continue;
    if (read.state !== 'read') {
      damaged.push(key);
      continue;
    }
    const fingerprint = await store.fingerprint(key);
    const { outputs, provenance } = read.manifest;
    const kind = fingerprint?.kind ?? 'unknown';
    entries.push({ key, kind, outputs, provenance, fingerprint, dir: path.join(folder, 'outputs') });
  }
  return { entries, damaged };
}

/** Bytes of the outputs of these entries; what several share is counted once, as it is stored. */
export function bytesOf(entries: readonly Pick<StoredEntry, 'outputs'>[]): number {
  const sizes = new Map(
    entries.flatMap(({ outputs }) => outputs.map(({ sha256, size }) => [sha256 as string, size] as const)),
  );
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** An entry as a collection sees it: no look at the bytes of its outputs. */
export interface InventoryEntry {
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

export function listInventory(place: Place): InventoryEntry[] {
  return listOwn(place, 'entries').map((name) => describe(place, name as ContentKey));
}

function describe(place: Place, key: ContentKey): InventoryEntry {
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
