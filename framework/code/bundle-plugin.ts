import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { OnResolveArgs, Plugin } from 'esbuild';
import { hashFile } from '../files/digests.ts';
import { withoutMark } from '../files/json-file.ts';
import { statAt } from '../stage/stat.ts';
import { findOwnFiles, mayNameFiles } from './own-files.ts';
import { installedRoot, isWithin, packageNameIn, packageOf, readManifest } from './package-root.ts';
import { createResolver } from './resolve-once.ts';
import { isLibrary, isOwn, isScript, loaderOf } from './script.ts';

const resolvedMark = Symbol('resolved by this plugin');

/** What the plugin saw while bundling. */
export interface Seen {
  /** Project file -> sha256 of its bytes. */
  readonly digests: Map<string, string>;
  /** Project file -> what it imports, as it is written -> the file that a name leads to, if the plugin knows. */
  readonly imports: Map<string, Map<string, string | undefined>>;
  /** File of an installed package -> folder of the package. */
  readonly packages: Map<string, string>;
  /** Project file -> files that it names by its own place, there or not. */
  readonly own: Map<string, readonly string[]>;
}

/** Keeps installed packages outside a bundle, and notes what goes into it. */
export function projectModules(seen: Seen, cwd: string): Plugin {
  return {
    name: 'project-modules',
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ importer, path: specifier, pluginData }) => {
        if (importer !== '' && pluginData !== resolvedMark) noteImport(seen, importer, specifier, undefined);
        return undefined;
      });
      const ask = createResolver(build);
      build.onResolve({ filter: /^[^./]/ }, (args) => resolveBare(ask, args, seen));
      build.onLoad({ filter: /.*/, namespace: 'file' }, async ({ path: file }) => {
        // Hashed here, so that the digest is that of the text that is bundled, even if the file is edited meanwhile.
        const bytes = await fs.promises.readFile(file);
        seen.digests.set(file, createHash('sha256').update(bytes).digest('hex'));
        if (!isScript(file)) return { contents: bytes, loader: 'default' };
        const text = withoutMark(bytes.toString('utf8'));
        const placed = /import\.meta|__(dir|file)name/.test(text) ? withOwnPlace(text, file) : text;
        return { contents: placed + (await followOwnFiles(file, text, seen, cwd)), loader: loaderOf(file) };
      });
    },
  };
}

function noteImport(
  { imports }: Pick<Seen, 'imports'>,
  importer: string,
  specifier: string,
  file: string | undefined,
): void {
  const known = imports.get(importer) ?? new Map<string, string | undefined>();
  imports.set(importer, known.set(specifier, file ?? known.get(specifier)));
}

async function resolveBare(ask: ReturnType<typeof createResolver>, args: OnResolveArgs, seen: Seen) {
  const { kind, importer, resolveDir, path: specifier } = args;
  if (args.pluginData === resolvedMark || kind === 'entry-point' || path.isAbsolute(specifier))
    return undefined;
  if (isBuiltin(specifier)) return { path: specifier, external: true };
  const resolve = (from: string) =>
    ask(specifier, { kind, importer, resolveDir: from, pluginData: resolvedMark });
  let found = await resolve(resolveDir);
  if (found.errors.length > 0 && isOwn(specifier)) {
    // An experiment outside any project, run by a peco-exp that is installed elsewhere.
    const own = packageOf(fileURLToPath(import.meta.url));
    if (own) found = await resolve(own.dir);
  }
  // esbuild reports it, or leaves to the run what stands in a `try` or has a `catch`.
  if (found.errors.length > 0) return undefined;
  noteImport(seen, importer, specifier, found.path);
  const root = isOwn(specifier) ? undefined : packageRoot(found.path, args);
  if (root === undefined) return { path: found.path };
  seen.packages.set(found.path, root);
  const isRequired = kind === 'require-call' || kind === 'require-resolve';
  return { path: isRequired ? found.path : pathToFileURL(found.path).href, external: true };
}

/**
 * The folder of the installed package that an import leads to. Undefined for files that count by their text: those of
 * the importer's own package, of linked packages, and of packages that have no version to be known by.
 */
function packageRoot(
  file: string,
  { importer, path: specifier, resolveDir }: OnResolveArgs,
): string | undefined {
  const root = installedRoot(file);
  if (root === undefined || root === installedRoot(importer)) return undefined;
  if (typeof readManifest(root)?.version !== 'string') return undefined;
  // Where projects lie below a folder called `node_modules`, one that links to its neighbour finds it there.
  const modules = root.slice(
    0,
    root.lastIndexOf(`${path.sep}node_modules${path.sep}`) + '/node_modules'.length,
  );
  return isWithin(importer, modules) && isLinked(packageNameIn(specifier), resolveDir) ? undefined : root;
}

/** True if the nearest package of this name is a link. */
function isLinked(name: string, from: string): boolean {
  for (let dir = from; ; dir = path.dirname(dir)) {
    const stat = fs.lstatSync(path.join(dir, 'node_modules', name), { throwIfNoEntry: false });
    if (stat !== undefined) return stat.isSymbolicLink();
    if (path.dirname(dir) === dir) return false;
  }
}

/**
 * Notes the files that code names by its own place. Returns code that does nothing, but has esbuild look at scripts
 * among them and at what these import.
 */
async function followOwnFiles(file: string, text: string, seen: Seen, cwd: string): Promise<string> {
  if (!mayNameFiles(text) || isLibrary(file)) return '';
  const own = await findOwnFiles(file, text, cwd);
  if (own.length === 0) return '';
  seen.own.set(file, own);
  const there = own.filter((place) => statAt(place)?.isFile());
  for (const place of there)
    if (!isScript(place)) seen.digests.set(fs.realpathSync(place), await hashFile(place));
  const imports = there.filter(isScript).map((place) => `import(${JSON.stringify(place)})`);
  return imports.length === 0 ? '' : `\n;function __pecoOwnFiles() { return [${imports.join()}] }`;
}

/** Says to the module where it is: esbuild's `define` puts these names where `import.meta.url` and the like stood. */
function withOwnPlace(text: string, file: string): string {
  const url = JSON.stringify(pathToFileURL(file).href);
  const place = `const __pecoUrl = ${url}, __pecoFilename = ${JSON.stringify(file)}, __pecoDirname = ${JSON.stringify(path.dirname(file))}, __pecoMeta = { url: __pecoUrl, filename: __pecoFilename, dirname: __pecoDirname };`;
  // On the first line, so that line numbers stay.
  return text.startsWith('#!') ? text.replace(/^#!.*/, () => place) : `${place}${text}`;
}
