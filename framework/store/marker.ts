import fs from 'node:fs';
import path from 'node:path';
import { writeDisposable } from '../files/disposable.ts';
import { hasCode, isDeleted } from '../files/files.ts';
import { makeFolders } from '../files/make-folders.ts';
import { PecoError } from '../stage/errors.ts';
import { findForeign, hasOwnContent } from './form.ts';
import { shareWithGroup } from './shared.ts';

/** The file by which a folder is a store of peco-exp: nothing is written to, or removed from, a folder of other things. */
export const markerFile = 'peco-store.json';
/** Counts up when stores are laid out in another way. */
export const storeFormat = 1;
const markerText = `${JSON.stringify({ what: 'a store of peco-exp', format: storeFormat }, null, 2)}\n`;

/** The store of a project is nothing to commit. */
const defaultName = '.peco';
/** What may lie in a folder that counts as empty: it is of the file system, of git or of the desktop. */
const harmless = new Set(['.gitignore', '.gitkeep', '.DS_Store', 'lost+found']);

/**
 * `marked`: a store. `old`: one of before there were markers, in every name as peco-exp made it. `new`: not there, or empty.
 * `unknown`: the file system doesn't say.
 */
type StoreState = 'marked' | 'old' | 'new' | 'unknown';

/** Proof that a folder is a store, given before anything is written to it. */
export interface Marker {
  /**
   * Makes the folder, and marks it, if that wasn't done.
   *
   * @throws PecoError as `inspectStore`, or the file system's error
   */
  ensure(): Promise<void>;
}

/** @throws PecoError as `inspectStore` */
export function openMarker(root: string, from?: string): Marker {
  let state = inspectStore(root, from);
  let marking: Promise<void> | undefined;
  let shared = false;
  async function mark(): Promise<void> {
    state = inspectStore(root, from); // another process may have been quicker
    if (state === 'unknown') fs.readFileSync(path.join(root, markerFile)); // throws why
    if (state === 'marked') return;
    await makeFolders(root);
    shareWithGroup(root);
    const ignore = path.join(root, '.gitignore');
    if (path.basename(root) === defaultName && !fs.existsSync(ignore)) await writeDisposable(ignore, '*\n');
    await writeDisposable(path.join(root, markerFile), markerText);
    state = 'marked';
  }
  return {
    async ensure() {
      if (!shared) shareWithGroup(root);
      shared = true;
      if (state === 'marked') return;
      marking ??= mark().finally(() => {
        marking = undefined;
      });
      await marking;
    },
  };
}

/**
 * What a folder is that is to be a store. Changes nothing.
 *
 * @param from who named the folder: a flag, a variable, a file; for errors
 * @throws PecoError `not-a-store` for a folder of other things, or within another store; `newer-store`
 */
export function inspectStore(root: string, from?: string): StoreState {
  const shown = from === undefined || from === 'default' ? root : `${root} (${from})`;
  const marked = readMarker(root, shown);
  if (marked !== 'absent') return marked;
  let names: readonly string[];
  try {
    names = fs
      .readdirSync(root, { withFileTypes: true })
      .filter(({ name }) => !harmless.has(name) && !isDeleted(name))
      .filter((item) => !(item.isFile() && isMarkerName(item.name)))
      .map(({ name }) => name);
  } catch (error) {
    if (hasCode(error, 'ENOTDIR'))
      throw notAStore(`${shown} can't be a store: a file is where a folder should be`);
    if (!hasCode(error, 'ENOENT')) return 'unknown';
    names = [];
  }
  if (names.length === 0) {
    const above = findStoreAbove(root);
    if (above === undefined) return 'new';
    throw notAStore(`${shown} can't be a store: it lies within the store ${above}`);
  }
  const foreign = findForeign(root, names);
  const isOld = hasOwnContent(root);
  if (foreign.length === 0 && (isOld || path.basename(root) === defaultName)) return 'old';
  const what = foreign.length > 0 ? `it has ${nameSome(foreign)}` : `it has no ${markerFile} and no results`;
  throw notAStore(
    `${shown} is not a store of peco-exp: ${what}`,
    isOld
      ? 'a store of an older peco-exp becomes one when nothing else is in it: move that elsewhere; or'
      : undefined,
  );
}

function readMarker(root: string, shown: string): 'marked' | 'unknown' | 'absent' {
  let text: string;
  try {
    text = fs.readFileSync(path.join(root, markerFile), 'utf8');
  } catch (error) {
    return hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR') ? 'absent' : 'unknown';
  }
  const format = readFormat(text);
  // A torn or damaged marker proves nothing: then the folder has to look like a store.
  if (format === undefined) return 'absent';
  if (format <= storeFormat) return 'marked';
  throw new PecoError(
    `the store ${shown} has format ${format}, of a newer peco-exp; this one knows formats up to ${storeFormat}`,
    { code: 'newer-store', hint: 'update peco-exp, or choose another store with --store' },
  );
}

function readFormat(text: string): number | undefined {
  try {
    const { format } = JSON.parse(text) as { readonly format?: unknown };
    return typeof format === 'number' && Number.isInteger(format) && format > 0 ? format : undefined;
  } catch {
    return undefined;
  }
}

/** The marker, and what a process leaves that is killed while it writes it. */
function isMarkerName(name: string): boolean {
  return name === markerFile || name.startsWith(`${markerFile}.`) || /^\.gitignore\.\d+\.\d+$/.test(name);
}

/** The nearest folder above one that is marked as a store. */
export function findStoreAbove(dir: string): string | undefined {
  for (let above = path.dirname(dir); ; above = path.dirname(above)) {
    try {
      if (readFormat(fs.readFileSync(path.join(above, markerFile), 'utf8')) !== undefined) return above;
    } catch {
      // No marker there.
    }
    if (path.dirname(above) === above) return undefined;
  }
}

function notAStore(message: string, hint?: string): PecoError {
  const fix = 'choose a folder that is empty or not there yet with --store';
  return new PecoError(message, { code: 'not-a-store', hint: hint === undefined ? fix : `${hint} ${fix}` });
}

const mostNamed = 3;

function nameSome(names: readonly string[]): string {
  const rest = names.length - mostNamed;
  return names.slice(0, mostNamed).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
