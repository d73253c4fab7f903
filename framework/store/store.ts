import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { ContentKey, Digest, Fingerprint } from '../plan/types.ts';
import { type FileDigests, hashFile, openFileDigests } from './digests.ts';
import { openDocuments } from './documents.ts';
import { explainWriteError, hasCode, linkOrCopy, listFiles, sizeOf, syncToDisk } from './files.ts';
import { digestFolder, folderMemoryFile } from './folders.ts';
import { takeLock } from './lock.ts';
import { digestOutputs, entryOf, type Manifest, readManifest } from './manifest.ts';
import type { Commit, Entry, OutputFile, Store, StoreWarning } from './types.ts';

export type { Entry, OutputFile, Store, StoreWarning } from './types.ts';

export interface StoreOptions {
  /** Damage that was found and got round; a message for people. */
  onWarning?(warning: StoreWarning): void;
}

/**
 * Opens the store in a folder; the folder is made at the first write.
 *
 * ```
 * objects/sha256/ab/cdef...        immutable bytes, one file per content
 * entries/<content key>/manifest.json, fingerprint.json, outputs/...
 * documents/<digest>.json          what digests in fingerprints were made of
 * scratch/<content key>/  locks/  tmp/  cache/
 * ```
 *
 * Files in `outputs` are hard links to objects: results are plain files with their own names, for stages and for other
 * tools, at no cost in space or time, and equal files of many entries are one. The price is that writing into one
 * would change the other; so they are read-only, and a file whose stat changed is hashed again before it is believed.
 */
export function openStore(dir: string, options: StoreOptions = {}): Store {
  const root = path.resolve(dir);
  const digests = openFileDigests(path.join(root, 'cache', 'digests.json'));
  const place: Place = { root, digests, warn: (warning) => options.onWarning?.(warning) };
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explainWriteError(error, root);
    }
  };
  return {
    dir: root,
    lookup: (key) => lookup(place, key),
    commit: (key, commit) => guarded(() => commitResult(place, key, commit)),
    async fingerprint(key) {
      try {
        return JSON.parse(
          await fs.promises.readFile(path.join(entryDir(place, key), 'fingerprint.json'), 'utf8'),
        ) as Fingerprint;
      } catch {
        return undefined;
      }
    },
    scratchDir: (key) => guarded(() => makeDir(path.join(root, 'scratch', key))),
    clearScratch: (key) => fs.promises.rm(path.join(root, 'scratch', key), { recursive: true, force: true }),
    newOutDir: () => guarded(() => makeDir(path.join(root, 'tmp', `out-${randomUUID()}`))),
    lock: (key, lockOptions = {}) =>
      guarded(() =>
        takeLock(path.join(root, 'locks', `${key}.lock`), {
          ...lockOptions,
          onStale: ({ pid, host }) =>
            place.warn({
              code: 'stale-lock',
              message: `took over the lock of process ${pid} on ${host}, which is gone`,
            }),
        }),
      ),
    entries: () => listEntries(place),
    keys() {
      const dir = path.join(root, 'entries');
      return fs.existsSync(dir) ? (fs.readdirSync(dir) as ContentKey[]) : [];
    },
    digestFile: (file) => digests.digest(file),
    async digestPath(target) {
      if (!fs.statSync(target).isDirectory()) return { digest: await digests.digest(target) };
      return await digestFolder(target, folderMemoryFile(path.join(root, 'cache'), target));
    },
    documents: openDocuments(path.join(root, 'documents')),
    flush: () => digests.flush(),
  };
}

interface Place {
  readonly root: string;
  readonly digests: FileDigests;
  warn(warning: StoreWarning): void;
}

function entryDir(place: Place, key: ContentKey): string {
  return path.join(place.root, 'entries', key);
}

function objectFile(place: Place, digest: Digest): string {
  return path.join(place.root, 'objects', 'sha256', digest.slice(0, 2), digest.slice(2));
}

async function makeDir(dir: string): Promise<string> {
  await fs.promises.mkdir(dir, { recursive: true });
  return dir;
}

async function lookup(place: Place, key: ContentKey): Promise<Entry | undefined> {
  const dir = entryDir(place, key);
  const manifest = await readManifest(dir, key);
  if (manifest === undefined) return undefined;
  const damage =
    manifest === 'damaged' ? 'manifest.json is missing or broken' : await findDamage(place, manifest);
  if (damage === undefined) return entryOf(manifest as Manifest, dir);
  const message = `the stored result ${key.slice(0, 12)} is damaged (${damage}): it counts as not there`;
  place.warn({ code: 'damaged-entry', message, key });
  return undefined;
}

async function findDamage(place: Place, manifest: Manifest): Promise<string | undefined> {
  const outputs = path.join(entryDir(place, manifest.key), 'outputs');
  const found = await Promise.all(
    manifest.outputs.map(async (output) => {
      const object = await findFileDamage(place, objectFile(place, output.sha256), output, false);
      return object ?? findFileDamage(place, path.join(outputs, output.path), output, true);
    }),
  );
  return found.find((damage) => damage !== undefined);
}

