import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Entry } from '../../../framework/store/types.ts';
import {
  checkEntry,
  commit,
  createStoreDir,
  files,
  fingerprint,
  key,
  objectOf,
  openFresh,
  otherFiles,
  otherKey,
} from './support/bench.ts';
import { checkSection, formatTable } from './support/table.ts';

type Damage = (file: string) => void;

function open(file: string): void {
  fs.chmodSync(file, 0o644);
}

const kinds: { readonly [name: string]: Damage } = {
  deleted: (file) => fs.rmSync(file, { recursive: true }),
  truncated: (file) => {
    open(file);
    fs.truncateSync(file, Math.floor(fs.statSync(file).size / 2));
  },
  emptied: (file) => {
    open(file);
    fs.truncateSync(file, 0);
  },
  'one bit flipped, times restored': (file) => {
    const { atime, mtime } = fs.statSync(file);
    const bytes = fs.readFileSync(file);
    bytes[bytes.length >> 1]! ^= 1;
    open(file);
    fs.writeFileSync(file, bytes);
    fs.utimesSync(file, atime, mtime);
  },
  'a folder in its place': (file) => {
    fs.rmSync(file, { recursive: true });
    fs.mkdirSync(file);
  },
  'a link in its place': (file) => {
    const aside = path.join(file.slice(0, file.indexOf('.peco/')), 'aside');
    fs.renameSync(file, aside);
    fs.symlinkSync(aside, file);
  },
  'a dangling link in its place': (file) => {
    fs.rmSync(file, { recursive: true });
    fs.symlinkSync('/nowhere', file);
  },
};

const entry = (dir: string): string => path.join(dir, 'entries', key);
const targets: { readonly [name: string]: (dir: string) => string } = {
  'object and outputs (one file)': (dir) => objectOf(dir, 'weights'),
  'object that two entries share': (dir) => objectOf(dir, files['shared.txt']!),
  output: (dir) => path.join(entry(dir), 'outputs/weights.bin'),
  'folder outputs': (dir) => path.join(entry(dir), 'outputs'),
  'manifest.json': (dir) => path.join(entry(dir), 'manifest.json'),
  'fingerprint.json': (dir) => path.join(entry(dir), 'fingerprint.json'),
  'folder of the entry': entry,
};
const ofFiles = ['truncated', 'emptied', 'one bit flipped, times restored'];

interface Result {
  readonly first: string;
  readonly shared: string;
  readonly warnings: readonly string[];
}

/** What a fresh store says of both entries. */
async function look(dir: string): Promise<Result> {
  const { store, warnings } = openFresh(dir);
  const tell = (
    found: Entry | undefined,
    expected: { readonly [name: string]: string },
    at: string,
  ): string => {
    const mended = warnings.some((warning) => warning.key === at && warning.code === 'mended-entry');
    return mended ? 'mended' : checkEntry(found, expected);
  };
  const found = await store.lookup(key);
  checkEntry(found, files);
  const shared = await store.lookup(otherKey);
  checkEntry(shared, otherFiles);
  return {
    first: tell(found, files, key),
    shared: tell(shared, otherFiles, otherKey),
    warnings: warnings.map(({ message }) => message),
  };
}

async function tryDamage(
  t: ExecutionContext,
  target: (dir: string) => string,
  damage: Damage,
): Promise<Result> {
  const dir = createStoreDir(t);
  const { store } = openFresh(dir);
  await commit(store, otherFiles, otherKey);
  await commit(store);
  // What is remembered of whole files must not hide the damage.
  await store.lookup(key);
  await store.lookup(otherKey);
  await store.flush();
  damage(target(dir));
  const result = await look(dir);
  t.true(result.warnings.length <= 2);
  await commit(openFresh(dir).store);
  const after = await look(dir);
  t.is(after.first, 'hit');
  t.not(after.shared, 'miss', 'a new commit of one mends what both share');
  t.deepEqual(await look(dir), { first: 'hit', shared: 'hit', warnings: [] });
  const told = await openFresh(dir).store.fingerprint(key);
  if (told !== undefined) t.deepEqual(told, fingerprint);
  return result;
}

