import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FileDigests, openFileDigests } from '../files/digests.ts';
import { hasCode } from '../files/files.ts';
import { readManifest } from './package-root.ts';

/** Where a project keeps what can be made again: `node_modules/.cache/peco-exp/`. Safe to delete at any time. */
export interface ProjectCache {
  readonly dir: string;
  /** Digests of source files. */
  readonly digests: FileDigests;
}

const open = new Map<string, ProjectCache>();

/** The cache of the project that a folder is in. */
export function openProjectCache(folder: string): ProjectCache {
  const dir = findCacheDir(path.resolve(folder));
  let cache = open.get(dir);
  if (!cache) {
    cache = { dir, digests: openFileDigests(path.join(dir, 'digests.json')) };
    open.set(dir, cache);
  }
  return cache;
}

let version: string | undefined;

/** What makes things of code: those that another version made are made again, as they are without a cache. */
export function bundlerVersion(): string {
  version ??= versionAbove(path.dirname(fileURLToPath(import.meta.url)), 'esbuild');
  return version;
}

/** As Node finds the package. */
function versionAbove(from: string, name: string): string {
  for (let dir = from; ; dir = path.dirname(dir)) {
    const found = readManifest(path.join(dir, 'node_modules', name))?.version;
    if (found !== undefined || path.dirname(dir) === dir) return found ?? 'unknown';
  }
}

/** Undefined for a file that is missing or broken: it is made again. */
export function readCacheJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

function findCacheDir(folder: string): string {
  for (let dir = folder; path.dirname(dir) !== dir; dir = path.dirname(dir)) {
    const modules = path.join(dir, 'node_modules');
    const cache = path.join(modules, '.cache', 'peco-exp');
    if (isWritableDir(modules) && isOurs(cache)) return cache;
  }
  // No installed project, or a read-only one, or another user's cache in it: bundles name packages by absolute URL, so they work from anywhere.
  return path.join(
    os.tmpdir(),
    `peco-exp-${process.getuid?.() ?? os.userInfo().uid}`,
    folder.replaceAll(/[^A-Za-z0-9]+/g, '-'),
  );
}

/** Whether a folder can be made, or is there and can be written, as far as the folders above it say. */
function isOurs(cache: string): boolean {
  const above = path.dirname(cache);
  return [above, cache].every((dir) => !isThere(dir) || isWritableDir(dir));
}

/** Also of a folder in which this user may not look. */
function isThere(place: string): boolean {
  try {
    fs.lstatSync(place);
    return true;
  } catch (error) {
    return !hasCode(error, 'ENOENT');
  }
}

function isWritableDir(dir: string): boolean {
  try {
    fs.accessSync(dir, fs.constants.W_OK | fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
