import fs from 'node:fs';

const group = 0o070;
const groupWrites = 0o020;

/**
 * A store that its group may write is shared, as a git repository with `core.sharedRepository` is: what this process and
 * those that it starts write from now on is the group's, too, whatever the user's umask says. Other users' bits stay.
 */
export function shareWithGroup(root: string): void {
  try {
    if ((fs.statSync(root).mode & groupWrites) === 0) return;
    // Node tells a umask safely only as it sets one; what is written meanwhile is the group's as well.
    const own = process.umask(0o007);
    process.umask(own & ~group);
  } catch {
    // On a thread; or there is no such folder.
  }
}
