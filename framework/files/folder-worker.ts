/** What threads do for `folder-pool.ts`, by name. Built as an entry of its own. */
import { hashFiles } from './folder-hash.ts';
import { type ListedFolder, listFolder } from './folder-list.ts';

/** An error of the file system, with what structured clones of errors lose. */
export interface Failed {
  readonly failed: { readonly message: string; readonly code?: string; readonly path?: string };
}

export function list(folder: string): ListedFolder | Failed {
  return orFailed(() => listFolder(folder));
}

export function hash(files: readonly string[]): Uint8Array | Failed {
  return orFailed(() => hashFiles(files));
}

function orFailed<T>(work: () => T): T | Failed {
  try {
    return work();
  } catch (error) {
    const { message, code, path } = error as NodeJS.ErrnoException;
    return {
      failed: { message, ...(code === undefined ? {} : { code }), ...(path === undefined ? {} : { path }) },
    };
  }
}
