import fs from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { statAt } from '../stage/stat.ts';
import { installedRoot, isWithin, packageNameIn, readManifest, realPath } from './package-root.ts';
import type { Tsconfig } from './tsconfig.ts';

/** An import as it is written, and where it leads. */
export interface Import {
  readonly importer: string;
  readonly specifier: string;
  /** Absolute real path; undefined if it leads to none, as one of Node's own modules. */
  readonly file?: string;
}

const endings = ['.tsx', '.ts', '.jsx', '.js', '.css', '.json'];
/** Endings that an import may have of the JavaScript that a compiler would make -> those of the sources. */
const sourcesOf: { readonly [ending: string]: readonly string[] } = {
  '.js': ['.ts', '.tsx'],
  '.jsx': ['.ts', '.tsx'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
};

/**
 * All places where an import may have been looked for before it was found, there or not; some of them also after.
 * Folders above that hold no `node_modules` are named by that. Tests compare it with what esbuild does.
 *
 * @param tsconfig that of the importer
 */
export function* placesOf({ importer, specifier, file }: Import, tsconfig: Tsconfig): Iterable<string> {
  const dir = path.dirname(importer);
  const plain = specifier.replace(/(?<=.)[?#].*$/s, '');
  if (plain !== specifier)
    yield* placesOf({ importer, specifier: plain, ...(file === undefined ? {} : { file }) }, tsconfig);
  if (isRelative(specifier)) {
    yield* candidates(path.resolve(dir, specifier));
    return;
  }
  if (isBuiltin(specifier)) return; // whatever is installed
  for (const target of mappedTo(specifier, tsconfig)) yield* candidates(target);
  if (!specifier.startsWith('#')) yield* packagePlaces(dir, specifier, file);
  // `exports` and `imports` name files that a compiler would make, and `main` leaves endings out.
  if (file !== undefined) yield* siblings(file);
}

export function isRelative(specifier: string): boolean {
  return /^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..';
}

/** What a path without its ending, or of a folder, may stand for. */
function* candidates(base: string, depth = 0): Iterable<string> {
  yield base;
  const stat = statAt(base);
  if (stat?.isFile()) return; // nothing comes before the file that has exactly this name
  for (const ending of endings) yield base + ending;
  const written = path.extname(base);
  for (const ending of sourcesOf[written] ?? []) yield base.slice(0, -written.length) + ending;
  if (!stat?.isDirectory() || depth > 1) return; // if the folder comes, that is noticed
  yield path.join(base, 'package.json');
  const { main } = readManifest(base) ?? {};
  if (typeof main === 'string') yield* candidates(path.resolve(base, main), depth + 1);
  for (const ending of endings) yield path.join(base, `index${ending}`);
}

/** Names that are another spelling of the one that was found. */
function* siblings(file: string): Iterable<string> {
  const stem = file.slice(0, file.length - path.extname(file).length);
  const compiled = Object.keys(sourcesOf).filter((ending) => sourcesOf[ending]!.includes(path.extname(file)));
  yield stem;
  for (const ending of [...endings, ...compiled]) yield stem + ending;
  if (path.basename(stem) === 'index') for (const ending of endings) yield path.dirname(stem) + ending;
}

/** Where `paths` and `baseUrl` of a tsconfig.json may lead a name. */
function* mappedTo(specifier: string, { paths, baseUrl }: Tsconfig): Iterable<string> {
  for (const [pattern, targets] of Object.entries(paths?.patterns ?? {})) {
    const [before = '', after] = pattern.split('*');
    const isMatch =
      after === undefined
        ? specifier === pattern
        : specifier.startsWith(before) &&
          specifier.endsWith(after) &&
          specifier.length >= before.length + after.length;
    if (!isMatch) continue;
    const star = after === undefined ? '' : specifier.slice(before.length, specifier.length - after.length);
    for (const target of targets)
      yield path.resolve(
        baseUrl ?? paths!.dir,
        target.replace('*', () => star),
      );
  }
  if (baseUrl !== undefined) yield path.resolve(baseUrl, specifier);
}

/** Where Node looks for a package, from near to far, up to the place where it is. */
function* packagePlaces(from: string, specifier: string, file: string | undefined): Iterable<string> {
  const name = packageNameIn(specifier);
  for (let dir = from; ; dir = path.dirname(dir)) {
    const modules = path.join(dir, 'node_modules');
    if (!fs.existsSync(modules)) yield modules;
    else {
      const place = path.join(modules, name);
      yield* candidates(place);
      if (specifier !== name) yield* candidates(path.join(modules, specifier));
      const real = realPath(place);
      const found = real !== undefined && file !== undefined;
      if (found && (isWithin(file, real) || installedRoot(file) === place)) return;
    }
    if (path.dirname(dir) === dir) return;
  }
}
