import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { FileDigests } from '../store/digests.ts';
import { readTsconfig } from './tsconfig.ts';

/** What decided where the imports of a bundle lead, beside the text of its sources. */
export interface Resolution {
  /**
   * package.json and tsconfig.json files that were looked at, and what those extend: digest of their bytes, or null
   * where there is none.
   */
  readonly files: { readonly [file: string]: string | null };
  /** Places that are, or may become, links: where they lead, or null where nothing is. */
  readonly links: { readonly [place: string]: string | null };
}

/** An import as it is written. */
export interface Import {
  readonly importer: string;
  readonly specifier: string;
}

const settingsNames = ['package.json', 'tsconfig.json'];

/**
 * @param entry as it was asked for; may lead through links
 * @param sources absolute real paths
 * @param packages folders of the packages that are imported
 */
export function describeResolution(
  entry: string,
  sources: readonly string[],
  imports: readonly Import[],
  packages: readonly string[],
): Resolution {
  const files: { [file: string]: string | null } = {};
  const links: { [place: string]: string | null } = {};
  for (const dir of foldersAbove(sources)) for (const name of settingsNames) note(path.join(dir, name));
  for (const file of Object.keys(files))
    if (path.basename(file) === 'tsconfig.json') readTsconfig(file).files.forEach(note);
  for (const dir of packages) note(path.join(dir, 'package.json'));
  follow(entry);
  for (const { importer, specifier } of imports) {
    const dir = path.dirname(importer);
    if (specifier.startsWith('.')) follow(path.resolve(dir, specifier));
    else for (const place of packagePlaces(dir, specifier)) links[place] = realPath(place);
  }
  return { files, links };

  function note(file: string): void {
    files[file] ??= digestOrNull(file);
  }

  function follow(place: string): void {
    const real = realPath(place);
    if (real !== null && real !== place) links[place] = real;
  }
}

/** True if nothing that decided changed. `seen` remembers answers for bundles that are checked together. */
export async function isResolvedTheSame(
  { files, links }: Resolution,
  digests: FileDigests,
  seen: Map<string, string | null>,
): Promise<boolean> {
  for (const [file, digest] of Object.entries(files)) {
    let now = seen.get(file);
    if (now === undefined) {
      now = fs.existsSync(file) ? await digests.digest(file) : null;
      seen.set(file, now);
    }
    if (now !== digest) return false;
  }
  return Object.entries(links).every(([place, real]) => {
    let now = seen.get(`link ${place}`);
    if (now === undefined) {
      now = realPath(place);
      seen.set(`link ${place}`, now);
    }
    return now === real;
  });
}

/** Where Node looks for a package, from near to far, up to the place where it is. */
function* packagePlaces(from: string, specifier: string): Iterable<string> {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  for (let dir = from; ; dir = path.dirname(dir)) {
    const place = path.join(dir, 'node_modules', name);
    yield place;
    if (fs.existsSync(place) || path.dirname(dir) === dir) return;
  }
}

function foldersAbove(sources: readonly string[]): Set<string> {
  const folders = new Set<string>();
  for (const source of sources) {
    for (let dir = path.dirname(source); !folders.has(dir); dir = path.dirname(dir)) folders.add(dir);
  }
  return folders;
}

function realPath(place: string): string | null {
  try {
    return fs.realpathSync(place);
  } catch {
    return null;
  }
}

/** sha256 of a file's bytes; null where it can't be read. */
export function digestOrNull(file: string): string | null {
  try {
    return createHash('sha256').update(fs.readFileSync(file)).digest('hex');
  } catch {
    return null;
  }
}
