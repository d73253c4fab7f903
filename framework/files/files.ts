import fs from 'node:fs';
import path from 'node:path';
import { PecoError } from '../stage/errors.ts';

/**
 * Files below a folder, relative with forward slashes, sorted by code unit.
 *
 * @throws PecoError `store-write` if there is anything but folders and plain files
 */
export async function listFiles(dir: string): Promise<string[]> {
  const found: string[] = [];
  async function walk(relative: string): Promise<void> {
    for (const item of await fs.promises.readdir(path.join(dir, relative), { withFileTypes: true })) {
      const name = relative === '' ? item.name : `${relative}/${item.name}`;
      if (isDeleted(item.name)) continue;
      if (item.isDirectory()) await walk(name);
      else if (item.isFile()) found.push(name);
      else
        throw new PecoError(`a stage produced "${name}", which is not a plain file`, { code: 'store-write' });
    }
  }
  await walk('');
  return found.sort();
}

/** Waits until a file's bytes, or a folder's names, are on the disk. */
export async function syncToDisk(target: string): Promise<void> {
  const handle = await fs.promises.open(target, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems can't sync folders; then the rename is as good as it gets.
    if (!hasCode(error, 'EINVAL', 'EPERM', 'EISDIR', 'ENOTSUP')) throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Gives a file or a folder another name, where no other process takes either away. A file system over a network repeats a
 * call whose answer got lost, and the second one finds nothing any more (ENOENT): then the first has done it.
 *
 * @throws the file system's error
 */
export async function rename(from: string, to: string): Promise<void> {
  try {
    await fs.promises.rename(from, to);
  } catch (error) {
    if (!hasCode(error, 'ENOENT') || fs.existsSync(from) || !fs.existsSync(to)) throw error;
  }
}

/** Whether a link that failed because its name was taken was made by an earlier try of the same call; see `rename`. */
export function isLinked(file: string): boolean {
  return fs.statSync(file).nlink > 1;
}

/** A second name for the same bytes; a copy where the file system has no hard links. Throws EEXIST. */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await fs.promises.link(from, to);
  } catch (error) {
    if (!hasCode(error, 'EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'ENOSYS')) throw error;
    await fs.promises.copyFile(from, to, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE);
    await syncToDisk(to);
  }
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');
}

/**
 * Has errors of some work name a place that says something to a user: one of writing to an open file, such as a full disk,
 * names none, and one of a file of ours a name that is not known.
 */
export function naming<T>(place: string, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw error instanceof Error ? Object.assign(error, { path: place }) : error;
  });
}

/** Whether an error says that a file isn't there. ESTALE: another machine removed it while this one used it. */
export function isGone(error: unknown): boolean {
  return hasCode(error, 'ENOENT', 'ESTALE');
}

/** A file that was deleted while a process had it open, as clients of NFS keep it until that closes it. */
export function isDeleted(name: string): boolean {
  return /^\.nfs[0-9a-f]{16,}$/.test(name);
}

const noPermission =
  'no permission to write there: choose another store with --store; one that several users share has a group of theirs, and mode g+rwxs on its folders';

/** File-system errors in the user's terms. Others are passed on. */
export function explainWriteError(error: unknown, dir: string): unknown {
  const hints: { readonly [code: string]: string } = {
    ENOSPC: 'the disk is full: free some space, or choose another store with --store',
    EDQUOT: 'your quota is used up: free some space, or choose another store with --store',
    EACCES: noPermission,
    EPERM: noPermission,
    ENOTDIR: 'a file is where a folder should be: choose another store with --store',
    EEXIST: 'a file is where a folder should be: choose another store with --store',
    EROFS: 'that file system is read-only: choose another store with --store',
    EIO: 'the disk reports an error: check it, or choose another store with --store',
    EMFILE: 'too many files are open: raise the limit (ulimit -n), or use fewer --jobs',
  };
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? '';
  if (!/^E[A-Z0-9]+$/.test(code)) return error;
  return new PecoError(`can't write to the store ${dir}: ${code}`, {
    code: 'store-write',
    hint: hints[code] ?? 'check that folder, or choose another store with --store',
    cause: error,
  });
}
