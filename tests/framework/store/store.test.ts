import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ContentKey, Fingerprint } from '../../../framework/plan/types.ts';
import { openStore } from '../../../framework/store/store.ts';
import type { Store, StoreWarning } from '../../../framework/store/types.ts';
import { createProject } from '../support/project.ts';

const key = 'a'.repeat(64) as ContentKey;
const fingerprint = { kind: 'tokenizer/fake' } as unknown as Fingerprint;
const files = { 'weights.bin': 'weights', 'metrics.json': '{}', 'images/a.png': 'picture' };

interface Bench {
  readonly store: Store;
  readonly warnings: StoreWarning[];
  readonly dir: string;
  /** A second opening, as another process would have it. */
  reopen(): Store;
}

function openBench(t: ExecutionContext): Bench {
  const dir = createProject(t, {}).file('.peco');
  const warnings: StoreWarning[] = [];
  const reopen = () => openStore(dir, { onWarning: (warning) => warnings.push(warning) });
  return { store: reopen(), warnings, dir, reopen };
}

async function commit(
  store: Store,
  written: { readonly [name: string]: string } = files,
  at: ContentKey = key,
) {
  const outDir = await store.newOutDir();
  for (const [name, text] of Object.entries(written)) {
    fs.mkdirSync(path.dirname(path.join(outDir, name)), { recursive: true });
    fs.writeFileSync(path.join(outDir, name), text);
  }
  return store.commit(at, { outDir, fingerprint, provenance: { engine: 'fake' } });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function objectOf(dir: string, text: string): string {
  return path.join(dir, 'objects/sha256', sha256(text).slice(0, 2), sha256(text).slice(2));
}

test('a committed result is found with its files, digests and provenance', async (t) => {
  const { store, reopen, warnings } = openBench(t);
  t.is(await store.lookup(key), undefined);
  await commit(store);
  const entry = (await reopen().lookup(key))!;
  t.deepEqual(
    entry.outputs.map(({ path: file, size, sha256: digest }) => [file, size, digest as string]),
    [
      ['images/a.png', 7, sha256('picture')],
      ['metrics.json', 2, sha256('{}')],
      ['weights.bin', 7, sha256('weights')],
    ],
  );
  t.is(fs.readFileSync(path.join(entry.dir, 'images/a.png'), 'utf8'), 'picture');
  t.deepEqual(entry.provenance, { engine: 'fake' });
  t.deepEqual(await reopen().fingerprint(key), fingerprint);
  t.deepEqual(warnings, []);
});

test('a commit leaves nothing but the entry, its objects and empty folders', async (t) => {
  const { store, dir } = openBench(t);
  await commit(store);
  t.deepEqual(fs.readdirSync(path.join(dir, 'tmp')), []);
  t.deepEqual(fs.readdirSync(path.join(dir, 'entries')), [key]);
});

test('the digest of a result is that of names and bytes, whatever the key and provenance', async (t) => {
  const { store } = openBench(t);
  const first = await commit(store);
  const second = await commit(store, files, 'b'.repeat(64) as ContentKey);
  const renamed = await commit(store, { ...files, 'weights.bin': 'other' }, 'c'.repeat(64) as ContentKey);
  t.is(first.digest, second.digest);
  t.not(first.digest, renamed.digest);
});

test('equal files of two entries are one file on the disk', async (t) => {
  const { store } = openBench(t);
  const first = await commit(store);
  const second = await commit(store, files, 'b'.repeat(64) as ContentKey);
  const inode = (dir: string) => fs.statSync(path.join(dir, 'weights.bin')).ino;
  t.is(inode(first.dir), inode(second.dir));
});

const damages: { readonly [title: string]: (dir: string, entry: string) => void } = {
  'a deleted output': (_dir, entry) => fs.rmSync(path.join(entry, 'outputs/weights.bin')),
  'a deleted object': (dir) => fs.rmSync(objectOf(dir, 'weights')),
  'a truncated object': (dir) => {
    fs.chmodSync(objectOf(dir, 'weights'), 0o644);
    fs.truncateSync(objectOf(dir, 'weights'), 3);
  },
  'a flipped bit': (dir) => {
    fs.chmodSync(objectOf(dir, 'weights'), 0o644);
    fs.writeFileSync(objectOf(dir, 'weights'), 'weightt');
  },
  'a deleted manifest': (_dir, entry) => fs.rmSync(path.join(entry, 'manifest.json')),
  'half a manifest': (_dir, entry) => fs.truncateSync(path.join(entry, 'manifest.json'), 100),
  'a manifest of another entry': (_dir, entry) => {
    const file = path.join(entry, 'manifest.json');
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll(key, 'b'.repeat(64)));
  },
  'a digest edited in the manifest': (_dir, entry) => {
    const file = path.join(entry, 'manifest.json');
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(sha256('weights'), sha256('other')));
  },
};

