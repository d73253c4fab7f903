import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { OnResolveArgs, Plugin, PluginBuild } from 'esbuild';
import { withoutMark } from './json-file.ts';
import { installedRoot, isWithin, packageNameIn, packageOf, readManifest } from './package-root.ts';

export const ownName = 'peco-exp';
const resolvedMark = Symbol('resolved by this plugin');

/** What the plugin saw while bundling. */
export interface Seen {
  /** Project file -> sha256 of its bytes. */
  readonly digests: Map<string, string>;
  /** Project file -> what it imports, as it is written -> the file that a name leads to, if the plugin knows. */
  readonly imports: Map<string, Map<string, string | undefined>>;
  /** File of an installed package -> folder of the package. */
  readonly packages: Map<string, string>;
}

/** Keeps installed packages outside a bundle, and notes what goes into it. */
export function projectModules(seen: Seen): Plugin {
  return {
    name: 'project-modules',
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ importer, path: specifier, pluginData }) => {
        if (importer !== '' && pluginData !== resolvedMark) noteImport(seen, importer, specifier, undefined);
        return undefined;
      });
      build.onResolve({ filter: /^[^./]/ }, (args) => resolveBare(build, args, seen));
      build.onLoad({ filter: /.*/, namespace: 'file' }, async ({ path: file }) => {
        // Hashed here, so that the digest is that of the text that is bundled, whoever edits the file meanwhile.
        const bytes = await fs.promises.readFile(file);
        seen.digests.set(file, createHash('sha256').update(bytes).digest('hex'));
        if (!isScript(file)) return { contents: bytes, loader: 'default' };
        const text = withoutMark(bytes.toString('utf8'));
        return {
          contents: text.includes('import.meta') ? withOwnPlace(text, file) : text,
          loader: loaderOf(file),
        };
      });
    },
  };
}

export function isOwn(specifier: string): boolean {
  return specifier === ownName || specifier.startsWith(`${ownName}/`);
}

export function isScript(file: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(file);
}

/** How esbuild reads a script. */
export function loaderOf(file: string): 'ts' | 'tsx' | 'js' | 'jsx' {
  if (/\.[cm]?ts$/.test(file)) return 'ts';
  if (file.endsWith('.tsx')) return 'tsx';
  return file.endsWith('.jsx') ? 'jsx' : 'js';
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

async function resolveBare(build: PluginBuild, args: OnResolveArgs, seen: Seen) {
  const { kind, importer, resolveDir, path: specifier } = args;
  if (args.pluginData === resolvedMark || kind === 'entry-point' || path.isAbsolute(specifier))
    return undefined;
  if (isBuiltin(specifier)) return { path: specifier, external: true };
  const resolve = (from: string) =>
    build.resolve(specifier, { kind, importer, resolveDir: from, pluginData: resolvedMark });
  let found = await resolve(resolveDir);
  if (found.errors.length > 0 && isOwn(specifier)) {
    // An experiment outside any project, run by a peco-exp that is installed elsewhere.
    const own = packageOf(fileURLToPath(import.meta.url));
    if (own) found = await resolve(own.dir);
  }
  if (found.errors.length > 0) return { errors: found.errors };
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

/** Says to the module where it is: esbuild's `define` puts these names where `import.meta.url` and the like stood. */
function withOwnPlace(text: string, file: string): string {
  const url = JSON.stringify(pathToFileURL(file).href);
  const place = `const __pecoUrl = ${url}, __pecoFilename = ${JSON.stringify(file)}, __pecoDirname = ${JSON.stringify(path.dirname(file))};`;
  // On the first line, so that line numbers stay.
  return text.startsWith('#!') ? text.replace(/^#!.*/, () => place) : `${place}${text}`;
}