/** What is wrong with the bytes of one output, if anything. Hashing happens only if the stat changed. */
async function findFileDamage(
  place: Place,
  file: string,
  output: OutputFile,
  checkBytes: boolean,
): Promise<string | undefined> {
  const size = await sizeOf(file);
  if (size === undefined) return `${output.path} is missing`;
  if (size !== output.size) return `${output.path} has ${size} bytes instead of ${output.size}`;
  if (!checkBytes) return undefined;
  try {
    return (await place.digests.digest(file)) === output.sha256
      ? undefined
      : `${output.path} has other bytes`;
  } catch {
    return `${output.path} can't be read`;
  }
}

async function commitResult(place: Place, key: ContentKey, commit: Commit): Promise<Entry> {
  const staged = path.join(place.root, 'tmp', `entry-${randomUUID()}`);
  try {
    const outputs = await stageOutputs(place, commit.outDir, path.join(staged, 'outputs'));
    const manifest: Manifest = {
      format: 1,
      key,
      digest: digestOutputs(outputs),
      outputs,
      provenance: commit.provenance,
    };
    await writeDurably(path.join(staged, 'fingerprint.json'), commit.fingerprint);
    await writeDurably(path.join(staged, 'manifest.json'), manifest);
    await syncToDisk(staged);
    const entry = await publish(place, key, staged, manifest);
    await fs.promises.rm(commit.outDir, { recursive: true, force: true });
    return entry;
  } catch (error) {
    await fs.promises.rm(staged, { recursive: true, force: true }).catch(() => {});
    throw error;
  }
}

/** Puts every output among the objects and links it below `target`. */
async function stageOutputs(place: Place, outDir: string, target: string): Promise<OutputFile[]> {
  const outputs: OutputFile[] = [];
  await makeDir(target);
  for (const file of await listFiles(outDir)) {
    const source = path.join(outDir, file);
    const sha256 = await hashFile(source);
    const object = await storeObject(place, source, sha256);
    const size = (await fs.promises.stat(object)).size;
    await makeDir(path.dirname(path.join(target, file)));
    await linkOrCopy(object, path.join(target, file));
    outputs.push({ path: file, size, sha256 });
  }
  return outputs;
}

async function storeObject(place: Place, source: string, sha256: Digest): Promise<string> {
  const object = objectFile(place, sha256);
  const existing = await sizeOf(object);
  if (existing !== undefined) {
    if (existing === (await sizeOf(source)) && (await hashFile(object)) === sha256) return object;
    await fs.promises.rm(object, { force: true }); // damaged: now we have the right bytes
  }
  await makeDir(path.dirname(object));
  const temporary = path.join(place.root, 'tmp', `object-${randomUUID()}`);
  await linkOrCopy(source, temporary);
  await fs.promises.chmod(temporary, 0o444);
  await syncToDisk(temporary);
  await fs.promises.rename(temporary, object); // a racer's object has the same bytes: either may stay
  await syncToDisk(path.dirname(object));
  return object;
}

async function publish(place: Place, key: ContentKey, staged: string, manifest: Manifest): Promise<Entry> {
  const dir = entryDir(place, key);
  await makeDir(path.dirname(dir));
  for (;;) {
    try {
      await fs.promises.rename(staged, dir);
      break;
    } catch (error) {
      if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
      const winner = await lookup(place, key);
      if (winner) {
        await fs.promises.rm(staged, { recursive: true, force: true });
        return winner;
      }
      await setAside(place, dir);
    }
  }
  await syncToDisk(path.dirname(dir));
  for (const output of manifest.outputs)
    await place.digests.remember(path.join(dir, 'outputs', output.path), output.sha256);
  return entryOf(manifest, dir);
}

/** Takes a damaged entry out of the way; somebody else may have done so already. */
async function setAside(place: Place, dir: string): Promise<void> {
  const trash = path.join(place.root, 'tmp', `damaged-${randomUUID()}`);
  await fs.promises.rename(dir, trash).catch((error: unknown) => {
    if (!hasCode(error, 'ENOENT')) throw error;
  });
  await fs.promises.rm(trash, { recursive: true, force: true });
}

async function writeDurably(file: string, value: Manifest | Fingerprint): Promise<void> {
  await fs.promises.writeFile(file, `${JSON.stringify(value, null, 2)}\n`, { flag: 'wx' });
  await syncToDisk(file);
}

async function* listEntries(place: Place): AsyncIterable<Entry> {
  const names = await fs.promises.readdir(path.join(place.root, 'entries')).catch(() => []);
  for (const name of names) {
    const entry = await lookup(place, name as ContentKey);
    if (entry) yield entry;
  }
}
