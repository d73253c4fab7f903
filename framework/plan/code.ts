import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageOf } from '../experiment/bundle.ts';
import { openProjectCache, type ProjectCache, readCacheJson } from '../experiment/cache.ts';
import { loadBundles, type StoredBundle } from '../experiment/modules.ts';
import { readTsconfig, tsconfigOf } from '../experiment/tsconfig.ts';
import { canonicalJson } from '../stage/canonical.ts';
import { PecoError } from '../stage/errors.ts';
import type { JsonObject } from '../stage/json.ts';
import { writeDisposable } from '../store/disposable.ts';
import { packageVersions } from './packages.ts';

/** The code of an implementation module, ready to run and ready to be part of a key. */
export interface CodeBundle {
  /** Bundled module, absolute: `import(pathToFileURL(path).href)`. Its name changes with its content. */
  readonly path: string;
  /** Project files of the closure, relative to the root -> digest of their text without comments and white space. */
  readonly code: { readonly [file: string]: string };
  /** Imports by another name than a path -> project files that they lead to: `#loss in parts/stage.ts`. */
  readonly aliases: { readonly [name: string]: string };
  /** Third-party packages of the closure, and those that they depend on -> version, or versions. */
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
  return new Map(urls.map((url) => [url, describeBundle(bundles.get(fileURLToPath(url))!, meanings, root)]));
}

function describeBundle(
  bundle: StoredBundle,
  meanings: ReadonlyMap<string, string>,
  root: string,
): CodeBundle {
  const code = Object.keys(bundle.sources).map(
    (file) => [nameFile(file, root), meanings.get(file)!] as const,
  );
  const currentPackages = () => packageVersions(Object.values(bundle.packages));
  const aliases = bundle.aliases.map(
    ({ importer, specifier, file }) =>
      [`${specifier} in ${nameFile(importer, root)}`, nameFile(file, root)] as const,
  );
  return {
    path: bundle.path,
    code: sortedRecord(code),
    aliases: sortedRecord(aliases),
    packages: currentPackages(),
    currentPackages,
  };
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
  const memory = readCacheJson<{ [file: string]: string }>(memoryFile) ?? {};
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
  if (changed) await writeDisposable(memoryFile, JSON.stringify(memory));
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
  const text = bytes.toString('utf8');
  if (!/\.[cm]?[jt]sx?$/.test(file)) return text;
  const esbuild = await import('esbuild');
  const loader = /\.[cm]?ts$/.test(file) ? 'ts' : file.endsWith('.tsx') ? 'tsx' : 'jsx';
  const result = await esbuild.transform(text, {
    loader,
    sourcefile: file,
    target: 'node20',
    minifyWhitespace: true,
    legalComments: 'none',
    tsconfigRaw: `{ "compilerOptions": ${compilerOptions} }`,
  });
  return result.code;
}

/** Relative to the root; files of another package by its name, so that where it is installed doesn't matter. */
function nameFile(file: string, root: string): string {
  const relative = path.relative(root, file).split(path.sep).join('/');
  if (!relative.startsWith('..') && !relative.split('/').includes('node_modules')) return relative;
  const owner = packageOf(file);
  return owner ? `${owner.name}/${path.relative(owner.dir, file).split(path.sep).join('/')}` : relative;
}

function sortedRecord(entries: readonly (readonly [string, string])[]): { readonly [name: string]: string } {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}
