import fs from 'node:fs';
import path from 'node:path';
import type { FileDigests } from '../files/digests.ts';
import type { ContentKey, Digest } from '../stage/keys.ts';
import { temporaryName } from './identity.ts';
import type { StoreWarning } from './types.ts';

/** A store's folder, and what its parts have in common. */
export interface Place {
  readonly root: string;
  /** Of files outside, by path. */
  readonly digests: FileDigests;
  /** Of files in the store, by inode: links to one object share a memory. */
  readonly objects: FileDigests;
  /** Keys whose locks this process holds. */
  readonly held: Set<string>;
  /** What was said about entries. */
  readonly told: Set<string>;
  warn(warning: StoreWarning): void;
}

export function entryDir(place: Place, key: ContentKey): string {
  return path.join(place.root, 'entries', key);
}

export function objectFile(place: Place, digest: Digest): string {
  return path.join(place.root, 'objects', 'sha256', digest.slice(0, 2), digest.slice(2));
}

/** A name in `tmp/` that no other process has. */
export function newTemporary(place: Place, kind: string): string {
  return path.join(place.root, 'tmp', temporaryName(kind));
}

/** Where the outputs of a finished stage are kept that could not be stored. */
export function pendingDir(place: Place, key: ContentKey): string {
  return path.join(place.root, 'pending', key);
}

export async function makeDir(dir: string): Promise<string> {
  await fs.promises.mkdir(dir, { recursive: true });
  return dir;
}

/** Removes what may as well stay: a failure costs space, nothing else. */
export async function discard(target: string): Promise<void> {
  await fs.promises.rm(target, { recursive: true, force: true }).catch(() => {});
}