test('damage is never a wrong hit, and a new commit mends it', async (t) => {
  const rows: string[][] = [];
  const messages = new Set<string>();
  for (const [target, find] of Object.entries(targets)) {
    for (const [kind, damage] of Object.entries(kinds)) {
      if (target.startsWith('folder') && ofFiles.includes(kind)) continue;
      const { first, shared, warnings } = await tryDamage(t, find, damage);
      rows.push([target, kind, first, shared]);
      for (const message of warnings) messages.add(message);
    }
  }
  checkSection(
    t,
    'damage',
    formatTable(['what', 'damage', 'its entry', 'the entry that shares a file'], rows),
  );
  t.snapshot([...messages].sort());
});

test('what is wrong with an entry is reported once, however often it is looked up', async (t) => {
  const dir = createStoreDir(t);
  await commit(openFresh(dir).store);
  await commit(openFresh(dir).store, otherFiles, otherKey);
  for (const at of [key, otherKey]) fs.writeFileSync(path.join(dir, 'entries', at, 'manifest.json'), '{');
  const { store, warnings } = openFresh(dir);
  for (const at of [key, otherKey, key, otherKey]) await store.lookup(at);
  for await (const found of store.entries()) t.fail(found.key);
  t.deepEqual(
    warnings.map((warning) => [warning.code, warning.key]),
    [
      ['damaged-entry', key],
      ['damaged-entry', otherKey],
    ],
  );
});

test('a flipped bit anywhere in a manifest is noticed', async (t) => {
  const dir = createStoreDir(t);
  const whole = await commit(openFresh(dir).store);
  const file = path.join(entry(dir), 'manifest.json');
  const bytes = fs.readFileSync(file);
  for (let at = 0; at < bytes.length; at++) {
    const broken = Buffer.from(bytes);
    broken[at]! ^= 1 << (at % 8);
    fs.writeFileSync(file, broken);
    if ((await openFresh(dir).store.lookup(key)) !== undefined) t.fail(`byte ${at} of the manifest`);
  }
  fs.writeFileSync(file, bytes);
  t.deepEqual(await openFresh(dir).store.lookup(key), whole);
});

test('a damaged fingerprint explains nothing, and the result still counts', async (t) => {
  const dir = createStoreDir(t);
  await commit(openFresh(dir).store);
  const file = path.join(entry(dir), 'fingerprint.json');
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('0', '1'));
  const { store } = openFresh(dir);
  t.is(await store.fingerprint(key), undefined);
  t.truthy(await store.lookup(key));
});

test('an entry of the format before is still read', async (t) => {
  const dir = createStoreDir(t);
  const whole = await commit(openFresh(dir).store);
  const file = path.join(entry(dir), 'manifest.json');
  const { check: _check, fingerprint: _fingerprint, ...old } = JSON.parse(fs.readFileSync(file, 'utf8'));
  fs.writeFileSync(file, `${JSON.stringify({ ...old, format: 1 }, null, 2)}\n`);
  t.deepEqual(await openFresh(dir).store.lookup(key), whole);
});

test.serial('an entry that can not be read is a miss, and is not thrown away', async (t) => {
  const dir = createStoreDir(t);
  await commit(openFresh(dir).store);
  const manifest = path.join(entry(dir), 'manifest.json');
  const { readFileSync } = fs;
  fs.readFileSync = ((...args: Parameters<typeof readFileSync>) => {
    if (args[0] === manifest) throw Object.assign(new Error('injected'), { code: 'EIO' });
    return readFileSync(...args);
  }) as typeof readFileSync;
  const { store, warnings } = openFresh(dir);
  try {
    t.is(await store.lookup(key), undefined);
    await commit(store);
  } finally {
    fs.readFileSync = readFileSync;
  }
  t.snapshot(
    warnings.map(({ code, message }) => [
      code,
      message.replace(path.dirname(dir), '').replace(/-\d+$/, '-<time>'),
    ]),
  );
  const [aside] = fs.readdirSync(path.join(dir, 'unreadable'));
  t.true(fs.existsSync(path.join(dir, 'unreadable', aside!, 'manifest.json')));
  t.is(checkEntry(await openFresh(dir).store.lookup(key), files), 'hit');
});
