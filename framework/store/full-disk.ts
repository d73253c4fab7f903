import fs from 'node:fs';
import path from 'node:path';
import { hasCode } from '../files/files.ts';
import { PecoError } from '../stage/errors.ts';
import { listInventory, listNames } from './inventory.ts';
import type { Place } from './place.ts';

/**
 * Does something small that makes room later on. Should the disk be too full even for that, the store's cache goes,
 * which can be made again, and it is tried once more.
 *
 * @throws PecoError `store-write` naming what may be deleted by hand, if there still is no room
 */
export async function withRoom<T>(place: Place, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isFull(error)) throw error;
  }
  await fs.promises.rm(path.join(place.root, 'cache'), { recursive: true, force: true }).catch(() => {});
  try {
    return await work();
  } catch (error) {
    if (!isFull(error)) throw error;
    throw new PecoError(`the disk of ${place.root} is too full even to begin with making room`, {
      code: 'store-write',
      hint: `delete something yourself, then try again; ${nameDeletable(place)}`,
      cause: error,
    });
  }
}

function isFull(error: unknown): boolean {
  return hasCode(error, 'ENOSPC', 'EDQUOT');
}

/** What costs least to lose. */
function nameDeletable(place: Place): string {
  const folders: readonly (readonly [name: string, loss: string])[] = [
    ['work', 'stages that were interrupted start again'],
    ['uncommitted', 'results whose inputs changed while they were made'],
    ['runs', 'logs of earlier runs'],
  ];
  for (const [name, loss] of folders) {
    const dir = path.join(place.root, name);
    if (listNames(dir).length > 0) return `${dir} may go (${loss})`;
  }
  const [oldest] = listInventory(place).sort((a, b) => a.lastUse - b.lastUse);
  if (oldest === undefined) return 'nothing in the store takes room';
  return `${path.join(place.root, 'entries', oldest.key)} may go (the result that was unused for longest)`;
}
