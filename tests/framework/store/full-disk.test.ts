import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { isPecoError } from '../../../framework/stage/errors.ts';
import {
  checkEntry,
  commit,
  createStoreDir,
  files,
  fingerprint,
  key,
  openFresh,
  otherFiles,
  otherKey,
  readTree,
  writeFiles,
} from './support/bench.ts';

/** Runs something while calls of `fs.promises` fail that `fails` says. */
async function failing<T>(
  code: string,
  fails: (name: string, args: readonly string[]) => boolean,
  work: () => Promise<T>,
): Promise<T> {
  const names = ['writeFile', 'mkdir', 'rename', 'link', 'open', 'rm', 'utimes', 'chmod'] as const;
  const originals = names.map((name) => [name, fs.promises[name]] as const);
  for (const [name, original] of originals) {
    Reflect.set(fs.promises, name, (...args: string[]) =>
      fails(name, args)
        ? Promise.reject(Object.assign(new Error(code), { code }))
        : (original as (...args: string[]) => unknown)(...args),
    );
  }
  try {
    return await work();
  } finally {
    for (const [name, original] of originals) Reflect.set(fs.promises, name, original);
  }
}

function tidy(error: unknown, dir: string): string {
  if (!isPecoError(error)) throw error;
  return `${error.message}\n${error.hint}`
    .replaceAll(path.dirname(dir), '')
    .replaceAll(/\d+\.\d*\.[0-9a-f]+-[0-9a-f-]+/g, '<name>');
}

test.serial('on a full disk the finished outputs are kept, and the next look stores them', async (t) => {
  const dir = createStoreDir(t);
  const intoEntries = (name: string, args: readonly string[]) =>
    name === 'rename' && args[1]!.includes('/entries/');
  const error = await failing('ENOSPC', intoEntries, () => t.throwsAsync(commit(openFresh(dir).store)));
  t.snapshot(tidy(error, dir));
  // Still full: making it again would not help, so it is no miss.
  const again = await failing('ENOSPC', intoEntries, () => t.throwsAsync(openFresh(dir).store.lookup(key)));
  t.is(tidy(again, dir), tidy(error, dir));
  const { store, warnings } = openFresh(dir);
  t.is(checkEntry(await store.lookup(key), files), 'hit');
  t.snapshot(warnings.map(({ message }) => message));
  t.deepEqual(fs.readdirSync(path.join(dir, 'pending')), []);
  t.deepEqual(fs.readdirSync(path.join(dir, 'tmp')), []);
});

test.serial('if not even that can be written, the outputs stay and the message says where', async (t) => {
  const dir = createStoreDir(t);
  // The store is there already, with its marker.
  await openFresh(dir).store.newOutDir();
  const writes = (name: string, args: readonly string[]) => name === 'writeFile' || args[1] === 'wx';
  const error = await failing('ENOSPC', writes, () => t.throwsAsync(commit(openFresh(dir).store)));
  t.snapshot(tidy(error, dir));
  t.deepEqual(
    readTree(path.join(dir, 'pending', key, 'outputs')),
    readTree(path.join(dir, 'pending', key, 'outputs')),
  );
  t.is(Object.keys(readTree(path.join(dir, 'pending', key, 'outputs'))!).length, 3);
});

test.serial(
  'where no folder can be made the outputs stay beside, out of reach of the run and of sweeps',
  async (t) => {
    const dir = createStoreDir(t);
    const { store } = openFresh(dir);
    const outDir = await store.newOutDir();
    writeFiles(outDir, files);
    const outsideTmp = (name: string, args: readonly string[]) =>
      ['mkdir', 'rename'].includes(name) &&
      !args.every((arg) => typeof arg !== 'string' || arg.includes('/tmp/'));
    const error = await failing('EACCES', outsideTmp, () =>
      t.throwsAsync(store.commit(key, { outDir, fingerprint, provenance: {} })),
    );
    t.snapshot(tidy(error, dir).replace(/-\d{13}/, '-<time>'));
    t.false(fs.existsSync(outDir));
    await openFresh(dir).store.newOutDir();
    const aside = fs.readdirSync(path.join(dir, 'tmp')).find((name) => name.startsWith('finished-'))!;
    t.is(Object.keys(readTree(path.join(dir, 'tmp', aside))!).length, 3);
  },
);

/** Calls that take room, as long as a folder of the store is there. */
const fullUntilGone = (dir: string, folder: string) => (name: string, args: readonly string[]) =>
  ['writeFile', 'mkdir', 'link', 'open'].includes(name) &&
  args[1] !== 'r' &&
  fs.existsSync(path.join(dir, folder));

