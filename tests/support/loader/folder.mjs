/** Where tests write: files in memory take a tenth of the processor time of those on a disk, and none of the waiting. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const memory = '/dev/shm';
const room = 4 * 2 ** 30; // bytes; what tests have written at any time is far less
const prefix = 'peco-exp-tests-';
const stale = 10 * 60e3; // milliseconds

/**
 * Makes a folder that goes with this process, and has `TMPDIR` name it: in `TMPDIR` if the user has set it, else in
 * memory. Where there is no such file system, where it is small, as in containers, or where nothing in it may be
 * executed, the folder is where all temporary files are.
 */
export function writeToOwnFolder() {
  const root = process.env.TMPDIR || (isSuitable(memory) ? memory : os.tmpdir());
  removeStale(root);
  const folder = fs.mkdtempSync(path.join(root, `${prefix}${process.pid}-`));
  process.env.TMPDIR = folder;
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
}

function isSuitable(root) {
  try {
    const mount = fs
      .readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .findLast(([, place]) => place === root);
    const { bavail, bsize } = fs.statfsSync(root);
    fs.accessSync(root, fs.constants.W_OK);
    return mount?.[2] === 'tmpfs' && !mount[3].split(',').includes('noexec') && bavail * bsize >= room;
  } catch {
    return false;
  }
}

/** Folders of runs that were killed. One that goes on writes again and again. */
function removeStale(root) {
  for (const name of fs.readdirSync(root)) {
    const pid = Number(/^peco-exp-tests-(\d+)-/.exec(name)?.[1]);
    if (!pid || isAlive(pid)) continue;
    const folder = path.join(root, name);
    try {
      if (Date.now() - fs.statSync(folder).mtimeMs > stale)
        fs.rmSync(folder, { recursive: true, force: true });
    } catch {
      // of another user, or another run has just removed it
    }
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}
