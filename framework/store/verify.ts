import fs from 'node:fs';
import path from 'node:path';
import { isGone, linkOrCopy } from '../files/files.ts';
import type { ContentKey } from '../stage/keys.ts';
import { entryOf, type Manifest, readManifest } from './manifest.ts';
import { discard, entryDir, makeDir, newTemporary, objectFile, type Place } from './place.ts';
import type { Entry, OutputFile } from './types.ts';

/** What a look at an entry found. `unreadable`: it may be whole, so it is never thrown away. */
export type Verdict =
  | { readonly state: 'whole'; readonly entry: Entry; readonly mended: readonly string[] }
  | { readonly state: 'absent' }
  | { readonly state: 'damaged' | 'unreadable'; readonly why: string };

type FileState =
  | { readonly state: 'right' }
  | { readonly state: 'wrong' | 'unreadable'; readonly why: string };

/**
 * Looks whether an entry is whole: every output is there with its size and its digest. Bytes are read only of files
 * whose stat changed since they were last read; otherwise it takes one stat an output.
 *
 * An output that is wrong or gone is mended from the object of the same digest, if that is right: the object may have
 * been made again since, for another entry.
 */
export async function inspectEntry(place: Place, key: ContentKey): Promise<Verdict> {
  const dir = entryDir(place, key);
  const read = readManifest(dir, key);
  if (read.state !== 'read') return read;
  const mended: string[] = [];
  for (const output of read.manifest.outputs) {
    const file = path.join(dir, 'outputs', output.path);
    const found = inspectQuickly(place, file, output) ?? (await inspectFile(place, file, output));
    if (found.state === 'right') continue;
    if (found.state === 'unreadable') return { state: 'unreadable', why: found.why };
    if (!(await mend(place, file, output))) return { state: 'damaged', why: found.why };
    mended.push(output.path);
  }
  return { state: 'whole', entry: entryOf(read.manifest, dir), mended };
}

/** The manifest alone, without a look at the outputs. */
export function readEntryManifest(place: Place, key: ContentKey): Manifest | undefined {
  const read = readManifest(entryDir(place, key), key);
  return read.state === 'read' ? read.manifest : undefined;
}

/** Right by its stat, or unknown. */
function inspectQuickly(place: Place, file: string, output: OutputFile): FileState | undefined {
  const stat = statOrError(file);
  if (stat instanceof Error || !stat.isFile() || Number(stat.size) !== output.size) return undefined;
  return place.objects.known(file, stat) === output.sha256 ? { state: 'right' } : undefined;
}

/** Looks at the bytes, unless stat or size say enough. */
export async function inspectFile(place: Place, file: string, output: OutputFile): Promise<FileState> {
  const stat = statOrError(file);
  if (stat instanceof Error) {
    const { code } = stat as NodeJS.ErrnoException;
    if (isGone(stat) || code === 'ENOTDIR') return { state: 'wrong', why: `${output.path} is missing` };
    return { state: 'unreadable', why: `${output.path}: ${code}` };
  }
  if (!stat.isFile()) return { state: 'wrong', why: `${output.path} is not a plain file` };
  if (Number(stat.size) !== output.size) {
    return { state: 'wrong', why: `${output.path} has ${stat.size} bytes instead of ${output.size}` };
  }
  try {
    if (place.objects.known(file, stat) === output.sha256) return { state: 'right' };
    if ((await place.objects.rehash(file, stat)) === output.sha256) return { state: 'right' };
    return { state: 'wrong', why: `${output.path} has other bytes` };
  } catch (error) {
    return {
      state: 'unreadable',
      why: `${output.path}: ${(error as NodeJS.ErrnoException).code ?? 'unreadable'}`,
    };
  }
}

async function mend(place: Place, file: string, output: OutputFile): Promise<boolean> {
  const object = objectFile(place, output.sha256);
  const temporary = newTemporary(place, 'mend');
  try {
    if ((await inspectFile(place, object, output)).state !== 'right') return false;
    await makeDir(path.dirname(temporary));
    await makeDir(path.dirname(file));
    await linkOrCopy(object, temporary);
    // Two names of one inode can't be renamed over each other, and a folder can't be replaced by a file.
    if (fs.lstatSync(file, { throwIfNoEntry: false })?.isDirectory())
      fs.renameSync(file, newTemporary(place, 'damaged'));
    await fs.promises.rename(temporary, file);
    return (await inspectFile(place, file, output)).state === 'right';
  } catch {
    // A store that can't be written to: then it stays damaged.
    return false;
  } finally {
    await discard(temporary);
  }
}

function statOrError(file: string): fs.BigIntStats | Error {
  try {
    return fs.lstatSync(file, { bigint: true });
  } catch (error) {
    return error as Error;
  }
}