test.serial('a collection on a full disk begins with the cache, which can be made again', async (t) => {
  const dir = createStoreDir(t);
  await commit(openFresh(dir).store);
  await commit(openFresh(dir).store, otherFiles, otherKey);
  fs.mkdirSync(path.join(dir, 'cache'), { recursive: true });
  fs.writeFileSync(path.join(dir, 'cache/digests.json'), '{}');
  const collected = await failing('ENOSPC', fullUntilGone(dir, 'cache'), () =>
    openFresh(dir).store.collect({ keep: new Set([key]) }),
  );
  t.is(collected.removed.length, 1);
  t.is(checkEntry(await openFresh(dir).store.lookup(key), files), 'hit');
  t.deepEqual(fs.readdirSync(path.join(dir, 'locks')), []);
});

for (const folder of ['work', 'uncommitted', 'runs', `entries/${key}`]) {
  test.serial(`if the cache is not enough, a collection names what may be deleted: ${folder}`, async (t) => {
    const dir = createStoreDir(t);
    await commit(openFresh(dir).store);
    fs.mkdirSync(path.join(dir, folder, 'something'), { recursive: true });
    const collectAll = () => openFresh(dir).store.collect({});
    const full = fullUntilGone(dir, folder);
    const error = await failing('ENOSPC', full, () => t.throwsAsync(collectAll()));
    t.snapshot(tidy(error, dir));
    fs.rmSync(path.join(dir, folder), { recursive: true });
    await failing('ENOSPC', full, collectAll);
    t.deepEqual(fs.readdirSync(path.join(dir, 'entries')), []);
  });
}

test.serial('kept outputs that were changed since are not stored', async (t) => {
  const dir = createStoreDir(t);
  const intoEntries = (name: string, args: readonly string[]) =>
    name === 'rename' && args[1]!.includes('/entries/');
  await failing('EIO', intoEntries, () => t.throwsAsync(commit(openFresh(dir).store)));
  const file = path.join(dir, 'pending', key, 'outputs/weights.bin');
  fs.chmodSync(file, 0o644);
  fs.writeFileSync(file, 'WEIGHTS');
  const { store, warnings } = openFresh(dir);
  t.is(await store.lookup(key), undefined);
  t.snapshot(warnings.map(({ message }) => message.replaceAll(path.dirname(dir), '')));
});

test.serial(
  'from a store that can not be written to, results are read; writing is one clear message',
  async (t) => {
    const dir = createStoreDir(t);
    await commit(openFresh(dir).store);
    await commit(openFresh(dir).store, otherFiles, otherKey);
    fs.rmSync(path.join(dir, 'entries', otherKey, 'outputs/other.bin'));
    const messages: string[] = [];
    for (const code of ['EROFS', 'EACCES']) {
      await failing(
        code,
        () => true,
        async () => {
          const { store } = openFresh(dir);
          t.is(checkEntry(await store.lookup(key), files), 'hit');
          t.is(await store.lookup(otherKey), undefined, 'it could be mended elsewhere');
          await store.flush();
          await (await store.enter())();
          for (const write of [
            () => store.newOutDir(),
            () => store.lock(key),
            () => store.workDir('f'.repeat(64) as never),
          ])
            messages.push(tidy(await t.throwsAsync<Error>(write() as Promise<unknown>), dir));
        },
      );
    }
    t.snapshot([...new Set(messages)]);
  },
);

test.serial(
  'bytes are on the disk before their names, the manifest before the entry, and the entry last',
  async (t) => {
    const dir = createStoreDir(t);
    const { store } = openFresh(dir);
    const outDir = await store.newOutDir();
    writeFiles(outDir, files);
    const log: string[] = [];
    const { open, rename } = fs.promises;
    const short = (file: unknown) =>
      path
        .relative(dir, String(file))
        .replace(/(tmp\/[a-z]+)-[^/]*/, '$1')
        .replace(/(sha256\/..).*/, '$1');
    Reflect.set(fs.promises, 'rename', async (from: string, to: string) => {
      await rename(from, to);
      log.push(`rename ${short(from)} ${short(to)}`);
    });
    Reflect.set(fs.promises, 'open', async (...args: Parameters<typeof open>) => {
      const handle = await open(...args);
      const { sync } = handle;
      handle.sync = () => {
        log.push(`sync ${short(args[0])}`);
        return sync.call(handle);
      };
      return handle;
    });
    try {
      await store.commit(key, { outDir, fingerprint, provenance: {} });
    } finally {
      Reflect.set(fs.promises, 'rename', rename);
      Reflect.set(fs.promises, 'open', open);
    }
    t.snapshot(log.filter((line) => !line.startsWith('rename kept')));
  },
);
