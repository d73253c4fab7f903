import path from 'node:path';
import type { ContentKey, Fingerprint } from '../plan/types.ts';
import type { JsonObject } from '../stage/json.ts';
import { readManifest } from './manifest.ts';
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

/** Reads every manifest, and no other byte: whether the outputs are whole is what `lookup` tells. */
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
