import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ContentKey } from '../../../framework/stage/keys.ts';
import { openStore } from '../../../framework/store/store.ts';
import type { Store, StoreWarning } from '../../../framework/store/types.ts';
import { createProject } from '../../support/project.ts';
import { commit, fingerprint, key, sha256 } from './support/bench.ts';

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

test('a committed result is found with its files, digests and provenance', async (t) => {
  const { store, reopen, warnings } = openBench(t);
  t.is(await store.lookup(key), undefined);
  await commit(store, files);
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
  await commit(store, files);
  t.deepEqual(fs.readdirSync(path.join(dir, 'tmp')), []);
  t.deepEqual(fs.readdirSync(path.join(dir, 'entries')), [key]);
});

test('the digest of a result is that of names and bytes, whatever the key and provenance', async (t) => {
  const { store } = openBench(t);
  const first = await commit(store, files);
  const second = await commit(store, files, 'b'.repeat(64) as ContentKey);
  const renamed = await commit(store, { ...files, 'weights.bin': 'other' }, 'c'.repeat(64) as ContentKey);
  t.is(first.digest, second.digest);
  t.not(first.digest, renamed.digest);
});

test('equal files of two entries are one file on the disk', async (t) => {
  const { store } = openBench(t);
  const first = await commit(store, files);
  const second = await commit(store, files, 'b'.repeat(64) as ContentKey);
  const inode = (dir: string) => fs.statSync(path.join(dir, 'weights.bin')).ino;
  t.is(inode(first.dir), inode(second.dir));
});

test('the loser of a race gets the entry of the winner', async (t) => {
  const { store, reopen, dir } = openBench(t);
  const other = reopen();
  const [a, b] = await Promise.all([
    commit(store, files),
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

test('a store that is a file says so instead of crashing', (t) => {
  const project = createProject(t, { '.peco': 'not a folder' });
  const error = t.throws(() => openStore(project.file('.peco')));
  t.is(error.message.replace(project.dir, ''), "/.peco can't be a store: a file is where a folder should be");
});

test('a work folder survives until it is cleared', async (t) => {
  const { store, reopen } = openBench(t);
  fs.writeFileSync(path.join(await store.workDir(key), 'checkpoint'), 'half way');
  t.is(fs.readFileSync(path.join(await reopen().workDir(key), 'checkpoint'), 'utf8'), 'half way');
  await store.clearWork(key);
  t.deepEqual(fs.readdirSync(await store.workDir(key)), []);
});

test('all whole entries are listed', async (t) => {
  const { store, dir } = openBench(t);
  await commit(store, files);
  await commit(store, files, 'b'.repeat(64) as ContentKey);
  await commit(store, files, 'c'.repeat(64) as ContentKey);
  fs.rmSync(path.join(dir, 'entries', 'b'.repeat(64), 'manifest.json'));
  const found: string[] = [];
  for await (const entry of store.entries()) found.push(entry.key);
  t.deepEqual(found.sort(), [key, 'c'.repeat(64)]);
});