for (const [title, damage] of Object.entries(damages)) {
  test(`${title} is a miss with one warning, and the next commit mends it`, async (t) => {
    const { store, warnings, dir, reopen } = openBench(t);
    await commit(store);
    damage(dir, path.join(dir, 'entries', key));
    const fresh = reopen();
    t.is(await fresh.lookup(key), undefined);
    t.deepEqual(
      warnings.map((warning) => warning.code),
      ['damaged-entry'],
    );
    t.snapshot(warnings[0]!.message);
    const entry = await commit(fresh);
    t.is(fs.readFileSync(path.join(entry.dir, 'weights.bin'), 'utf8'), 'weights');
    t.truthy(await reopen().lookup(key));
  });
}

test('the loser of a race gets the entry of the winner', async (t) => {
  const { store, reopen, dir } = openBench(t);
  const other = reopen();
  const [a, b] = await Promise.all([
    commit(store),
    commit(other, { ...files, 'weights.bin': 'other weights' }),
  ]);
  t.is(a.digest, b.digest);
  t.deepEqual(fs.readdirSync(path.join(dir, 'tmp')), []);
});

test('an output that is a link is refused and nothing is published', async (t) => {
  const { store } = openBench(t);
  const outDir = await store.newOutDir();
  fs.symlinkSync('/etc/hostname', path.join(outDir, 'link'));
  const error = await t.throwsAsync(store.commit(key, { outDir, fingerprint, provenance: {} }));
  t.snapshot(error.message);
  t.is(await store.lookup(key), undefined);
});

test('a store that is a file says so instead of crashing', async (t) => {
  const project = createProject(t, { '.peco': 'not a folder' });
  const store = openStore(project.file('.peco'));
  t.is(await store.lookup(key), undefined);
  const error = await t.throwsAsync(store.newOutDir());
  t.is(error.message.replace(project.dir, ''), "can't write to the store /.peco: ENOTDIR");
});

test('scratch survives until it is cleared', async (t) => {
  const { store, reopen } = openBench(t);
  fs.writeFileSync(path.join(await store.scratchDir(key), 'checkpoint'), 'half way');
  t.is(fs.readFileSync(path.join(await reopen().scratchDir(key), 'checkpoint'), 'utf8'), 'half way');
  await store.clearScratch(key);
  t.deepEqual(fs.readdirSync(await store.scratchDir(key)), []);
});

test('all whole entries are listed', async (t) => {
  const { store, dir } = openBench(t);
  await commit(store);
  await commit(store, files, 'b'.repeat(64) as ContentKey);
  await commit(store, files, 'c'.repeat(64) as ContentKey);
  fs.rmSync(path.join(dir, 'entries', 'b'.repeat(64), 'manifest.json'));
  const found: string[] = [];
  for await (const entry of store.entries()) found.push(entry.key);
  t.deepEqual(found.sort(), [key, 'c'.repeat(64)]);
});
