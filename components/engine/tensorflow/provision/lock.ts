import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ProvisionError } from './download.ts';

/**
 * Makes sure that one process at a time writes into a folder. Returns what gives the folder free.
 *
 * @throws ProvisionError naming the process that has it
 */
export function lockFolder(folder: string): () => void {
  const file = path.join(folder, 'provision.lock');
  const mine = `${process.pid} ${os.hostname()}`;
  for (;;) {
    try {
      fs.writeFileSync(file, mine, { flag: 'wx' });
      const release = () => fs.rmSync(file, { force: true });
      // Ctrl-C ends the process where it is.
      process.once('exit', release);
      return () => {
        process.off('exit', release);
        release();
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid, host] = fs.readFileSync(file, 'utf8').split(' ');
    if (host !== os.hostname() || isAlive(Number(pid)))
      throw new ProvisionError(
        `process ${pid} on ${host} is provisioning ${folder}: wait for it, or delete ${file} if it is not there any more`,
      );
    fs.rmSync(file, { force: true });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
