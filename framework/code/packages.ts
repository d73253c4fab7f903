import fs from 'node:fs';
import path from 'node:path';
import { type Manifest, readManifest } from './package-root.ts';

/** A package in a folder (its real path), the name that it is imported by, and the package that imports it. */
export interface InstalledPackage {
  readonly dir: string;
  readonly name: string;
  readonly importer?: string;
}

/** Names packages: no two have the same name, and no name says where the project lies. */
export type NamePackage = (one: InstalledPackage) => string;

/**
 * A package is called as it is imported; if that name is taken, `name of importer`, or by a number. Packages that are
 * asked for in the same order get the same names.
 */
export function createPackageNames(): NamePackage {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  return ({ dir, name, importer }) => {
    const known = names.get(dir);
    if (known !== undefined) return known;
    const own = safeName(name);
    let free = taken.has(own) && importer !== undefined ? `${own} of ${importer}` : own;
    for (let number = 2; taken.has(free); number++) free = `${own}#${number}`;
    names.set(dir, free);
    taken.add(free);
    return free;
  };
}

/** Names that npm allows stay; of others nothing is left that could be taken for a part of a path. */
function safeName(name: string): string {
  return /^(@[\w.~-]+\/)?[\w.~-]+$/.test(name) ? name : encodeURIComponent(name);
}

/**
 * Versions of packages and of all that they depend on, as far as it is installed, by the names that `nameOf` gives.
 * `dep in other` says which `dep` a package gets that doesn't get the one of that name.
 */
export function packageVersions(
  roots: readonly InstalledPackage[],
  nameOf: NamePackage,
  opened: OpenedPackages = new Map(),
): { readonly [name: string]: string } {
  const versions = new Map<string, string>();
  const missing: (readonly [name: string, importer: string])[] = [];
  const ids = new Map<string, string>();
  for (const { parent, manifest, needs, ...one } of packagesBelow(roots, opened)) {
    const by = parent === undefined ? undefined : ids.get(parent);
    const id = nameOf(by === undefined ? one : { ...one, importer: by });
    ids.set(one.dir, id);
    if (by !== undefined && id !== safeName(one.name)) versions.set(`${safeName(one.name)} in ${by}`, id);
    const { name = one.name, version = 'unknown' } = manifest;
    versions.set(id, name === one.name ? version : `${name}@${version}`);
    for (const need of needs) if (need.dir === undefined) missing.push([safeName(need.name), id]);
  }
  for (const [name, importer] of missing)
    if (versions.has(name)) versions.set(`${name} in ${importer}`, 'not installed');
  return Object.fromEntries([...versions].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Names every file that decides about packages and what they depend on, also where there is none. */
export function lookAtPackages(roots: readonly string[], onLook: (file: string) => void): void {
  const all = roots.map((dir) => ({ dir, name: '' }));
  for (const _ of packagesBelow(all, new Map(), onLook));
}

interface PackageNode extends InstalledPackage {
  /** Folder of the package that leads there, if it isn't a root. */
  readonly parent?: string;
  readonly manifest: Manifest;
  /** What it depends on, by name; without folder where that isn't installed. */
  readonly needs: readonly { readonly name: string; readonly dir: string | undefined }[];
}

/** Packages that were looked at, by folder: for bundles that are described at the same time. */
export type OpenedPackages = Map<string, Pick<PackageNode, 'manifest' | 'needs'>>;

/** Every way to a package once, near ones first. */
function* packagesBelow(
  roots: readonly InstalledPackage[],
  opened: OpenedPackages,
  onLook: (file: string) => void = () => {},
): Iterable<PackageNode> {
  const entered = new Set<string>();
  const todo: (InstalledPackage & { readonly parent?: string })[] = [...roots];
  for (const one of todo) {
    const node = opened.get(one.dir) ?? openPackage(one.dir, onLook);
    opened.set(one.dir, node);
    yield { ...one, ...node };
    if (entered.has(one.dir)) continue;
    entered.add(one.dir);
    for (const { name, dir } of node.needs) if (dir !== undefined) todo.push({ dir, name, parent: one.dir });
  }
}

function openPackage(dir: string, onLook: (file: string) => void): Pick<PackageNode, 'manifest' | 'needs'> {
  onLook(path.join(dir, 'package.json'));
  const manifest = readManifest(dir) ?? { name: path.basename(dir) };
  const { dependencies, optionalDependencies, peerDependencies } = manifest;
  const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }).sort();
  return { manifest, needs: names.map((name) => ({ name, dir: findPackage(dir, name, onLook) })) };
}

/** As Node looks for it: in node_modules of the folder and of those above it. */
function findPackage(from: string, name: string, onLook: (file: string) => void): string | undefined {
  for (let dir = from; ; dir = path.dirname(dir)) {
    const place = path.join(dir, 'node_modules', name);
    onLook(path.join(place, 'package.json'));
    if (fs.existsSync(path.join(place, 'package.json'))) return fs.realpathSync(place);
    if (path.dirname(dir) === dir) return undefined;
  }
}
