import fs from 'node:fs';
import path from 'node:path';
import { timeAt } from '../files/clock.ts';
import { isClock, isOwnName } from './form.ts';
import { isDead, ownerOfName } from './identity.ts';
import { readHolder, tryLock } from './lock.ts';
import { discard, type Place } from './place.ts';

/** Of leftovers whose process can't be asked about (another host, another container), in milliseconds. */
const unknownOwnerPatience = 7 * 24 * 3600 * 1000;
/** Beside a lock: files that are there for an instant only. */
const instantPatience = 3600 * 1000;

/**
 * What processes left in `tmp/` and `locks/` that ended without clearing up. Absolute paths; removes nothing.
 * `locks: 'all'` adds those of stages, which otherwise wait for the next process that takes them.
 */
export function findLeftovers(
  place: Place,
  { now, locks: which = 'runs' }: { readonly now?: number; readonly locks?: 'all' | 'runs' } = {},
): string[] {
  const tmp = path.join(place.root, 'tmp');
  const locks = path.join(place.root, 'locks');
  let time = now;
  const ageOf = (file: string): number => {
    time ??= timeAt(tmp);
    return time - changedAt(file);
  };
  return [
    ...list(tmp)
      .filter((name) => isOwnName('tmp', name) && isLeftover(place, name, () => ageOf(path.join(tmp, name))))
      .map(below(tmp)),
    ...list(locks)
      .filter((name) => isOwnName('locks', name) && isDeadLock(path.join(locks, name), which, ageOf))
      .map(below(locks)),
  ];
}

/** Removes them; what can't be removed stays. */
export async function clearLeftovers(place: Place): Promise<void> {
  for (const leftover of findLeftovers(place)) await removeLeftover(leftover);
}

/** Another process may take the lock at this moment: it goes the usual way. */
export async function removeLeftover(file: string): Promise<void> {
  if (!file.endsWith('.lock')) return discard(file);
  const release = await tryLock(file).catch(() => undefined);
  await release?.();
}

function isLeftover(place: Place, name: string, age: () => number): boolean {
  // It is there for an instant only; a process without it goes by its own clock.
  if (isClock(name)) return true;
  const owner = ownerOfName(name);
  if (owner !== undefined && isDead(owner)) return true;
  // The process is alive (only we can tell, of our own host), or unknown. A run that makes something holds locks.
  return age() > unknownOwnerPatience && !isAnyLockHeld(place);
}

function isDeadLock(file: string, which: 'all' | 'runs', ageOf: (file: string) => number): boolean {
  const name = path.basename(file);
  if (!name.endsWith('.lock')) {
    const owner = ownerOfName(name);
    return (owner !== undefined && isDead(owner)) || ageOf(file) > instantPatience;
  }
  try {
    return (which === 'all' || name.startsWith('run-')) && readHolder(file) === undefined;
  } catch {
    return false;
  }
}

function isAnyLockHeld(place: Place): boolean {
  const locks = path.join(place.root, 'locks');
  return list(locks).some((name) => {
    try {
      return name.endsWith('.lock') && readHolder(path.join(locks, name)) !== undefined;
    } catch {
      return true;
    }
  });
}

/** When a file, or the names in a folder, last changed, in milliseconds since 1970. */
function changedAt(file: string): number {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
}

function list(dir: string): string[] {
  try {
    return fs.readdirSync(dir);
  } catch {
    return [];
  }
}

function below(dir: string): (name: string) => string {
  return (name) => path.join(dir, name);
}
