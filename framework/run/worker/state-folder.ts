import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { hashFile } from '../../files/digests.ts';
import { listFiles, syncToDisk } from '../../files/files.ts';
import { digestJson } from '../../stage/canonical.ts';
import { type EngineSpan, parseEngines } from '../../stage/engines.ts';
import type { JsonObject } from '../../stage/json.ts';

/**
 * A training state on disk, whole or not there:
 *
 * ```
 * manifest.json     step, seconds, engines, and size and sha256 of every other file
 * metrics.jsonl     lines logged until then
 * data/...          what the stage wrote
 * ```
 */
export interface SavedState {
  readonly step: number;
  /** Steps of the whole training, where that was known. */
  readonly of?: number;
  /** Of work, in all attempts. */
  readonly seconds: number;
  /** Who computed its steps; absent where it was saved before states said that. */
  readonly engines?: readonly EngineSpan[];
  /** Text of `metrics.jsonl`. */
  readonly history: string;
  /** What the stage wrote. */
  readonly dir: string;
}

type Manifest = { readonly of?: number; readonly engines?: readonly EngineSpan[] } & ManifestFields;

interface ManifestFields extends JsonObject {
  readonly format: 1;
  readonly step: number;
  readonly seconds: number;
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256: string }[];
}

/** Writes aside, waits for the disk, renames. Throws the file system's error, or that of `write`. */
export async function writeState(
  target: string,
  { step, of, seconds, engines, history }: Omit<SavedState, 'dir'>,
  write: (dir: string) => void | Promise<void>,
): Promise<void> {
  const parent = path.dirname(target);
  const temporary = path.join(parent, `partial-${randomUUID()}`);
  const data = path.join(temporary, 'data');
  try {
    await fs.promises.mkdir(data, { recursive: true });
    await write(data);
    await fs.promises.writeFile(path.join(temporary, 'metrics.jsonl'), history);
    const files = await listStateFiles(temporary);
    for (const file of files) await syncToDisk(path.join(temporary, file.path));
    const known = { ...(of === undefined ? {} : { of }), ...(engines === undefined ? {} : { engines }) };
    const manifest: Manifest = { format: 1, step, ...known, seconds, files };
    const file = path.join(temporary, 'manifest.json');
    await fs.promises.writeFile(file, JSON.stringify({ manifest, sha256: digestJson(manifest) }));
    for (const each of [file, data, temporary]) await syncToDisk(each);
    await fs.promises.rm(target, { recursive: true, force: true });
    await fs.promises.rename(temporary, target);
    await syncToDisk(parent);
  } catch (error) {
    await fs.promises.rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw error;
  }
}

/** The state in a folder, or what is wrong with it. Never throws. */
export async function readState(folder: string): Promise<SavedState | string> {
  try {
    const { manifest, sha256 } = JSON.parse(
      await fs.promises.readFile(path.join(folder, 'manifest.json'), 'utf8'),
    ) as { manifest: Manifest; sha256: string };
    if (manifest.format !== 1 || digestJson(manifest) !== sha256) return 'its manifest is broken';
    const engines = parseEngines(manifest.engines);
    if (manifest.engines !== undefined && engines === undefined) return 'its list of engines is broken';
    for (const { path: file, size, sha256: digest } of manifest.files) {
      const place = path.join(folder, file);
      const stat = await fs.promises.stat(place).catch(() => undefined);
      if (stat === undefined) return `${file} is missing`;
      if (stat.size !== size) return `${file} has ${stat.size} bytes instead of ${size}`;
      if ((await hashFile(place)) !== digest) return `${file} has other bytes`;
    }
    const history = await fs.promises.readFile(path.join(folder, 'metrics.jsonl'), 'utf8');
    const { step, of, seconds } = manifest;
    const known = { ...(of === undefined ? {} : { of }), ...(engines === undefined ? {} : { engines }) };
    return { step, ...known, seconds, history, dir: path.join(folder, 'data') };
  } catch {
    return 'its manifest is missing or broken';
  }
}

async function listStateFiles(folder: string): Promise<Manifest['files']> {
  const files: Manifest['files'][number][] = [];
  for (const file of await listFiles(folder)) {
    const place = path.join(folder, file);
    files.push({ path: file, size: (await fs.promises.stat(place)).size, sha256: await hashFile(place) });
  }
  return files;
}
