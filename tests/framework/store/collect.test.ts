import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ContentKey } from '../../../framework/stage/keys.ts';
import {
  commit,
  createStoreDir,
  files,
  key,
  objectOf,
  openFresh,
  otherFiles,
  otherKey,
  readTree,
} from './support/bench.ts';

const day = 24 * 3600 * 1000;

/** A store with both entries: 34 bytes of the first, 29 of the other, 16 of them in both. */
async function openBoth(t: ExecutionContext) {
  const dir = createStoreDir(t);
  const { store } = openFresh(dir);
  await commit(store, otherFiles, otherKey);
  await commit(store);
  return { dir, store: openFresh(dir).store };
}

/** As if the last use of an entry were `age` milliseconds ago. */
function useBefore(dir: string, at: ContentKey, age: number): void {
  const time = new Date(Date.now() - age);
  fs.utimesSync(path.join(dir, 'entries', at, 'manifest.json'), time, time);
}

function entries(dir: string): string[] {
  return fs.readdirSync(path.join(dir, 'entries')).sort();
}

test('what is not to be kept goes, with the objects that only it has', async (t) => {
  const { dir, store } = await openBoth(t);
  const told = await store.collect({ keep: [otherKey] });
  t.deepEqual(entries(dir), [otherKey]);
  t.deepEqual(
    told.removed.map(({ key: removed }) => removed),
    [key],
  );
  t.is(told.removed[0]!.kind, 'tokenizer/fake');
  t.is(told.removed[0]!.size, 7 + 16 + 7);
  t.is(told.objects, 2);
  t.false(fs.existsSync(objectOf(dir, 'weights')));
  t.true(fs.existsSync(objectOf(dir, files['shared.txt']!)));
  t.deepEqual(readTree((await store.lookup(otherKey))!.dir), otherFiles);
});

test('a dry run tells the same and removes nothing; bytes shared with kept entries do not count', async (t) => {
  const { dir, store } = await openBoth(t);
  const before = readTree(dir);
  const told = await store.collect({ keep: [otherKey], dryRun: true });
  t.deepEqual(readTree(dir), before);
  const own = ['manifest.json', 'fingerprint.json'].map(
    (name) => fs.statSync(path.join(dir, 'entries', key, name)).size,
  );
  t.is(told.freed, own[0]! + own[1]! + 7 + 7);
  t.deepEqual(await store.collect({ keep: [otherKey] }), told);
});

test('by age: the time of the last use counts, which a lookup notes once a day', async (t) => {
  const { dir, store } = await openBoth(t);
  useBefore(dir, key, 40 * day);
  useBefore(dir, otherKey, 40 * day);
  await openFresh(dir).store.lookup(otherKey);
  const told = await store.collect({ olderThan: 30 * day });
  t.deepEqual(
    told.removed.map(({ key: removed }) => removed),
    [key],
  );
  t.deepEqual(entries(dir), [otherKey]);
  const noted = fs.statSync(path.join(dir, 'entries', otherKey, 'manifest.json')).mtimeMs;
  await openFresh(dir).store.lookup(otherKey);
  t.is(fs.statSync(path.join(dir, 'entries', otherKey, 'manifest.json')).mtimeMs, noted);
});

test('by size: the longest unused goes first, shared bytes count once, and what is kept stays', async (t) => {
  const { dir, store } = await openBoth(t);
  useBefore(dir, otherKey, 3 * day);
  t.deepEqual((await store.collect({ maxSize: 7 + 7 + 16 + 13 })).removed, []);
  t.deepEqual((await store.collect({ maxSize: 42, keep: [key, otherKey] })).removed, []);
  const told = await store.collect({ maxSize: 42 });
  t.deepEqual(
    told.removed.map(({ key: removed }) => removed),
    [otherKey],
  );
  t.deepEqual(told.kept, { entries: 1, bytes: 30 });
});

test('an object without an entry stays for an hour: it may be of a commit that is on its way', async (t) => {
  const { dir, store } = await openBoth(t);
  fs.rmSync(path.join(dir, 'entries', key), { recursive: true });
  t.is((await store.collect({ keep: [otherKey] })).objects, 0);
  t.true(fs.existsSync(objectOf(dir, 'weights')));
});

