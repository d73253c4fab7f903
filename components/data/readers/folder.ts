import path from 'node:path';
import { disk } from '../../../framework/stage/disk.ts';
import type { EncodedImage } from '../types.ts';

/** By the end of a file's name, in lower case. */
const FORMATS: ReadonlyMap<string, EncodedImage['format']> = new Map([
  ['.jpg', 'jpeg'],
  ['.jpeg', 'jpeg'],
  ['.png', 'png'],
  ['.webp', 'webp'],
]);

/** What file browsers and file systems leave behind, in lower case. */
const LITTER: ReadonlySet<string> = new Set(['thumbs.db', 'desktop.ini', '__macosx', '@eadir', 'lost+found']);

/** By its name. */
export function formatOf(file: string): EncodedImage['format'] | undefined {
  return FORMATS.get(path.extname(file).toLowerCase());
}

/** The endings of images' names, for messages. */
export function endings(): string {
  return [...FORMATS.keys()].join(', ');
}

/**
 * Names in a folder, sorted by code unit and without litter and those that begin with a dot, or why there are none.
 */
export function look(folder: string): string[] | string {
  try {
    return disk.list(folder).filter((name) => !name.startsWith('.') && !LITTER.has(name.toLowerCase()));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') return 'is no folder';
    // Its name was just read.
    return code === 'ENOENT' ? 'is a link to nothing' : whyUnread(cause);
  }
}

/** The most names in a message. */
const shown = 5;

/** `a, b, c and 7 more`; what is no letter or sign does nothing to a terminal. */
export function some(names: readonly string[]): string {
  const more = names.length - shown;
  const first = names
    .slice(0, shown)
    .join(', ')
    .replace(/\p{Cc}/gu, '?');
  return more > 0 ? `${first} and ${more.toLocaleString('en-US')} more` : first;
}

/** What the system said, in words. */
export function whyUnread(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') return `can't be read: permission denied (${code})`;
  return `can't be read (${code ?? (cause as Error).message})`;
}

/** Names of a folder that are shown. */
const shownNames = 6;

/** `found in /data: ILSVRC, other.tar`; undefined where no folder of it is there but those of a path that starts nowhere. */
export function describeNearest(root: string): string | undefined {
  // A variable that isn't set.
  if (root.startsWith('$')) return undefined;
  let place = path.dirname(path.resolve(root));
  while (!disk.exists(place) && place !== path.dirname(place)) place = path.dirname(place);
  return `found in ${place}: ${describeNames(place)}`;
}

function describeNames(folder: string): string {
  let names: readonly string[];
  try {
    names = disk.list(folder).filter((name) => !name.startsWith('.'));
  } catch (cause) {
    return `it can't be read (${(cause as NodeJS.ErrnoException).code})`;
  }
  if (names.length === 0) return 'nothing';
  const more = names.length - shownNames;
  return more > 0 ? `${names.slice(0, shownNames).join(', ')} and ${more} more` : names.join(', ');
}
