import fs from 'node:fs';
import path from 'node:path';
import { readJsonFile } from '../files/json-file.ts';

/** What is read of a package.json. */
export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly main?: string;
  readonly type?: string;
  readonly sideEffects?: boolean | readonly string[];
  readonly dependencies?: { readonly [name: string]: string };
  readonly optionalDependencies?: { readonly [name: string]: string };
  readonly peerDependencies?: { readonly [name: string]: string };
}

/** Undefined where there is none, or one that can't be read. */
export function readManifest(dir: string): Manifest | undefined {
  try {
    const parsed = readJsonFile(path.join(dir, 'package.json'));
    return typeof parsed === 'object' && parsed !== null ? (parsed as Manifest) : undefined;
  } catch {
    return undefined;
  }
}

/** The nearest folder at or above a file that holds a package.json with a name, and that name. */
export function packageOf(file: string): { readonly name: string; readonly dir: string } | undefined {
  for (let dir = path.dirname(file); ; dir = path.dirname(dir)) {
    // Packages mark folders as ESM or CommonJS by nameless package.json files.
    const name = readManifest(dir)?.name;
    if (typeof name === 'string') return { name, dir };
    if (path.dirname(dir) === dir) return undefined;
  }
}

/** The folder of the installed package that a file is in: the one below the innermost `node_modules`. */
export function installedRoot(file: string): string | undefined {
  const parts = file.split(path.sep);
  const last = parts.lastIndexOf('node_modules');
  if (last === -1) return undefined;
  const length = parts[last + 1]?.startsWith('@') ? 2 : 1;
  // A file directly in node_modules is a package of its own.
  return parts.slice(0, last + 1 + length).join(path.sep);
}

/** The name of a package in an import such as `@scope/name/part.js`. */
export function packageNameIn(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** True for a folder, and for what is in it. */
export function isWithin(file: string, dir: string): boolean {
  const relative = path.relative(dir, file);
  return !path.isAbsolute(relative) && relative.split(path.sep)[0] !== '..';
}

export function realPath(place: string): string | undefined {
  try {
    return fs.realpathSync(place);
  } catch {
    return undefined;
  }
}
