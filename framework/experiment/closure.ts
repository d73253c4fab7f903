import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Metafile } from 'esbuild';
import { isOwn, type Seen } from './bundle-plugin.ts';
import { type Import, isRelative } from './lookup.ts';

/** An import whose text alone doesn't say which file it leads to. */
export interface Alias {
  /** Absolute, as `file`. */
  readonly importer: string;
  /** As it is written. */
  readonly specifier: string;
  readonly file: string;
}

/** An import of an installed package. */
export interface PackageImport extends Alias {
  /** Folder of the package. */
  readonly dir: string;
}

/** All that a module imports, all the way down. Paths are absolute. */
export interface Closure {
  /** In the order in which they are met, level by level: the same wherever the project lies. */
  readonly files: readonly string[];
  readonly imports: readonly Import[];
  readonly aliases: readonly Alias[];
  readonly packages: readonly PackageImport[];
  /** Names that aren't files: Node's own modules, by the file that imports them. */
  readonly others: readonly { readonly importer: string; readonly name: string }[];
  /** Imports of whatever matches a pattern, by the file that has them. */
  readonly globs: ReadonlyMap<string, string>;
}

/**
 * @param entry as esbuild names it, relative to `root`
 * @throws if the entry isn't there: then nothing would be known of what it imports
 */
export function closureOf(entry: string, root: string, metafile: Metafile, seen: Seen): Closure {
  if (!(entry in metafile.inputs)) throw new Error(`esbuild bundled ${entry} under another name`);
  const absolute = (file: string) => path.resolve(root, file);
  const files = new Set([entry]);
  const imports: Import[] = [];
  const others: { importer: string; name: string }[] = [];
  const globs = new Map<string, string>();
  for (const name of files) {
    const importer = absolute(name);
    const found = new Map(seen.imports.get(importer));
    for (const imported of metafile.inputs[name]?.imports ?? []) {
      if (!imported.external) {
        files.add(imported.path);
        if (imported.original !== undefined) found.set(imported.original, absolute(imported.path));
      } else if (imported.path.includes('*')) globs.set(importer, imported.path);
      else if (!isFile(imported.path)) others.push({ importer, name: imported.path });
    }
    for (const [specifier, file] of found)
      imports.push({ importer, specifier, ...(file === undefined ? {} : { file }) });
  }
  const aliases = imports.filter((one): one is Alias => one.file !== undefined && !saysWhere(one));
  return {
    files: [...files].map(absolute),
    imports,
    aliases,
    packages: aliases.flatMap((alias) => {
      const dir = seen.packages.get(alias.file);
      return dir === undefined ? [] : [{ ...alias, dir }];
    }),
    others,
    globs,
  };
}

function isFile(external: string): boolean {
  return external.startsWith('file:') || path.isAbsolute(external);
}

function saysWhere({ importer, specifier, file }: Import): boolean {
  if (isOwn(specifier)) return true;
  if (specifier.startsWith('file:')) return fileURLToPath(specifier) === file;
  return isRelative(specifier) && path.resolve(path.dirname(importer), specifier) === file;
}
