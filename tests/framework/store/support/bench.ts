import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import type { ContentKey, Fingerprint } from '../../../../framework/stage/keys.ts';
import { openStore } from '../../../../framework/store/store.ts';
import type { Entry, Store, StoreWarning } from '../../../../framework/store/types.ts';

export const key = 'a'.repeat(64) as ContentKey;
export const otherKey = 'b'.repeat(64) as ContentKey;
export const fingerprint = { kind: 'tokenizer/fake', seed: 0 } as unknown as Fingerprint;

/** In memory where there is some for files: hundreds of commits wait for a disk otherwise. Not removed. */
export function makeFolder(): string {
  const memory = '/dev/shm';
  return fs.realpathSync(
    fs.mkdtempSync(path.join(fs.existsSync(memory) ? memory : os.tmpdir(), 'peco-store-')),
  );
}

/** A folder for a store, removed when the test ends. */
export function createStoreDir(t: ExecutionContext): string {
  const folder = makeFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, '.peco');
}

export type Files = { readonly [name: string]: string };

/** `shared.txt` is in the other entry as well. */
export const files: Files = {
  'weights.bin': 'weights',
  'shared.txt': 'the same in both',
  'images/a.png': 'picture',
};
export const otherFiles: Files = { 'other.bin': 'other weights', 'shared.txt': 'the same in both' };

export function sha256(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex');
}

export function objectOf(dir: string, text: string): string {
  return path.join(dir, 'objects/sha256', sha256(text).slice(0, 2), sha256(text).slice(2));
}

/** A store with an own list of warnings, as another process would open it. */
export function openFresh(dir: string): { readonly store: Store; readonly warnings: StoreWarning[] } {
  const warnings: StoreWarning[] = [];
  return { store: openStore(dir, { onWarning: (warning) => warnings.push(warning) }), warnings };
}

export function writeFiles(dir: string, written: Files): void {
  for (const [name, text] of Object.entries(written)) {
    fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    fs.writeFileSync(path.join(dir, name), text);
  }
}

export async function commit(store: Store, written: Files = files, at: ContentKey = key): Promise<Entry> {
  const outDir = await store.newOutDir();
  writeFiles(outDir, written);
  return store.commit(at, { outDir, fingerprint, provenance: { engine: 'fake' } });
}

/** Names and texts of all files below a folder; undefined if there is none. */
export function readTree(dir: string): Files | undefined {
  if (!fs.existsSync(dir)) return undefined;
  const names = fs.readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();
  const plain = names.filter((name) => fs.statSync(path.join(dir, name)).isFile());
  return Object.fromEntries(plain.map((name) => [name, fs.readFileSync(path.join(dir, name), 'utf8')]));
}

/** Throws unless an entry is missing or has exactly these files. Says which. */
export function checkEntry(entry: Entry | undefined, expected: Files): 'hit' | 'miss' {
  if (entry === undefined) return 'miss';
  const found = JSON.stringify(readTree(entry.dir));
  const sorted = Object.fromEntries(Object.entries(expected).sort(([a], [b]) => (a < b ? -1 : 1)));
  if (found !== JSON.stringify(sorted)) throw new Error(`wrong hit: ${found}`);
  const listed = entry.outputs.map(({ path: name, sha256: digest }) => `${name} ${digest}`);
  const right = Object.entries(sorted).map(([name, text]) => `${name} ${sha256(text)}`);
  if (listed.join() !== right.join()) throw new Error(`wrong list: ${listed.join()}`);
  return 'hit';
}
