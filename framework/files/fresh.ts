import fs from 'node:fs';
import path from 'node:path';
import { isGone } from './files.ts';

// A file system over a network answers from memory what a folder holds, for up to a minute (`acdirmax` of NFS): a name
// that was looked for in vain is not there for that long, whatever another machine has made since.

/** Has the file system ask its server what a folder holds: opening it does. Of one that isn't there, the folder above it. */
export function refreshFolder(dir: string): void {
  for (let at = dir; ; at = path.dirname(at)) {
    try {
      fs.opendirSync(at).closeSync();
      return;
    } catch (error) {
      if (!isGone(error) || path.dirname(at) === at) return;
    }
  }
}

/**
 * Text of a file that another machine may have made a moment ago, or replaced while we read it.
 *
 * @throws the file system's error
 */
export function readFresh(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (!isGone(error)) throw error;
    refreshFolder(path.dirname(file));
    return fs.readFileSync(file, 'utf8');
  }
}

/** Whether a file is there, also if another machine made it a moment ago. */
export function existsFresh(file: string): boolean {
  if (fs.existsSync(file)) return true;
  refreshFolder(path.dirname(file));
  return fs.existsSync(file);
}
