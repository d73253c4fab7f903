import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { writeDisposable } from '../files/disposable.ts';
import { type Bundle, bundleModules } from './bundle.ts';
import { bundlerVersion, openProjectCache, type ProjectCache, readCacheJson } from './cache.ts';
import { digestOrNull, isResolvedTheSame } from './resolution.ts';

/** A bundle that lies in the project's cache. */
export interface StoredBundle extends Omit<Bundle, 'text' | 'map'> {
  /** Absolute; its name changes with its content. The source map is `<path>.map`. */
  readonly path: string;
  /** sha256 of its bytes: a bundle that was damaged since is made again. */
  readonly digest: string;
}

interface Index {
  readonly format: number;
  readonly bundler: string;
  bundles: { [entry: string]: StoredBundle };
}

// Counts up when bundles are made in another way.
const format = 9;

const indexes = new Map<string, Index>();

/**
 * Bundles of modules, by the absolute path of the module. Only those are made whose sources changed since the last
 * time, in one call of esbuild; if none did, esbuild isn't even loaded.
 *
 * @throws PecoError as `bundleModules` does
 */
export async function loadBundles(
  entries: readonly string[],
  root: string,
): Promise<Map<string, StoredBundle>> {
  const cache = openProjectCache(root);
  const index = openIndex(cache);
  const seen = new Set<string>();
  const current = await Promise.all(
    entries.map(async (entry) => [entry, await findCurrent(index, entry, cache, seen)] as const),
  );
  const found = new Map(current.filter((pair): pair is [string, StoredBundle] => pair[1] !== undefined));
  const missing = [...new Set(entries.filter((entry) => !found.has(entry)))];
  if (missing.length > 0) {
    for (const [entry, bundle] of await bundleModules(missing, root)) {
      const stored = await storeBundle(bundle, cache);
      found.set(entry, stored);
      index.bundles[entry] = stored;
    }
    await writeIndex(index, cache);
  }
  await cache.digests.flush();
  return found;
}

async function findCurrent(
  index: Index,
  entry: string,
  cache: ProjectCache,
  seen: Set<string>,
): Promise<StoredBundle | undefined> {
  const stored = index.bundles[entry];
  if (stored === undefined) return undefined;
  try {
    if ((await cache.digests.digest(stored.path)) !== stored.digest) return undefined;
    for (const [file, digest] of Object.entries(stored.sources)) {
      if ((await cache.digests.digest(file)) !== digest) return undefined;
    }
    return (await isResolvedTheSame(stored.resolution, cache.digests, seen)) ? stored : undefined;
  } catch {
    return undefined; // a source is gone, or the bundle
  }
}

async function storeBundle(bundle: Bundle, cache: ProjectCache): Promise<StoredBundle> {
  const name = sha256(bundle.text).slice(0, 32);
  const target = path.join(cache.dir, 'modules', `${name}.mjs`);
  const text = `${bundle.text}//# sourceMappingURL=${name}.mjs.map\n`;
  const digest = sha256(text);
  // Another process may be about to import one that is there and whole.
  if (digestOrNull(target) !== digest || !fs.existsSync(`${target}.map`)) {
    await writeDisposable(`${target}.map`, bundle.map);
    await writeDisposable(target, text);
  }
  const { text: _text, map: _map, ...rest } = bundle;
  return { path: target, digest, ...rest };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function openIndex(cache: ProjectCache): Index {
  let index = indexes.get(cache.dir);
  if (!index) {
    const read = readIndex(path.join(cache.dir, 'modules.json'));
    index = read ?? { format, bundler: bundlerVersion(), bundles: {} };
    indexes.set(cache.dir, index);
  }
  return index;
}

/** Undefined if it was made in another way. */
function readIndex(file: string): Index | undefined {
  const read = readCacheJson<Index>(file);
  return read?.format === format && read.bundler === bundlerVersion() ? read : undefined;
}

async function writeIndex(index: Index, cache: ProjectCache): Promise<void> {
  const file = path.join(cache.dir, 'modules.json');
  const written = readIndex(file); // another process may have added its own
  if (written) index.bundles = { ...written.bundles, ...index.bundles };
  for (const entry of Object.keys(index.bundles)) {
    if (!fs.existsSync(entry)) delete index.bundles[entry];
  }
  await writeDisposable(file, JSON.stringify(index));
}
