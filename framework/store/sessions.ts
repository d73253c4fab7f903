import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { type Holder, type Release, readHolder, takeLock } from './lock.ts';
import type { Marker } from './marker.ts';
import type { Place } from './place.ts';

/** Held during a collection. */
export function collectionLock(place: Place): string {
  return path.join(place.root, 'locks', 'collect.lock');
}

/**
 * Says that a run uses the store, so that a collection leaves alone what it may have found there. Waits for a
 * collection that is going on. A store that can't be written to needs no such thing.
 *
 * The run says so before it looks for a collection, and a collection looks for runs after it has announced itself:
 * at least one of them sees the other.
 */
export async function enterStore(place: Place, marker: Marker): Promise<Release> {
  const file = path.join(place.root, 'locks', `run-${randomUUID()}.lock`);
  let leave: Release;
  try {
    await marker.ensure();
    leave = await takeLock(file, {});
  } catch {
    return async () => {};
  }
  const atExit = (): void => fs.rmSync(file, { force: true });
  process.once('exit', atExit);
  try {
    if (readHolder(collectionLock(place)) !== undefined) await (await holdCollection(place))();
  } catch {
    // Then no collection can run here either.
  }
  return async () => {
    process.removeListener('exit', atExit);
    await leave();
  };
}

/** One collection at a time. */
export function holdCollection(place: Place): Promise<Release> {
  return takeLock(collectionLock(place), {});
}

/** Runs that may be alive. */
export function listSessions(place: Place): Holder[] {
  const dir = path.join(place.root, 'locks');
  const names = fs.existsSync(dir) ? fs.readdirSync(dir) : [];
  return names.flatMap((name) => {
    if (!name.startsWith('run-') || !name.endsWith('.lock')) return [];
    const holder = readHolder(path.join(dir, name));
    return holder ? [holder] : [];
  });
}
