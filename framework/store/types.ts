import type { SweepOptions } from '../files/folder-sweep.ts';
import type { FolderDigest } from '../files/folders.ts';
import type { JsonObject } from '../stage/json.ts';
import type { ContentKey, Digest, Fingerprint, InputKey } from '../stage/keys.ts';
import type { Documents } from './documents.ts';

/** A file of a result. `path` is relative to the entry's `dir`, with forward slashes. */
export interface OutputFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: Digest;
}

/** Of a file, or of a folder: then with what makes its manifests. */
export type PathDigest = Pick<FolderDigest, 'digest'> & Partial<FolderDigest>;

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
  /** `damaged-entry`, `mended-entry`, `unreadable-entry`, `kept-result`, `stale-lock` */
  readonly code: string;
  readonly message: string;
  readonly key?: ContentKey;
}

export interface LockOptions {
  /** Aborting it ends the waiting: `lock` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called once if another process holds the lock. */
  onWait?(owner: LockOwner): void;
}

export interface LockOwner {
  readonly pid: number;
  readonly host: string;
}

/** What a collection may remove. Without limits: every entry that isn't to be kept. */
export interface CollectOptions {
  /** Entries to keep, whatever the limits. */
  readonly keep?: Iterable<ContentKey>;
  /** Work folders to keep, whatever their age. */
  readonly keepWork?: Iterable<ContentKey>;
  /** Remove entries that were not used for this many milliseconds, and logs of runs that old. */
  readonly olderThan?: number;
  /** Remove the longest unused entries until the outputs of all have at most this many bytes. */
  readonly maxSize?: number;
  /** Remove all work folders that aren't to be kept, not only those that no run touched for a week. */
  readonly work?: boolean;
  /** Jobs of a cluster may need what was used since then; milliseconds since 1970. */
  readonly usedSince?: number;
  /** Only say what would be removed. */
  readonly dryRun?: boolean;
}

export interface CollectedEntry {
  readonly key: ContentKey;
  /** `tokenizer/vqvae`, as its fingerprint says. */
  readonly kind?: string;
  /** To a day; milliseconds since 1970. */
  readonly lastUse: number;
  /** Bytes of its outputs, shared or not. */
  readonly size: number;
}

/** What a collection removed, or would remove. */
export interface Collection {
  /** `bytes` of their outputs, shared ones counted once. */
  readonly kept: { readonly entries: number; readonly bytes: number };
  readonly removed: readonly CollectedEntry[];
  /** Would have been removed, but a run in progress may need them. */
  readonly inUse: readonly CollectedEntry[];
  readonly objects: number;
  readonly documents: number;
  /** Work folders of stages, and finished outputs that could not be stored. */
  readonly work: number;
  /** What dead processes left behind. */
  readonly leftovers: number;
  readonly logs: number;
  /** Bytes that are free afterwards: files with other names elsewhere don't count. */
  readonly freed: number;
}

export interface Store {
  /** Absolute. */
  readonly dir: string;
  /**
   * The entry, if it is whole: every output is there with its size and, if it was touched since, its digest.
   *
   * @throws PecoError `store-write` only if the finished outputs of this key are kept, because the disk was full, and
   *   it still is
   */
  lookup(key: ContentKey): Promise<Entry | undefined>;
  /**
   * Stores a result: all of it or, whatever happens on the way, nothing. If another process stored this key
   * meanwhile, theirs is returned. If it can't be stored, the outputs are kept, the error says where, and a later
   * `lookup` stores them.
   *
   * @throws PecoError `store-write` when the disk is full or not writable, or when the outputs hold links
   */
  commit(key: ContentKey, commit: Commit): Promise<Entry>;
  /** Everything that a key was made of, as stored beside the entry; undefined if that is gone or damaged. */
  fingerprint(key: ContentKey): Promise<Fingerprint | undefined>;
  /** A stage's work folder that survives crashes; made if need be. */
  workDir(key: ContentKey): Promise<string>;
  clearWork(key: ContentKey): Promise<void>;
  /** A fresh, empty folder on the store's file system, for the outputs of a stage that is about to run. */
  newOutDir(): Promise<string>;
  /**
   * Held by one process at a time, whichever machine it is on. Resolves to the function that releases it, which never
   * throws.
   */
  lock(key: ContentKey | InputKey, options?: LockOptions): Promise<() => Promise<void>>;
  /**
   * Called before the first lookup of a run: from then on no collection removes what the run may have found. Resolves
   * to the function that ends this; the end of the process does so, too.
   */
  enter(): Promise<() => Promise<void>>;
  /**
   * Removes what is not needed. Safe beside runs: it leaves alone what they use or are about to commit.
   *
   * @throws PecoError `store-write`
   */
  collect(options: CollectOptions): Promise<Collection>;
  /** Of all entries, whole or not. */
  keys(): readonly ContentKey[];
  /** Every whole entry, in no particular order. */
  entries(): AsyncIterable<Entry>;
  /** sha256 of a file outside the store, remembered until its stat changes. */
  digestFile(path: string): Promise<Digest>;
  /**
   * The same for a file or a folder; a folder's digest is that of its manifest. A very large folder isn't looked at
   * again within a minute, unless the look has to be `fresh`.
   *
   * @throws the file system's error if it can't be read
   */
  digestPath(path: string, options?: SweepOptions): Promise<PathDigest>;
  readonly documents: Documents;
  /** Writes what is worth remembering (digests of files) to disk; called at the end of a plan or a run. */
  flush(): Promise<void>;
}
