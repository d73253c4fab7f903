import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ProvisionError } from './download.ts';

const held = new Set<string>();
// A signal ends the process where it is.
process.once('exit', () => {
  for (const file of held) fs.rmSync(file, { force: true });
});

/**
 * Makes sure that one process at a time writes into a folder. Returns what gives the folder free.
 *
 * @throws ProvisionError naming the process that has it
 */
export function lockFolder(folder: string): () => void {
  const file = path.join(folder, 'provision.lock');
  const own = `${file}.${process.pid}`;
  fs.writeFileSync(own, `${process.pid} ${os.hostname()} ${startOf(process.pid)}`);
  try {
    // A lock is never there without its owner: it comes by one link.
    while (!link(own, file)) removeDead(file, folder);
  } finally {
    fs.rmSync(own, { force: true });
  }
  held.add(file);
  return () => {
    held.delete(file);
    fs.rmSync(file, { force: true });
  };
}

/** Removes the lock of a process that has ended. Of several that do so at once, one takes the file away. */
function removeDead(file: string, folder: string): void {
  const text = read(file);
  if (text === undefined) return;
  const [pid = '', host = '', start = ''] = text.split(' ');
  if (host !== os.hostname() || isAlive(Number(pid), start))
    throw new ProvisionError(
      `process ${pid} on ${host} is provisioning ${folder}: wait for it, or delete ${file} if it is not there any more`,
    );
  const taken = `${file}.${process.pid}.dead`;
  try {
    fs.renameSync(file, taken);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  // Another process was quicker, and this lock is already its own.
  if (read(taken) !== text) link(taken, file);
  fs.rmSync(taken, { force: true });
}

/** False if the file is there already. */
function link(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
  }
  try {
    // Not every file system has links.
    fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function read(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Whether the process still runs that began at `start`: after a restart another may have its number. */
function isAlive(pid: number, start: string): boolean {
  if (!Number.isInteger(pid) || pid < 1) return false;
  const found = startOf(pid);
  return found !== '' && (start === '' || found === start);
}

/** When a process began, in clock ticks since the start of the machine; empty if it has ended. */
function startOf(pid: number): string {
  const text = read(`/proc/${pid}/stat`) ?? '';
  // The name in parentheses may hold anything; the fields after it don't.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? '' : (fields[19] ?? '');
}
