import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { FileDigests } from '../files/digests.ts';
import { lstatAt } from '../stage/stat.ts';
import { type Import, placesOf } from './lookup.ts';
import { realPath } from './package-root.ts';
import { readTsconfig, type Tsconfig, tsconfigOf } from './tsconfig.ts';

/** What decided where the imports of a bundle lead, beside the text of its sources. All paths are absolute. */
export interface Resolution {
  /** package.json and tsconfig.json files that were looked at, and what those extend: digest of their bytes. */
  readonly files: { readonly [file: string]: string };
  /** Places that are links, or below one, and where they lead. */
  readonly links: { readonly [place: string]: string };
  /** What was looked for and was not there. If it comes, an import may lead to it. */
  readonly absent: readonly string[];
}

/**
 * @param entry as it was asked for; may lead through links
 * @param sources absolute real paths
 * @param packages folders of the packages that are imported
 * @param own files that sources name by their own place, there or not
 */
export function describeResolution(
  entry: string,
  sources: readonly string[],
  imports: readonly Import[],
  packages: readonly string[],
  own: readonly string[] = [],
): Resolution {
  const files: { [file: string]: string } = {};
  const links: { [place: string]: string } = {};
  const absent = new Set<string>();
  const seen = new Set<string>();
  const tsconfigs = new Map<string, Tsconfig>();
  const realFolder = remembered(realPath);
  const tsconfigIn = remembered((dir: string) => tsconfigOf(path.join(dir, 'any')));
  for (const dir of foldersAbove(sources)) {
    noteBytes(path.join(dir, 'package.json'));
    for (const file of openTsconfig(path.join(dir, 'tsconfig.json')).files) noteBytes(file);
  }
  for (const dir of packages) noteBytes(path.join(dir, 'package.json'));
  for (const place of [entry, ...own]) note(place);
  for (const one of onePerFolder(imports)) {
    const file = tsconfigIn(path.dirname(one.importer));
    const tsconfig = file === undefined ? { options: {}, files: [] } : openTsconfig(file);
    for (const place of placesOf(one, tsconfig)) {
      if (path.basename(place) === 'package.json') noteBytes(place);
      else note(place);
    }
  }
  return { files, links, absent: [...absent].sort() };

  function note(place: string): void {
    if (seen.has(place)) return;
    seen.add(place);
    const real = realOf(place);
    if (real === undefined) absent.add(place);
    else if (real !== place) links[place] = real;
  }

  /** As `realPath`, but thousands of places lie in a few folders. */
  function realOf(place: string): string | undefined {
    const folder = realFolder(path.dirname(place));
    const stat = folder === undefined ? undefined : lstatAt(place);
    if (stat === undefined) return undefined;
    return stat.isSymbolicLink() ? realPath(place) : path.join(folder!, path.basename(place));
  }

  function noteBytes(file: string): void {
    note(file);
    if (file in files || absent.has(file)) return;
    const digest = digestOrNull(file);
    if (digest !== null) files[file] = digest;
  }

  function openTsconfig(file: string): Tsconfig {
    const known = tsconfigs.get(file) ?? readTsconfig(file);
    tsconfigs.set(file, known);
    return known;
  }
}

/**
 * True if nothing that decided changed. `seen` remembers for bundles that are checked together which files have the
 * digest that they had, which links lead where they led, and what is still absent.
 */
export async function isResolvedTheSame(
  { files, links, absent }: Resolution,
  digests: FileDigests,
  seen: Set<string>,
): Promise<boolean> {
  for (const [file, digest] of Object.entries(files)) {
    const known = `${file} ${digest}`;
    if (seen.has(known)) continue;
    if (!fs.existsSync(file) || (await digests.digest(file)) !== digest) return false;
    seen.add(known);
  }
  for (const [place, real] of Object.entries(links)) {
    const known = `${place} > ${real}`;
    if (seen.has(known)) continue;
    if (realPath(place) !== real) return false;
    seen.add(known);
  }
  for (const place of absent) {
    if (seen.has(place)) continue;
    if (fs.existsSync(place)) return false;
    seen.add(place);
  }
  return true;
}

/** Imports of one name from one folder are looked for in the same places. */
function onePerFolder(imports: readonly Import[]): Import[] {
  const keyOf = ({ importer, specifier, file }: Import) =>
    [path.dirname(importer), specifier, file].join('\0');
  return [...new Map(imports.map((one) => [keyOf(one), one])).values()];
}

/** A function that is called once for each text. */
function remembered<T>(find: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    if (!known.has(text)) known.set(text, find(text));
    return known.get(text)!;
  };
}

function foldersAbove(sources: readonly string[]): Set<string> {
  const folders = new Set<string>();
  for (const source of sources) {
    for (let dir = path.dirname(source); !folders.has(dir); dir = path.dirname(dir)) folders.add(dir);
  }
  return folders;
}

/** sha256 of a file's bytes; null where it can't be read. */
export function digestOrNull(file: string): string | null {
  try {
    return createHash('sha256').update(fs.readFileSync(file)).digest('hex');
  } catch {
    return null;
  }
}
