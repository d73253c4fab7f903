import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Metafile } from 'esbuild';
import type { Seen } from './bundle-plugin.ts';
import { type Import, isRelative } from './lookup.ts';
import { realPath } from './package-root.ts';
import { isEntrance, isOwn } from './script.ts';

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

/**
 * All that a module imports, all the way down. Paths are absolute. Of what `peco-exp` and `peco-exp/kit` export, only
 * the files that the bundle has something of: one name that is taken from there isn't all of peco-exp.
 */
export interface Closure {
  /** In the order in which they are met, level by level: the same wherever the project lies. */
  readonly files: readonly string[];
  /** Files that those name by their own place, there or not; those that are there are also among `files`. */
  readonly own: readonly string[];
  readonly imports: readonly Import[];
  readonly aliases: readonly Alias[];
  readonly packages: readonly PackageImport[];
  /** Names that aren't files: Node's own modules, by the file that imports them. Not of what is only named. */
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
  const held = heldBy(entry, metafile);
  const absolute = (name: string) => fileIn(name, root, metafile);
  const files = new Map<string, 'whole' | 'part'>();
  const own = new Set<string>();
  const imports: Import[] = [];
  const others: { importer: string; name: string }[] = [];
  const globs = new Map<string, string>();
  follow(entry, true);
  // None is left out, whichever way esbuild came to it.
  for (const name of held) if (name in metafile.inputs) follow(name, true);
  for (const place of own) {
    const file = realPath(place);
    if (file === undefined || !seen.digests.has(file)) continue;
    const name = path.relative(root, file).split(path.sep).join('/');
    if (name in metafile.inputs) follow(name, false);
    else files.set(name, 'whole');
  }

  /** @param isLoaded false for what the bundle only names: another process or thread may load it */
  function follow(from: string, isLoaded: boolean): void {
    const todo = [from];
    for (const name of todo) {
      const importer = absolute(name);
      // Of what is only named the bundle has nothing, whatever it takes.
      const extent = isLoaded && isEntrance(importer) ? 'part' : 'whole';
      const before = files.get(name);
      if (before === 'whole' || before === extent) continue;
      files.set(name, extent);
      const found = new Map(seen.imports.get(importer));
      const named = seen.own.get(importer) ?? [];
      for (const place of named) own.add(place);
      for (const imported of metafile.inputs[name]?.imports ?? []) {
        const { original, external, path: to } = imported;
        if (original !== undefined && path.isAbsolute(original) && named.includes(original)) {
          found.delete(original);
        } else if (original !== undefined && !external && extent === 'part' && !held.has(to)) {
          found.delete(original);
        } else if (!external) {
          todo.push(to);
          if (original !== undefined) found.set(original, absolute(to));
        } else if (to.includes('*')) globs.set(importer, to);
        else if (isLoaded && !isFile(to)) others.push({ importer, name: to });
      }
      for (const [specifier, file] of found)
        imports.push({ importer, specifier, ...(file === undefined ? {} : { file }) });
    }
  }

  const aliases = imports.filter((one): one is Alias => one.file !== undefined && !saysWhere(one));
  return {
    files: [...new Set([...files.keys()].map(absolute))],
    own: [...own],
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

/** Inputs that the bundle of an entry has code of. */
function heldBy(entry: string, { outputs }: Metafile): ReadonlySet<string> {
  const output = Object.values(outputs).find(({ entryPoint }) => entryPoint === entry);
  if (!output) throw new Error(`esbuild made no bundle of ${entry}`);
  const inputs = Object.entries(output.inputs);
  return new Set(inputs.flatMap(([name, { bytesInOutput }]) => (bytesInOutput > 0 ? [name] : [])));
}

/** What an import says beside the file follows its name: `table.json with { type: 'json' }`, `part.ts?again`. */
function fileIn(name: string, root: string, { inputs }: Metafile): string {
  const plain = inputs[name]?.with === undefined ? name : name.replace(/ with \{ .*\}$/, '');
  const file = path.resolve(root, plain);
  return /[?#]/.test(plain) && !fs.existsSync(file) ? file.replace(/[?#][^/]*$/, '') : file;
}

function isFile(external: string): boolean {
  return external.startsWith('file:') || path.isAbsolute(external);
}

function saysWhere({ importer, specifier, file }: Import): boolean {
  if (isOwn(specifier)) return true;
  if (specifier.startsWith('file:')) return fileURLToPath(specifier) === file;
  return isRelative(specifier) && path.resolve(path.dirname(importer), specifier) === file;
}
