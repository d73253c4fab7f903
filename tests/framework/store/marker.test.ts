import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { formatError } from '../../../framework/stage/errors.ts';
import type { ContentKey } from '../../../framework/stage/keys.ts';
import { inspectStore, markerFile } from '../../../framework/store/marker.ts';
import { openStore } from '../../../framework/store/store.ts';
import { commit, createStoreDir, key, makeFolder, openFresh, readTree, writeFiles } from './support/bench.ts';

const marker = '{\n  "what": "a store of peco-exp",\n  "format": 1\n}\n';

function folderWith(t: ExecutionContext, files: { readonly [name: string]: string }, name = 'mine'): string {
  const parent = makeFolder();
  t.teardown(() => fs.rmSync(parent, { recursive: true, force: true }));
  const dir = path.join(parent, name);
  fs.mkdirSync(dir);
  writeFiles(dir, files);
  return dir;
}

function refusal(t: ExecutionContext, dir: string, from?: string): string {
  const before = readTree(dir);
  const error = t.throws(() => openStore(dir, from === undefined ? {} : { from }));
  t.deepEqual(readTree(dir), before);
  return formatError(error).replaceAll(dir, '<dir>');
}

test('a store is marked when it is made; the default one ignores itself in git', async (t) => {
  const dir = createStoreDir(t);
  await openStore(dir).newOutDir();
  t.is(fs.readFileSync(path.join(dir, markerFile), 'utf8'), marker);
  t.is(fs.readFileSync(path.join(dir, '.gitignore'), 'utf8'), '*\n');

  const named = path.join(path.dirname(dir), 'stored');
  await openStore(named).newOutDir();
  t.is(fs.readFileSync(path.join(named, markerFile), 'utf8'), marker);
  t.false(fs.existsSync(path.join(named, '.gitignore')));
});

test('opening a store writes nothing, and a look at one that is not there makes none', async (t) => {
  const dir = createStoreDir(t);
  const store = openStore(dir);
  t.is(await store.lookup(key), undefined);
  t.deepEqual(store.keys(), []);
  t.false(fs.existsSync(dir));
});

test('every operation that writes marks the folder first', async (t) => {
  const acts: readonly ((store: ReturnType<typeof openStore>, dir: string) => Promise<unknown>)[] = [
    (store) => store.newOutDir(),
    (store) => store.workDir(key),
    async (store) => (await store.lock(key))(),
    async (store) => (await store.enter())(),
    (store) => store.flush(),
    async (store, dir) => {
      const data = `${dir}-data`;
      writeFiles(data, { 'a.bin': 'a' });
      return store.digestPath(data);
    },
  ];
  for (const act of acts) {
    const dir = createStoreDir(t);
    await act(openStore(dir), dir);
    t.true(fs.existsSync(path.join(dir, markerFile)), String(act));
  }
});

test('an empty folder becomes a store, also with what git, a desktop or a file system leaves there', async (t) => {
  const dir = folderWith(
    t,
    { '.gitignore': 'mine\n', '.gitkeep': '', '.DS_Store': 'x', 'lost+found/x': '' },
    '.peco',
  );
  await commit(openStore(dir));
  t.is(fs.readFileSync(path.join(dir, '.gitignore'), 'utf8'), 'mine\n');
  t.not(await openStore(dir).lookup(key), undefined);
});

test('a folder of other things is refused by name, and nothing in it changes', (t) => {
  const digits = 'c'.repeat(64);
  const told = [
    { 'notes.txt': 'mine' },
    { 'package.json': '{}', 'a.ts': '', 'b.ts': '', 'c.ts': '', '.git/HEAD': '' },
    // Called as what every object has.
    { 'constructor/notes.txt': 'mine' },
    // Called as the folders of a store are.
    ...[
      'entries',
      'work',
      'pending',
      'uncommitted',
      'unreadable',
      'locks',
      'tmp',
      'runs',
      'documents',
      'cache',
    ].map((folder) => ({ [`${folder}/mine/notes.txt`]: 'mine' })),
    { 'objects/mine': 'mine' },
    { 'objects/sha256/mine': 'mine' },
    { 'objects/sha256/ab/mine': 'mine' },
    { entries: 'a file' },
    // Names alone prove nothing: other tools name by sha256 too.
    { [`entries/${digits}/outputs/a`]: 'mine' },
    { [`entries/${digits}/manifest.json`]: '{}' },
    { [`objects/sha256/ab/${'c'.repeat(62)}`]: 'mine' },
    { [`work/${digits}/a`]: 'mine' },
    { 'runs/20260101-120000-p-00ff/notes.txt': 'mine' },
    // A marker that is none.
    { [markerFile]: '', 'notes.txt': 'mine' },
    { [markerFile]: '{"format":"1"}', 'notes.txt': 'mine' },
    { [`${markerFile}/format`]: '1' },
  ].map((files) => refusal(t, folderWith(t, files)));
  t.snapshot(told);
});

