import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { isGone } from '../files/files.ts';
import { readFresh } from '../files/fresh.ts';
import { digestJson } from '../stage/canonical.ts';
import type { JsonObject } from '../stage/json.ts';
import type { ContentKey, Digest } from '../stage/keys.ts';
import type { Entry, OutputFile } from './types.ts';

/** `manifest.json`: the only proof that a result is whole. */
export interface Manifest {
  /** 2 since the file checks itself; entries of format 1 are read as well. */
  readonly format: 1 | 2;
  readonly key: ContentKey;
  readonly digest: Digest;
  readonly outputs: readonly OutputFile[];
  readonly provenance: JsonObject;
  /** sha256 of the text of `fingerprint.json`. */
  readonly fingerprint?: Digest;
}

/** `unreadable`: it may be whole, but the file system doesn't hand it out now. */
export type ManifestState =
  | { readonly state: 'read'; readonly manifest: Manifest }
  | { readonly state: 'absent' }
  | { readonly state: 'damaged'; readonly why: string }
  | { readonly state: 'unreadable'; readonly why: string };

const checkStart = ',\n  "check": "';

export function digestOutputs(outputs: readonly OutputFile[]): Digest {
  return digestJson(outputs.map(({ path: file, size, sha256 }) => [file, size, sha256])) as Digest;
}

export function digestText(text: string): Digest {
  return createHash('sha256').update(text).digest('hex') as Digest;
}

/** The text of the file: its last member is the sha256 of all before it, so that any flipped bit is noticed. */
export function formatManifest(manifest: Manifest): string {
  const body = JSON.stringify(manifest, null, 2).slice(0, -2);
  return `${body}${checkStart}${digestText(body)}"\n}\n`;
}

/** Synchronous, since a plan reads hundreds of them. */
export function readManifest(entryDir: string, key: ContentKey): ManifestState {
  let text: string;
  try {
    text = readFresh(path.join(entryDir, 'manifest.json'));
  } catch (error) {
    return explainMissing(entryDir, error);
  }
  const manifest = parseManifest(text);
  return manifest?.key === key
    ? { state: 'read', manifest }
    : { state: 'damaged', why: 'manifest.json is missing or broken' };
}

function explainMissing(entryDir: string, error: unknown): ManifestState {
  const code = codeOf(error);
  try {
    if (isGone(error) || ['ENOTDIR', 'EISDIR', 'ELOOP'].includes(code)) {
      fs.lstatSync(entryDir);
      return { state: 'damaged', why: 'manifest.json is missing or broken' };
    }
  } catch (inner) {
    if (isGone(inner) || codeOf(inner) === 'ENOTDIR') return { state: 'absent' };
    return { state: 'unreadable', why: codeOf(inner) };
  }
  return { state: 'unreadable', why: code };
}

function parseManifest(text: string): Manifest | undefined {
  try {
    const manifest = JSON.parse(text) as Manifest;
    if (manifest.format === 1)
      return digestOutputs(manifest.outputs) === manifest.digest ? manifest : undefined;
    const end = text.lastIndexOf(checkStart);
    const body = text.slice(0, end);
    const rest = `${checkStart}${digestText(body)}"\n}\n`;
    return manifest.format === 2 && end >= 0 && text.slice(end) === rest ? manifest : undefined;
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? 'unreadable';
}

export function entryOf(manifest: Manifest, entryDir: string): Entry {
  const { key, digest, outputs, provenance } = manifest;
  return { key, digest, outputs, provenance, dir: path.join(entryDir, 'outputs') };
}
