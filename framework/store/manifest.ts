import fs from 'node:fs';
import path from 'node:path';
import type { ContentKey, Digest } from '../plan/types.ts';
import { digestJson } from '../stage/canonical.ts';
import type { JsonObject } from '../stage/json.ts';
import type { Entry, OutputFile } from './types.ts';

/** `manifest.json`: the only proof that a result is whole. */
export interface Manifest {
  readonly format: 1;
  readonly key: ContentKey;
  readonly digest: Digest;
  readonly outputs: readonly OutputFile[];
  readonly provenance: JsonObject;
}

export function digestOutputs(outputs: readonly OutputFile[]): Digest {
  return digestJson(outputs.map(({ path: file, size, sha256 }) => [file, size, sha256])) as Digest;
}

/** Undefined if there is none; `damaged` if it can't be read or contradicts itself. */
export async function readManifest(
  entryDir: string,
  key: ContentKey,
): Promise<Manifest | 'damaged' | undefined> {
  let text: string;
  try {
    text = await fs.promises.readFile(path.join(entryDir, 'manifest.json'), 'utf8');
  } catch {
    return fs.existsSync(entryDir) ? 'damaged' : undefined;
  }
  try {
    const manifest = JSON.parse(text) as Manifest;
    const isWhole =
      manifest.format === 1 && manifest.key === key && digestOutputs(manifest.outputs) === manifest.digest;
    return isWhole ? manifest : 'damaged';
  } catch {
    return 'damaged';
  }
}

export function entryOf(manifest: Manifest, entryDir: string): Entry {
  const { key, digest, outputs, provenance } = manifest;
  return { key, digest, outputs, provenance, dir: path.join(entryDir, 'outputs') };
}
