import { availableParallelism } from 'node:os';
import { type ListedFolder, listFolder } from './folder-list.ts';
import type { Failed } from './folder-worker.ts';

/** Looks at folders and files, many at once: what takes the time is the file system. */
export interface FolderPool {
  list(folder: string): Promise<ListedFolder>;
  /** As `hashFiles`. */
  hash(files: readonly string[]): Promise<Uint8Array>;
  /** How many it can look at at once. */
  readonly lanes: number;
  close(): Promise<void>;
}

/** Threads, also where there are few cores: those of a file system on a network mostly wait. */
const threads = Math.min(16, Math.max(4, availableParallelism()));

// Where something reads TypeScript, as in the tests, there is no other file.
const readsTypeScript = process.execArgv.some((argument) => argument.includes('tsx'));
const workerFile = new URL(readsTypeScript ? './folder-worker.ts' : './folder-worker.js', import.meta.url);

export async function openFolderPool(): Promise<FolderPool> {
  const { Piscina } = await import('piscina');
  const pool = new Piscina({
    filename: workerFile.href,
    // What a thread looks for when it starts; else it would look for a default export.
    name: 'list',
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: Number.POSITIVE_INFINITY,
  });
  const ask = async <T>(name: string, task: unknown): Promise<T> => {
    const answer = (await pool.run(task, { name })) as T | Failed;
    if (!isFailed(answer)) return answer;
    const { message, ...rest } = answer.failed;
    throw Object.assign(new Error(message), rest);
  };
  return {
    list: (folder) => ask('list', folder),
    hash: (files) => ask('hash', files),
    lanes: threads,
    close: () => pool.destroy(),
  };
}

/** The same in this thread, for a few files. */
export const noPool: Pick<FolderPool, 'list' | 'hash'> = {
  list: async (folder) => listFolder(folder),
  async hash(files) {
    const { hashFiles } = await import('./folder-hash.ts');
    return hashFiles(files);
  },
};

function isFailed(answer: unknown): answer is Failed {
  return typeof answer === 'object' && answer !== null && 'failed' in answer;
}
