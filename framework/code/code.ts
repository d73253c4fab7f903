import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeDisposable } from '../files/disposable.ts';
import { withoutMark } from '../files/json-file.ts';
import { canonicalJson } from '../stage/canonical.ts';
import { PecoError } from '../stage/errors.ts';
import type { JsonObject } from '../stage/json.ts';
import { bundlerVersion, openProjectCache, type ProjectCache, readCacheJson } from './cache.ts';
import { nameBundle, type PackageSettings, packageSettings } from './names.ts';
import { type OpenedPackages, packageVersions } from './packages.ts';
import { isScript, loaderOf } from './script.ts';
import { loadBundles, type StoredBundle } from './stored-bundles.ts';
import { readTsconfig, tsconfigOf } from './tsconfig.ts';

/** The code of an implementation module, ready to run and ready to be part of a key. */
export interface CodeBundle {
  /** Bundled module, absolute: `import(pathToFileURL(path).href)`. Its name changes with its content. */
  readonly path: string;
  /** Name of the module itself among `code`. */
  readonly entry: string;
  /** Project files of the closure, as `nameBundle` names them -> digest of their text without comments and white space. */
  readonly code: { readonly [file: string]: string };
  /** Imports whose text doesn't say which file they lead to -> that file: `#loss in parts/stage.ts`. */
  readonly aliases: { readonly [name: string]: string };
  /** package.json files -> those of their fields that change what code means. */
  readonly settings: { readonly [file: string]: JsonObject };
  /** Installed packages of the closure, and those that they depend on -> version. */
  readonly packages: { readonly [name: string]: string };
  /** The same of this moment: another version may have been installed since. */
  currentPackages(): { readonly [name: string]: string };
}

interface Batch {
  readonly urls: Set<string>;
  readonly result: Promise<Map<string, CodeBundle>>;
}

const known = new Map<string, Promise<CodeBundle>>();
const batches = new Map<string, Batch>();

/**
 * Bundles an implementation module given by its `file:` URL. Calls made in the same tick share one esbuild run, and
 * a process bundles a module once: edits during a run don't change the run.
 *
 * @throws PecoError `syntax-error` or `missing-module` with the place in the source
 */
export function bundleImplementation(url: string, options: { readonly root: string }): Promise<CodeBundle> {
  const key = `${options.root}\n${url}`;
  let bundle = known.get(key);
  if (!bundle) {
    bundle = joinBatch(url, options.root).then((bundles) => bundles.get(url)!);
    known.set(key, bundle);
    // An error is not remembered: the next plan of the same process sees the mended file.
    bundle.catch(() => known.delete(key));
  }
  return bundle;
}

/** Forgets what this process has bundled; the next plan looks at the files again. */
export function forgetBundles(): void {
  known.clear();
}

function joinBatch(url: string, root: string): Promise<Map<string, CodeBundle>> {
  let batch = batches.get(root);
  if (!batch) {
    const urls = new Set<string>();
    const result = new Promise<void>(setImmediate).then(() => {
      batches.delete(root);
      return bundleAll([...urls], root);
    });
    batch = { urls, result };
    batches.set(root, batch);
  }
  batch.urls.add(url);
  return batch.result;
}

async function bundleAll(urls: readonly string[], root: string): Promise<Map<string, CodeBundle>> {
  const cache = openProjectCache(root);
  const bundles = await loadBundles(
    urls.map((url) => fileURLToPath(url)),
    root,
  );
  const sources = new Map<string, string>();
  for (const bundle of bundles.values()) {
    for (const [file, digest] of Object.entries(bundle.sources)) sources.set(file, digest);
  }
  const meanings = await digestMeanings(sources, cache);
  const seen: Seen = { meanings, packages: new Map(), settings: new Map() };
  return new Map(urls.map((url) => [url, describeBundle(bundles.get(fileURLToPath(url))!, seen, root)]));
}

/** What bundles that are described at the same time have in common. */
interface Seen {
  /** File -> digest of what it means. */
  readonly meanings: ReadonlyMap<string, string>;
  readonly packages: OpenedPackages;
  readonly settings: PackageSettings;
}

