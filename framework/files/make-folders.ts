import fs from 'node:fs';
import path from 'node:path';
import { hasCode } from './files.ts';

/** How often another process may remove what was just made. */
const mostAttempts = 10;

/**
 * Makes a folder that a user named, and those above it, one by one. Node's recursive mkdir never ends where a folder
 * can't be made although the one above is there, as in /proc.
 *
 * @throws the file system's error, for the first folder that can't be made: `explainMakeError` words it
 */
export async function makeFolders(dir: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      for (const missing of missingFolders(path.resolve(dir))) await makeOne(missing);
      return;
    } catch (error) {
      const above = path.dirname(pathOf(error) ?? dir);
      // Gone again while we looked: then it is worth another try.
      const removed = hasCode(error, 'ENOENT') && !isFolder(above);
      if (!removed || attempt === mostAttempts) throw error;
    }
  }
}

/** Why a folder can't be made, in a sentence without an end; undefined for what isn't the file system's error. */
export function explainMakeError(error: unknown): string | undefined {
  const dir = pathOf(error);
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? '') : '';
  if (dir === undefined || code === '') return undefined;
  if (code === 'EEXIST')
    return fs.existsSync(dir)
      ? `${dir} is a file, where a folder should be`
      : `${dir} is a link that leads nowhere`;
  if (code === 'ENOENT') return `no folder can be made in ${path.dirname(dir)}`;
  const reasons: { readonly [code: string]: string } = {
    ENOTDIR: `${path.dirname(dir)} is a file, where a folder should be`,
    EACCES: `no permission to write ${dir}`,
    EPERM: `no permission to write ${dir}`,
    EROFS: `the file system of ${dir} is read-only`,
    ENOSPC: `the disk of ${dir} is full`,
    EDQUOT: `your quota on the disk of ${dir} is used up`,
  };
  return reasons[code];
}

/**
 * Why a folder can't be there, as far as can be seen without making it, worded as by `explainMakeError`; undefined if
 * nothing is in the way.
 */
export function findObstacle(dir: string): string | undefined {
  const first = missingFolders(path.resolve(dir))[0];
  if (first === undefined) return undefined;
  try {
    fs.accessSync(path.dirname(first), fs.constants.W_OK | fs.constants.X_OK);
    if (fs.lstatSync(first, { throwIfNoEntry: false }) === undefined) return undefined;
  } catch (error) {
    return explainMakeError(error);
  }
  return explainMakeError(Object.assign(new Error(), { code: 'EEXIST', path: first }));
}

/** From the top down. */
function missingFolders(dir: string): string[] {
  const missing: string[] = [];
  for (let at = dir; !isFolder(at) && path.dirname(at) !== at; at = path.dirname(at)) missing.unshift(at);
  return missing;
}

async function makeOne(dir: string): Promise<void> {
  try {
    await fs.promises.mkdir(dir);
  } catch (error) {
    if (!(hasCode(error, 'EEXIST') && isFolder(dir))) throw error; // else another process was first
  }
}

function isFolder(dir: string): boolean {
  try {
    return fs.statSync(dir).isDirectory();
  } catch {
    return false;
  }
}

function pathOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).path : undefined;
}