test('documents stay as long as a kept fingerprint reaches them', async (t) => {
  const dir = createStoreDir(t);
  const { store } = openFresh(dir);
  const name = (digit: string) => digit.repeat(64);
  fs.mkdirSync(path.join(dir, 'documents'), { recursive: true });
  fs.writeFileSync(path.join(dir, 'documents', `${name('1')}.json`), JSON.stringify({ next: name('2') }));
  for (const digit of ['2', '3', '4'])
    fs.writeFileSync(path.join(dir, 'documents', `${name(digit)}.json`), '{}');
  for (const [at, digit] of [
    [key, '1'],
    [otherKey, '3'],
  ] as const) {
    const outDir = await store.newOutDir();
    fs.writeFileSync(path.join(outDir, 'a'), digit);
    await store.commit(at, {
      outDir,
      fingerprint: { kind: 'x', code: name(digit) } as never,
      provenance: {},
    });
  }
  t.is((await store.collect({ keep: [key] })).documents, 1);
  // The last one is not of an entry that went: it may be of one that comes.
  t.deepEqual(
    fs.readdirSync(path.join(dir, 'documents')).sort(),
    ['1', '2', '4'].map((digit) => `${name(digit)}.json`),
  );
});

test('work folders go after a week without a touch, or all at once; those of kept stages stay', async (t) => {
  const { dir, store } = await openBoth(t);
  const input = (letter: string) => letter.repeat(64) as ContentKey;
  for (const letter of ['c', 'd', 'e']) {
    const work = await store.workDir(input(letter));
    fs.writeFileSync(path.join(work, 'checkpoint'), 'half');
    const old = new Date(Date.now() - (letter === 'e' ? 0 : 8 * day));
    for (const file of [path.join(work, 'checkpoint'), work]) fs.utimesSync(file, old, old);
  }
  const keep = [key, otherKey];
  t.is((await store.collect({ keep, keepWork: [input('c')] })).work, 1);
  t.deepEqual(fs.readdirSync(path.join(dir, 'work')).sort(), [input('c'), input('e')]);
  t.is((await store.collect({ keep, keepWork: [input('c')], work: true })).work, 1);
  t.deepEqual(fs.readdirSync(path.join(dir, 'work')), [input('c')]);
});

test('logs of runs go only by age', async (t) => {
  const { dir, store } = await openBoth(t);
  const [before, after] = ['20260101-120000-p-00ff', '20260201-120000-p-00ff'];
  for (const id of [before, after]) fs.mkdirSync(path.join(dir, 'runs', id), { recursive: true });
  const old = new Date(Date.now() - 40 * day);
  fs.utimesSync(path.join(dir, 'runs', before), old, old);
  t.is((await store.collect({ keep: [key, otherKey] })).logs, 0);
  t.is((await store.collect({ olderThan: 30 * day })).logs, 1);
  t.deepEqual(fs.readdirSync(path.join(dir, 'runs')), [after]);
});

test('an entry whose lock is held is left alone', async (t) => {
  const { dir, store } = await openBoth(t);
  const release = await store.lock(key);
  const told = await openFresh(dir).store.collect({});
  t.deepEqual(
    told.inUse.map(({ key: used }) => used),
    [key],
  );
  t.deepEqual(entries(dir), [key]);
  await release();
});

test('a run that goes on keeps what was used since it began, and a collection ends before a run begins', async (t) => {
  const { dir, store } = await openBoth(t);
  useBefore(dir, otherKey, 3 * day);
  const leave = await store.enter();
  const told = await openFresh(dir).store.collect({});
  t.deepEqual(
    told.removed.map(({ key: removed }) => removed),
    [otherKey],
  );
  t.deepEqual(
    told.inUse.map(({ key: used }) => used),
    [key],
  );
  await leave();
  t.deepEqual(
    (await store.collect({})).removed.map(({ key: removed }) => removed),
    [key],
  );
});

test('a result that was removed while another is committed with the same bytes is whole', async (t) => {
  const { dir, store } = await openBoth(t);
  for (let round = 0; round < 10; round++) {
    const [entry] = await Promise.all([commit(openFresh(dir).store), store.collect({ keep: [key] })]);
    t.deepEqual(
      readTree(entry.dir),
      Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))),
    );
    await store.collect({ keep: [otherKey] });
  }
});

test('an empty store has nothing to collect', async (t) => {
  const { store } = openFresh(createStoreDir(t));
  t.like(await store.collect({}), { removed: [], freed: 0, kept: { entries: 0, bytes: 0 } });
  t.false(fs.existsSync(store.dir));
});