function describeBundle(bundle: StoredBundle, seen: Seen, root: string): CodeBundle {
  const files = Object.keys(bundle.sources);
  const { nameFile, namePackage, packages } = nameBundle(bundle, root);
  return {
    path: bundle.path,
    entry: nameFile(files[0]!),
    code: sortedRecord(files.map((file) => [nameFile(file), seen.meanings.get(file)!])),
    aliases: sortedRecord(
      bundle.aliases.map(({ importer, specifier, file }) => [
        `${specifier} in ${nameFile(importer)}`,
        nameFile(file),
      ]),
    ),
    settings: sortedRecord(packageSettings(files, nameFile, seen.settings)),
    packages: packageVersions(packages, namePackage, seen.packages),
    currentPackages: () => packageVersions(packages, namePackage),
  };
}

/** Digests of what files mean, as one version of esbuild prints them. */
interface Meanings {
  readonly bundler: string;
  readonly digests: { readonly [text: string]: string };
}

/**
 * Digest of what a file means: its text as esbuild prints it without types, comments and white space, with the options
 * of its tsconfig.json as when it is bundled. Remembered by the digest of its bytes and those options.
 */
async function digestMeanings(
  sources: ReadonlyMap<string, string>,
  cache: ProjectCache,
): Promise<Map<string, string>> {
  const memoryFile = path.join(cache.dir, 'code-meanings.json');
  const bundler = bundlerVersion();
  const read = readCacheJson<Meanings>(memoryFile);
  const memory: { [text: string]: string } = read?.bundler === bundler ? { ...read.digests } : {};
  let changed = false;
  const optionsOf = new Map<string, string>();
  const compilerOptions = (file: string): string => {
    const tsconfig = /\.([cm]?ts|[jt]sx)$/.test(file) ? tsconfigOf(file) : undefined;
    if (tsconfig === undefined) return '{}';
    const known = optionsOf.get(tsconfig) ?? canonicalJson(readTsconfig(tsconfig).options as JsonObject);
    optionsOf.set(tsconfig, known);
    return known;
  };
  const digests = await Promise.all(
    [...sources].map(async ([file, bytes]) => {
      if (!isScript(file)) return [file, bytes] as const;
      const options = compilerOptions(file);
      const name = [bytes, path.extname(file), ...(options === '{}' ? [] : [options])].join(' ');
      let digest = memory[name];
      if (digest === undefined) {
        digest = createHash('sha256')
          .update(await stripFile(file, bytes, options))
          .digest('hex');
        memory[name] = digest;
        changed = true;
      }
      return [file, digest] as const;
    }),
  );
  if (changed)
    await writeDisposable(memoryFile, JSON.stringify({ bundler, digests: memory } satisfies Meanings));
  return new Map(digests);
}

/** @throws PecoError `changed-source` if the file isn't any more what was bundled */
async function stripFile(file: string, digest: string, compilerOptions: string): Promise<string> {
  const bytes = await fs.promises.readFile(file);
  if (createHash('sha256').update(bytes).digest('hex') !== digest) {
    throw new PecoError(`${file} changed while it was being read`, {
      code: 'changed-source',
      hint: 'run the command again',
    });
  }
  const esbuild = await import('esbuild');
  const loader = loaderOf(file);
  const result = await esbuild.transform(withoutMark(bytes.toString('utf8')), {
    loader: loader === 'js' ? 'jsx' : loader,
    sourcefile: file,
    target: 'node20',
    minifyWhitespace: true,
    legalComments: 'none',
    tsconfigRaw: `{ "compilerOptions": ${compilerOptions} }`,
  });
  return result.code;
}

/** @throws if two entries have one name: the digest of one would be lost */
function sortedRecord<T>(entries: readonly (readonly [name: string, value: T])[]): {
  readonly [name: string]: T;
} {
  const record = new Map<string, T>();
  for (const [name, value] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (record.has(name)) throw new Error(`two files or packages are called ${name}`);
    record.set(name, value);
  }
  return Object.fromEntries(record);
}
