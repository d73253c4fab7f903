import fs from 'node:fs';
import path from 'node:path';

/** A name for what becomes a file by a rename. A pid alone may be that of a process on another machine, too. */
export function besideName(file: string): string {
  return `${file}.${process.pid}.${process.hrtime.bigint()}`;
}

/**
 * Writes a file that can be made again: whole or not at all, since other processes may be reading it, but not synced.
 *
 * @throws the file system's error; no temporary file is left
 */
export async function writeDisposable(file: string, data: string | Iterable<Uint8Array>): Promise<void> {
  const temporary = besideName(file);
  await fs.promises.mkdir(path.dirname(file), { recursive: true });
  try {
    await fs.promises.writeFile(temporary, data);
    await fs.promises.rename(temporary, file);
  } catch (error) {
    await fs.promises.rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

/** The same where a file that can't be kept (read-only folder, full disk) only makes the next time slower. */
export async function tryWriteDisposable(file: string, data: string | Iterable<Uint8Array>): Promise<void> {
  await writeDisposable(file, data).catch(() => {});
}
