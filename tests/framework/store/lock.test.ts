import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { identifyProcess } from '../../../framework/store/identity.ts';
import { type LockTiming, readHolder, takeLock, tryLock } from '../../../framework/store/lock.ts';
import type { LockOwner } from '../../../framework/store/types.ts';
import { createProject, repository } from '../../support/project.ts';

/** By this clock nothing is ever stale: a taker waits as long as the holder lives, however slow this machine is. */
const timing = { heartbeat: 20, poll: 2, stale: Number.POSITIVE_INFINITY, now: () => performance.now() };

/** By this clock each look comes `stale` after the one before, so what stands still between two is stale. */
function impatience(): LockTiming {
  let looks = 0;
  return { ...timing, stale: 200, now: () => 201 * looks++ };
}

function lockFile(t: ExecutionContext): string {
  return path.join(createProject(t, {}).dir, 'locks', 'key.lock');
}

function writeLock(file: string, record: object): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify(record));
}

/** The pid of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '0']).pid;
}

test('the second taker waits until the first releases, and learns for whom it waits', async (t) => {
  const file = lockFile(t);
  const release = await takeLock(file, {}, timing);
  const events: string[] = [];
  let owner: LockOwner | undefined;
  const second = takeLock(
    file,
    {
      onWait: (holder) => {
        owner = holder;
        events.push('waiting');
      },
    },
    timing,
  ).then((end) => {
    events.push('taken');
    return end;
  });
  while (events.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  events.push('released');
  await release();
  await (await second)();
  t.deepEqual(events, ['waiting', 'released', 'taken']);
  t.deepEqual({ pid: owner!.pid, host: owner!.host }, { pid: process.pid, host: os.hostname() });
  t.false(fs.existsSync(file));
});

test('of many takers one at a time is inside', async (t) => {
  const file = lockFile(t);
  let inside = 0;
  let most = 0;
  const work = async () => {
    const release = await takeLock(file, {}, timing);
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setTimeout(resolve, 1));
    inside--;
    await release();
  };
  await Promise.all(Array.from({ length: 10 }, work));
  t.is(most, 1);
});

test('the lock of a dead process is taken over at once', async (t) => {
  const file = lockFile(t);
  const pid = deadPid();
  writeLock(file, { pid, host: os.hostname(), token: 'x' });
  const stale: number[] = [];
  const release = await takeLock(file, { onStale: (owner) => stale.push(owner.pid) }, timing);
  t.deepEqual(stale, [pid]);
  await release();
});

test('a lock of another host is taken over only when its heartbeat stands still', async (t) => {
  const file = lockFile(t);
  writeLock(file, { pid: 1, host: 'elsewhere', token: 'x' });
  // Every look at the clock finds it 50 later; the other host beats in between, until it dies at the fortieth look.
  let looks = 0;
  const now = () => {
    looks++;
    if (looks < 40) fs.utimesSync(file, looks, looks);
    return looks * 50;
  };
  await (await takeLock(file, {}, { ...timing, stale: 200, now }))();
  t.true(looks > 40);
  t.false(fs.existsSync(file));
});

test('a heartbeat from the future or the past counts as a heartbeat: clocks are not compared', async (t) => {
  const file = lockFile(t);
  writeLock(file, { pid: process.pid, host: os.hostname(), token: 'x' });
  fs.utimesSync(file, new Date('2001-01-01'), new Date('2001-01-01'));
  const stop = new AbortController();
  const waiting = takeLock(
    file,
    { signal: stop.signal, onWait: () => stop.abort(new Error('enough')) },
    timing,
  );
  await t.throwsAsync(waiting, { message: 'enough' });
  t.true(fs.existsSync(file));
});

test('a lock file with rubbish in it is taken over when it stands still', async (t) => {
  const file = lockFile(t);
  writeLock(file, {});
  fs.writeFileSync(file, '{"pid": 12');
  await (await takeLock(file, {}, impatience()))();
  t.false(fs.existsSync(file));
});

test('a holder that was thought dead does not release the lock of the next one', async (t) => {
  const file = lockFile(t);
  const release = await takeLock(file, {}, { ...timing, heartbeat: 1e9 });
  const next = await takeLock(file, {}, impatience());
  await release();
  t.true(fs.existsSync(file));
  await next();
});

test('a process that is killed while holding the lock frees it', async (t) => {
  const file = lockFile(t);
  const module = pathToFileURL(path.join(repository, 'framework/store/lock.ts')).href;
  const script = `const { takeLock } = await import(${JSON.stringify(module)});
    await takeLock(${JSON.stringify(file)}, {}); console.log('held'); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--import=tsx', '--input-type=module', '-e', script], {
    cwd: repository,
  });
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  const taken = takeLock(file, { onWait: () => holder.kill('SIGKILL') }, timing);
  await (await taken)();
  if (holder.exitCode === null && holder.signalCode === null) await once(holder, 'exit');
  t.is(holder.signalCode, 'SIGKILL');
});

test('a pid that another process has got since is no holder', async (t) => {
  const file = lockFile(t);
  const me = identifyProcess();
  if (me.started === undefined) {
    t.pass('this system does not tell when a process started');
    return;
  }
  writeLock(file, { ...me, started: String(Number(me.started) - 1), token: 'x' });
  await (await takeLock(file, {}, timing))();
  t.false(fs.existsSync(file));
});

test('the same pid in another container is another process: only its heartbeat counts', async (t) => {
  const file = lockFile(t);
  writeLock(file, { pid: deadPid(), host: os.hostname(), space: 'elsewhere', token: 'x' });
  const stop = new AbortController();
  const waiting = takeLock(
    file,
    { signal: stop.signal, onWait: () => stop.abort(new Error('waits')) },
    timing,
  );
  await t.throwsAsync(waiting, { message: 'waits' });
  await (await takeLock(file, {}, impatience()))();
});

const wrongKinds: { readonly [name: string]: (file: string) => void } = {
  'a folder': (file) => fs.mkdirSync(path.join(file, 'inside'), { recursive: true }),
  'a dangling link': (file) => fs.symlinkSync('/nowhere', file),
  'an empty file': (file) => fs.writeFileSync(file, ''),
};

for (const [name, make] of Object.entries(wrongKinds)) {
  test(`${name} in the place of a lock goes when it has stood still`, async (t) => {
    const file = lockFile(t);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    make(file);
    await (await takeLock(file, {}, impatience()))();
    t.deepEqual(fs.readdirSync(path.dirname(file)), []);
  });
}

test('releasing never throws, also if the folder is gone', async (t) => {
  const file = lockFile(t);
  const release = await takeLock(file, {}, timing);
  fs.rmSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(path.dirname(file), 'a file');
  await t.notThrowsAsync(release());
  await t.notThrowsAsync(release());
});

test('the heartbeat of one that was thought dead does not keep the next lock alive', async (t) => {
  const file = lockFile(t);
  const release = await takeLock(file, {}, { ...timing, heartbeat: 1 });
  fs.rmSync(file);
  writeLock(file, { pid: 1, host: 'elsewhere', token: 'x' });
  const { mtimeNs } = fs.statSync(file, { bigint: true });
  // Some beats later.
  for (let beats = 0; beats < 5; beats++) await new Promise((resolve) => setTimeout(resolve, 2));
  t.is(fs.statSync(file, { bigint: true }).mtimeNs, mtimeNs);
  await release();
  t.true(fs.existsSync(file));
});

test('a held lock is not waited for where only a try is wanted', async (t) => {
  const file = lockFile(t);
  const release = await takeLock(file, {}, timing);
  t.is(await tryLock(file), undefined);
  t.like(readHolder(file), { pid: process.pid, host: os.hostname() });
  await release();
  t.is(readHolder(file), undefined);
  await (await tryLock(file))!();
});

test('a holder on another host that has been silent for a day holds nothing', (t) => {
  const file = lockFile(t);
  writeLock(file, { pid: 1, host: 'elsewhere', token: 'x' });
  t.like(readHolder(file), { pid: 1 });
  const old = new Date(Date.now() - 25 * 3600 * 1000);
  fs.utimesSync(file, old, old);
  t.is(readHolder(file), undefined);
});
