import fs from 'node:fs';
import path from 'node:path';
import { hashFile } from '../files/digests.ts';
import { isGone, listFiles, rename } from '../files/files.ts';
import { PecoError } from '../stage/errors.ts';
import type { ContentKey, Digest, Fingerprint } from '../stage/keys.ts';
import { digestOutputs, digestText, formatManifest, type Manifest, readManifest } from './manifest.ts';
import { discard, makeDir, newTemporary, type Place, pendingDir } from './place.ts';
import type { Commit, OutputFile } from './types.ts';

/** A finished output. `stat` is that of when it was hashed, in this process. */
export interface FinishedFile extends OutputFile {
  readonly stat?: fs.BigIntStats;
}

/** An entry that is still to be put together. */
export interface FinishedStage {
  /** Where the outputs lie now. */
  readonly outDir: string;
  readonly files: readonly FinishedFile[];
  readonly manifest: Manifest;
  /** Text of `fingerprint.json`. */
  readonly fingerprint: string;
}

/** Describes what a stage produced, before anything is done with it. Throws PecoError `store-write` for links. */
export async function describeFinished(key: ContentKey, commit: Commit): Promise<FinishedStage> {
  const files: FinishedFile[] = [];
  for (const name of await listFiles(commit.outDir)) {
    const file = path.join(commit.outDir, name);
    const stat = await fs.promises.lstat(file, { bigint: true });
    const sha256: Digest = await hashFile(file, Number(stat.size));
    files.push({ path: name, size: Number(stat.size), sha256, stat });
  }
  const outputs = files.map(({ path: name, size, sha256 }) => ({ path: name, size, sha256 }));
  const fingerprint = `${JSON.stringify(commit.fingerprint, null, 2)}\n`;
  const { provenance, outDir } = commit;
  const manifest: Manifest = {
    format: 2,
    key,
    digest: digestOutputs(outputs),
    outputs,
    provenance,
    fingerprint: digestText(fingerprint),
  };
  return { outDir, files, manifest, fingerprint };
}

/**
 * Moves finished outputs to `pending/<key>` before they are stored: should that fail, or the process die, the store takes
 * them from there when it is next asked for the key. The folder has the shape of an entry. Its manifest proves the
 * outputs, so a power cut can't pass off half of them; the rename of the outputs comes last.
 *
 * Never throws: what can't be kept in full is stored from where it lies. Returns where that is.
 */
export async function keepFinished(place: Place, finished: FinishedStage): Promise<string> {
  const dir = pendingDir(place, finished.manifest.key);
  try {
    await emptyPending(place, dir);
    await fs.promises.writeFile(path.join(dir, 'fingerprint.json'), finished.fingerprint);
    await fs.promises.writeFile(path.join(dir, 'manifest.json'), formatManifest(finished.manifest));
    await rename(finished.outDir, path.join(dir, 'outputs'));
    return path.join(dir, 'outputs');
  } catch {
    return finished.outDir;
  }
}

/** Moves outputs there without a proof, for people: nothing else will come of them. Returns where they lie. */
export async function keepForPeople(place: Place, key: ContentKey, outDir: string): Promise<string> {
  const dir = pendingDir(place, key);
  try {
    await emptyPending(place, dir);
    await fs.promises.rename(outDir, path.join(dir, 'outputs'));
    return path.join(dir, 'outputs');
  } catch {
    return renameInPlace(outDir, key);
  }
}

/** Where no folder can be made: under a name beside it that neither the run nor a collection deletes for a week. */
async function renameInPlace(outDir: string, key: ContentKey): Promise<string> {
  const aside = path.join(path.dirname(outDir), `finished-${key.slice(0, 12)}-${Date.now()}`);
  try {
    await fs.promises.rename(outDir, aside);
    return aside;
  } catch {
    return outDir;
  }
}

/** What lay there is of no use any more: these outputs are newer. */
async function emptyPending(place: Place, dir: string): Promise<void> {
  const trash = newTemporary(place, 'pending');
  try {
    await fs.promises.rename(dir, trash);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
  await makeDir(dir);
  await discard(trash);
}

/** Adds to an error where the outputs are. */
export function describePending(error: unknown, outDir: string): unknown {
  if (!(error instanceof PecoError)) return error;
  const { message, code, hint, cause } = error;
  const proven = fs.existsSync(path.join(path.dirname(outDir), 'manifest.json'));
  const where = `the finished outputs are in ${outDir}${proven ? '; the next run stores them' : ''}`;
  return new PecoError(message, { code, hint: hint === undefined ? where : `${hint}\n${where}`, cause });
}

/** Kept outputs with a proof of what they are; undefined if there are none. */
export function readPending(place: Place, key: ContentKey): FinishedStage | undefined {
  const dir = pendingDir(place, key);
  const read = readManifest(dir, key);
  const outDir = path.join(dir, 'outputs');
  if (read.state !== 'read' || !fs.existsSync(outDir)) return undefined;
  const { manifest } = read;
  try {
    const fingerprint = fs.readFileSync(path.join(dir, 'fingerprint.json'), 'utf8');
    if (digestText(fingerprint) !== manifest.fingerprint) return undefined;
    JSON.parse(fingerprint) as Fingerprint;
    return { outDir, files: manifest.outputs, manifest, fingerprint };
  } catch {
    return undefined;
  }
}

export async function forgetPending(place: Place, key: ContentKey): Promise<void> {
  await discard(pendingDir(place, key));
}
