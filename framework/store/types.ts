import type { ContentKey, Digest, Fingerprint, InputKey } from '../plan/types.ts';
import type { JsonObject } from '../stage/json.ts';
import type { Documents } from './documents.ts';
import type { FolderManifest } from './folders.ts';

/** A file of a result. `path` is relative to the entry's `dir`, with forward slashes. */
export interface OutputFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: Digest;
}

/** A committed stage result. */
export interface Entry {
  readonly key: ContentKey;
  /** Of paths and contents of all outputs: equal results have equal digests, whatever made them. */
  readonly digest: Digest;
  /** Sorted by path. */
  readonly outputs: readonly OutputFile[];
  /** How it was made (engine, host, times, ...): never part of a key. */
  readonly provenance: JsonObject;
  /** Absolute folder where the outputs lie as plain files. Read only. */
  readonly dir: string;
}

export interface Commit {
  /** Folder with everything that the stage wrote; it is consumed. Cheapest on the store's file system (`newOutDir`). */
  readonly outDir: string;
  readonly fingerprint: Fingerprint;
  readonly provenance: JsonObject;
}

export interface StoreWarning {
  /** `damaged-entry`, `stale-lock` */
  readonly code: string;
  readonly message: string;
  readonly key?: ContentKey;
}

export interface LockOptions {
  /** Aborting it ends the waiting: `lock` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called once if somebody else holds the lock. */
  onWait?(owner: LockOwner): void;
}

export interface LockOwner {
  readonly pid: number;
  readonly host: string;
}

export interface Store {
  /** Absolute. */
  readonly dir: string;
  /** The entry, if it is whole: every output is there with its size and, if it was touched since, its digest. */
  lookup(key: ContentKey): Promise<Entry | undefined>;
  /**
   * Publishes a result: all of it or, whatever happens on the way, nothing. If somebody else published this key
   * meanwhile, theirs is returned.
   *
   * @throws PecoError `store-write` when the disk is full or not writable, or when the outputs hold links or no files
   */
  commit(key: ContentKey, commit: Commit): Promise<Entry>;
  /** Everything that a key was made of, as stored beside the entry. */
  fingerprint(key: ContentKey): Promise<Fingerprint | undefined>;
  /** A stage's work folder that survives crashes; made if need be. */
  scratchDir(key: ContentKey): Promise<string>;
  clearScratch(key: ContentKey): Promise<void>;
  /** A fresh, empty folder on the store's file system, for the outputs of a stage that is about to run. */
  newOutDir(): Promise<string>;
  /** Held by one process at a time, whichever machine it is on. Resolves to the function that releases it. */
  lock(key: ContentKey | InputKey, options?: LockOptions): Promise<() => Promise<void>>;
  /** Of all entries, whole or not. */
  keys(): readonly ContentKey[];
  /** Every whole entry, in no particular order. */
  entries(): AsyncIterable<Entry>;
  /** sha256 of a file outside the store, remembered until its stat changes. */
  digestFile(path: string): Promise<Digest>;
  /**
   * The same for a file or a folder; a folder's digest is that of its manifest.
   *
   * @throws the file system's error if it can't be read
   */
  digestPath(path: string): Promise<{ readonly digest: Digest; manifest?(): FolderManifest }>;
  readonly documents: Documents;
  /** Writes what is worth remembering (digests of files) to disk; called at the end of a plan or a run. */
  flush(): Promise<void>;
}
