import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { listFiles, rename } from '../../../framework/files/files.ts';
import { existsFresh, readFresh } from '../../../framework/files/fresh.ts';
import { writeIfDifferent } from '../../../framework/run/write-results.ts';
import { takeLock } from '../../../framework/store/lock.ts';
import { inspectStore } from '../../../framework/store/marker.ts';
import { openStore } from '../../../framework/store/store.ts';
import { createProject } from '../../support/project.ts';
import { commit, key } from './support/bench.ts';

/** As NFS does where an answer got lost: the call is made, made again, and the second one's error is what the caller sees. */
function loseAnswer(t: ExecutionContext, name: 'link' | 'rename'): void {
  const call = fs.promises[name];
  fs.promises[name] = async (from, to) => {
    await call(from, to);
    await call(from, to);
  };
  t.teardown(() => {
    fs.promises[name] = call;
  });
}

test.serial('a lock whose answer got lost is held all the same', async (t) => {
  const file = path.join(createProject(t, {}).dir, 'locks', 'key.lock');
  loseAnswer(t, 'link');
  const waited: number[] = [];
  const release = await takeLock(file, { onWait: ({ pid }) => void waited.push(pid) });
  t.deepEqual(waited, []);
  await release();
  t.false(fs.existsSync(file));
});

test.serial(
  'a file whose new name was answered for in vain has it; another error is passed on',
  async (t) => {
    const project = createProject(t, { from: 'a' });
    loseAnswer(t, 'rename');
    await rename(project.file('from'), project.file('to'));
    t.is(project.read('to'), 'a');
    await t.throwsAsync(rename(project.file('nothing'), project.file('other')), { code: 'ENOENT' });
  },
);

/** As NFS, which answers from memory that a name isn't there until the folder is opened. */
function forgetUntilOpened(t: ExecutionContext, file: string): void {
  const { opendirSync } = fs;
  const hidden = `${file}.hidden`;
  fs.renameSync(file, hidden);
  fs.opendirSync = (dir, options) => {
    if (String(dir) === path.dirname(file) && fs.existsSync(hidden)) fs.renameSync(hidden, file);
    return opendirSync(dir, options);
  };
  t.teardown(() => {
    fs.opendirSync = opendirSync;
  });
}

test.serial('what another machine has made since is found where it was looked for in vain', async (t) => {
  const dir = createProject(t, {}).file('.peco');
  const store = openStore(dir);
  await commit(store, { 'weights.bin': 'weights' });
  forgetUntilOpened(t, path.join(dir, 'entries', key));
  t.not(await store.lookup(key), undefined);
  const file = path.join(dir, 'slurm/job.json');
  for (const read of [existsFresh, readFresh]) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, '{}');
    forgetUntilOpened(t, file);
    t.truthy(read(file));
  }
  t.false(existsFresh(path.join(dir, 'neither/here/nor/there')));
});

test.serial('a lock that another machine removes while it is read is free', async (t) => {
  const file = path.join(createProject(t, {}).dir, 'locks', 'key.lock');
  const other = await takeLock(file, {});
  const { readFileSync } = fs;
  fs.readFileSync = ((target: string, ...rest: [BufferEncoding]) => {
    if (target !== file) return readFileSync(target, ...rest);
    fs.readFileSync = readFileSync;
    fs.rmSync(file);
    throw Object.assign(new Error('stale file handle'), { code: 'ESTALE' });
  }) as typeof fs.readFileSync;
  t.teardown(() => {
    fs.readFileSync = readFileSync;
  });
  const release = await takeLock(file, { onWait: () => t.fail('nothing is to be waited for') });
  await release();
  await other();
  t.false(fs.existsSync(file));
});

test('files that were deleted while they were open are no outputs, and do not make a store another folder', async (t) => {
  const deleted = '.nfs000000000000000c00000001';
  const { dir, write } = createProject(t, {});
  write({ 'outputs/a': '', [`outputs/${deleted}`]: '' });
  t.deepEqual(await listFiles(path.join(dir, 'outputs')), ['a']);
  await commit(openStore(path.join(dir, 'store')), { a: '' });
  write({ [`store/locks/${deleted}`]: '', [`store/${deleted}`]: '' });
  fs.rmSync(path.join(dir, 'store/peco-store.json'));
  t.is(inspectStore(path.join(dir, 'store')), 'old');
});

test('two processes of one pid, on two machines, write one file at once', async (t) => {
  const file = path.join(createProject(t, {}).dir, 'results/ablation.md');
  const many = Array.from({ length: 8 }, () => writeIfDifferent(file, 'table'));
  await t.notThrowsAsync(Promise.all(many));
  t.deepEqual(fs.readdirSync(path.dirname(file)), ['ablation.md']);
});
