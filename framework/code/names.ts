import fs from 'node:fs';
import path from 'node:path';
import type { JsonObject } from '../stage/json.ts';
import { installedRoot, isWithin, packageOf, readManifest, realPath } from './package-root.ts';
import { createPackageNames, type InstalledPackage, type NamePackage } from './packages.ts';
import type { StoredBundle } from './stored-bundles.ts';

/** Names for what a bundle is made of: each has one, no two share one, and none says where the project lies. */
export interface BundleNames {
  /** A project file by its path from the root; one of a package as `node_modules/<package>/<path>`. */
  nameFile(file: string): string;
  readonly namePackage: NamePackage;
  /** Installed packages that the bundle imports, in the order of the files that import them. */
  readonly packages: readonly InstalledPackage[];
}

type Named = Pick<StoredBundle, 'sources' | 'packages' | 'resolution'>;

export function nameBundle({ sources, packages, resolution }: Named, root: string): BundleNames {
  const realRoot = realPath(root) ?? root;
  const owners = new Owners(resolution, realRoot);
  const namePackage = createPackageNames();
  const names = new Map<string, string>();
  // In the order in which they are met, linked packages before installed ones.
  for (const file of Object.keys(sources)) nameFile(file);
  return { nameFile, namePackage, packages: installed() };

  function nameFile(file: string): string {
    const known = names.get(file) ?? makeName(file);
    names.set(file, known);
    return known;
  }

  function makeName(file: string): string {
    const relative = slashed(path.relative(realRoot, file));
    if (isWithin(file, realRoot) && !relative.split('/').includes('node_modules')) return relative;
    const owner = owners.of(file);
    // Without any package around it, a file is known by its way from the project.
    if (owner === undefined) return relative;
    return `node_modules/${namePackage(owner)}/${slashed(path.relative(owner.dir, file))}`;
  }

  function installed(): InstalledPackage[] {
    const found = packages.map(({ importer, dir }) => {
      const by = nameFile(importer);
      const owner = by.startsWith('node_modules/') ? owners.of(importer) : undefined;
      return {
        by,
        one: { dir, name: nameBelowModules(dir), ...(owner ? { importer: namePackage(owner) } : {}) },
      };
    });
    // The project's own come first, so that they have their plain names.
    const isTheirs = ({ by }: { readonly by: string }) => Number(by.startsWith('node_modules/'));
    return found
      .sort((a, b) => isTheirs(a) - isTheirs(b) || compare(a.by, b.by) || compare(a.one.name, b.one.name))
      .map(({ one }) => one);
  }
}

/** Which package a file belongs to: a linked one, an installed one, or the one around it. */
class Owners {
  readonly #realRoot: string;
  /** Folders of linked packages, inner ones first. */
  readonly #linked: readonly string[];
  /** Of the files in a folder; files that are packages themselves aside. */
  readonly #byFolder = new Map<string, InstalledPackage | undefined>();

  constructor({ links }: StoredBundle['resolution'], realRoot: string) {
    this.#realRoot = realRoot;
    // Only where packages are looked for: a link within the project is just another way to a file.
    this.#linked = Object.entries(links)
      .filter(([place]) => installedRoot(place) === place)
      .map(([, real]) => real)
      .sort((a, b) => b.length - a.length);
  }

  of(file: string): InstalledPackage | undefined {
    const folder = path.dirname(file);
    if (installedRoot(file) === file) return this.#find(file);
    if (!this.#byFolder.has(folder)) this.#byFolder.set(folder, this.#find(file));
    return this.#byFolder.get(folder);
  }

  #find(file: string): InstalledPackage | undefined {
    const link = this.#linked.find((dir) => isWithin(file, dir) && file !== dir);
    const below = installedRoot(file);
    const dir = link !== undefined && (below === undefined || below.length <= link.length) ? link : below;
    if (dir === undefined || (below === dir && isWithin(this.#realRoot, dir))) return packageOf(file);
    return { dir, name: readManifest(dir)?.name ?? path.basename(dir) };
  }
}

/** What it is called where it is installed, which may differ from what its package.json says. */
function nameBelowModules(dir: string): string {
  return slashed(dir.slice(dir.lastIndexOf(`${path.sep}node_modules${path.sep}`) + '/node_modules/'.length));
}

/** What package.json files say of the code around them, by folder: for bundles that are described at the same time. */
export type PackageSettings = Map<string, { readonly file: string; readonly told: JsonObject } | undefined>;

/** Of package.json, what changes the meaning of code that doesn't change: by the name of the file. */
export function packageSettings(
  files: readonly string[],
  nameFile: BundleNames['nameFile'],
  known: PackageSettings,
): (readonly [name: string, told: JsonObject])[] {
  const settings = new Map<string, JsonObject>();
  for (const dir of new Set(files.map((file) => path.dirname(file)))) {
    const found = settingsAt(dir, known);
    if (found && Object.keys(found.told).length > 0) settings.set(nameFile(found.file), found.told);
  }
  return [...settings];
}

/** Those of the nearest package.json at or above a folder. */
function settingsAt(dir: string, known: PackageSettings): ReturnType<PackageSettings['get']> {
  if (known.has(dir)) return known.get(dir);
  const file = path.join(dir, 'package.json');
  const above = path.dirname(dir);
  let found: ReturnType<PackageSettings['get']>;
  if (fs.existsSync(file)) {
    const { type, sideEffects } = readManifest(dir) ?? {};
    const told = {
      ...(type === 'module' || type === 'commonjs' ? { type } : {}),
      ...(sideEffects === undefined ? {} : { sideEffects: JSON.stringify(sideEffects) }),
    };
    found = { file, told };
  } else if (above !== dir) found = settingsAt(above, known);
  known.set(dir, found);
  return found;
}

function slashed(file: string): string {
  return file.split(path.sep).join('/');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