test('the error says what named the folder, but for the default', (t) => {
  const dir = folderWith(t, { 'notes.txt': 'mine' });
  t.true(refusal(t, dir, 'PECO_STORE').startsWith('<dir> (PECO_STORE) is not a store'));
  t.true(refusal(t, dir, 'default').startsWith('<dir> is not a store'));
});

test('a store of a newer format is refused in a sentence', (t) => {
  t.snapshot(refusal(t, folderWith(t, { [markerFile]: '{ "format": 2, "more": true }', 'new/thing': '' })));
});

test('a file, and a folder within a store, are no places for one', async (t) => {
  const dir = createStoreDir(t);
  await commit(openStore(dir));
  const within = [path.join(dir, 'mine'), path.join(dir, 'tmp', 'deep', 'er')];
  const told = [path.join(dir, markerFile), path.join(dir, markerFile, 'below'), ...within].map((place) =>
    formatError(t.throws(() => openStore(place))).replaceAll(dir, '<store>'),
  );
  t.snapshot(told);
  t.false(fs.existsSync(within[0]!));
});

test('a store from before there were markers is one, if all in it is named as peco-exp names it', async (t) => {
  const dir = path.join(path.dirname(createStoreDir(t)), 'stored');
  t.teardown(() => fs.rmSync(dir, { recursive: true, force: true }));
  const { store } = openFresh(dir);
  await commit(store);
  const release = await store.lock('d'.repeat(64) as ContentKey);
  await store.workDir('e'.repeat(64) as ContentKey);
  await store.flush();
  store.documents.save(new Map([['f'.repeat(64), {}]]));
  fs.rmSync(path.join(dir, markerFile));

  t.is(inspectStore(dir), 'old');
  t.not(await openStore(dir).lookup(key), undefined, 'it is read as it is');
  t.false(fs.existsSync(path.join(dir, markerFile)));
  await release();
  await openStore(dir).collect({ keep: [key] });
  t.is(fs.readFileSync(path.join(dir, markerFile), 'utf8'), marker);

  fs.rmSync(path.join(dir, markerFile));
  writeFiles(dir, { 'entries/mine/notes.txt': 'mine' });
  t.snapshot(refusal(t, dir));
});

test('processes that make a store at once make one', async (t) => {
  const dir = createStoreDir(t);
  await Promise.all(Array.from({ length: 20 }, () => openStore(dir).newOutDir()));
  t.is(fs.readdirSync(path.join(dir, 'tmp')).length, 20);
  t.deepEqual(
    fs.readdirSync(dir).filter((name) => name.startsWith('peco-store') || name.startsWith('.git')),
    ['.gitignore', markerFile],
  );
});

test('a process that dies while it marks a folder leaves one that can be marked', async (t) => {
  const dir = folderWith(t, { [`${markerFile}.123.456`]: '{ "what', '.gitignore.123.456': '' }, '.peco');
  t.is(inspectStore(dir), 'new');
  await commit(openStore(dir));
  t.is(inspectStore(dir), 'marked');
});

test('a collection leaves alone what others put into the folders of a store', async (t) => {
  const dir = createStoreDir(t);
  const { store } = openFresh(dir);
  await commit(store);
  const mine = [
    'entries',
    'work',
    'pending',
    'uncommitted',
    'unreadable',
    'locks',
    'tmp',
    'runs',
    'documents',
    'objects',
  ]
    .map((folder) => `${folder}/mine/notes.txt`)
    .concat(
      'objects/sha256/mine/notes.txt',
      'objects/sha256/ab/notes.txt',
      'locks/package.lock',
      'notes.txt',
    );
  writeFiles(dir, Object.fromEntries(mine.map((name) => [name, 'mine'])));
  const old = new Date('2020-01-01');
  for (const name of fs.readdirSync(dir, { recursive: true, encoding: 'utf8' }))
    fs.utimesSync(path.join(dir, name), old, old);
  await openFresh(dir).store.newOutDir(); // sweeps leftovers
  await openFresh(dir).store.collect({ work: true });
  await openFresh(dir).store.collect({ olderThan: 0 });
  t.deepEqual(fs.readdirSync(path.join(dir, 'entries')), ['mine']);
  for (const name of mine) t.true(fs.existsSync(path.join(dir, name)), name);
  t.deepEqual(store.keys(), []);
});
