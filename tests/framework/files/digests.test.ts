import { createHash } from 'node:crypto';
import fs from 'node:fs';
import test from 'ava';
import { byInode, byPath, type FileDigests, openFileDigests } from '../../../framework/files/digests.ts';
import { createProject } from '../../support/project.ts';

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

const past = new Date('2020-01-01');

/** The clock of the digests, in milliseconds since 1970. It stands still. */
let clock = Number.NaN;

function openDigests(memoryFile: string, nameOf = byPath): FileDigests {
  return openFileDigests(
    memoryFile,
    nameOf,
    () => clock,
    () => 0,
  );
}

/** Has the clock show the time of a file's last change, or so many milliseconds later. */
function setClock(file: string, later = 0): void {
  clock = fs.statSync(file).ctimeMs + later;
}

/** Whether a digest comes from looking at the bytes. */
async function reads(digests: FileDigests, file: string): Promise<boolean> {
  const { readFileSync } = fs;
  let read = false;
  fs.readFileSync = ((...args: Parameters<typeof readFileSync>) => {
    if (args[0] === file) read = true;
    return readFileSync(...args);
  }) as typeof readFileSync;
  try {
    await digests.digest(file);
  } finally {
    fs.readFileSync = readFileSync;
  }
  return read;
}

test.serial('a digest is remembered across processes while the stat stays the same', async (t) => {
  const project = createProject(t, { data: 'abc' });
  const [memory, data] = [project.file('digests.json'), project.file('data')];
  const first = openDigests(memory);
  setClock(data, 10_000);
  t.is(await first.digest(data), sha256('abc') as never);
  await first.flush();
  const second = openDigests(memory);
  t.false(await reads(second, data));
  t.is(await second.digest(data), sha256('abc') as never);
});

test.serial('an edit that restores size and time is noticed', async (t) => {
  const project = createProject(t, { data: 'abc' });
  const data = project.file('data');
  const digests = openDigests(project.file('digests.json'));
  fs.utimesSync(data, past, past);
  setClock(data, 10_000);
  await digests.digest(data);
  const { ino, ctimeNs } = fs.statSync(data, { bigint: true });
  // Until the clock of the file system has ticked.
  while (fs.statSync(data, { bigint: true }).ctimeNs === ctimeNs) {
    fs.writeFileSync(data, 'xyz');
    fs.utimesSync(data, past, past);
  }
  t.is(fs.statSync(data, { bigint: true }).ino, ino);
  t.is(await digests.digest(data), sha256('xyz') as never);
});

test.serial('a file that was just written is hashed again: its stat may hide a later write', async (t) => {
  const project = createProject(t, { data: 'abc' });
  const data = project.file('data');
  const digests = openDigests(project.file('digests.json'));
  setClock(data, 40);
  await digests.digest(data);
  t.true(await reads(digests, data));
});

test.serial('a clock of the file system that is behind ours makes no file older than it is', async (t) => {
  const project = createProject(t, { data: 'abc' });
  const data = project.file('data');
  // Ours is ten seconds ahead of the one that gives files their times.
  setClock(data, 10_000);
  const open = (lag: number) =>
    openFileDigests(
      project.file(`digests-${lag}.json`),
      byPath,
      () => clock,
      () => lag,
    );
  const [believing, careful] = [open(0), open(10_000)];
  for (const digests of [believing, careful]) await digests.digest(data);
  t.false(await reads(believing, data));
  t.true(await reads(careful, data));
});

test.serial('a clock that was set back is never a reason to believe', async (t) => {
  const project = createProject(t, { data: 'abc' });
  const data = project.file('data');
  const digests = openDigests(project.file('digests.json'));
  const hour = 3_600_000;
  // Hashed with the clock an hour back: the file seems to be of the future.
  setClock(data, -hour);
  await digests.digest(data);
  setClock(data);
  t.true(await reads(digests, data));
  // Hashed with the clock ahead, which is put right afterwards: a change now may get the times of then.
  setClock(data, hour);
  await digests.digest(data);
  setClock(data);
  t.true(await reads(digests, data));
  setClock(data, hour);
  t.true(await reads(digests, data), 'the last look was before');
  setClock(data, 2 * hour);
  t.false(await reads(digests, data));
});

test.serial('times in whole seconds are believed only after two of them', async (t) => {
  const project = createProject(t, { data: 'abc' });
  const data = project.file('data');
  const stat = fs.statSync(data, { bigint: true });
  const second = 1_000_000_000n;
  const coarse = (ns: bigint) => (ns / second) * second;
  Object.assign(stat, { mtimeNs: coarse(stat.mtimeNs), ctimeNs: coarse(stat.ctimeNs) });
  const digests = openDigests(project.file('digests.json'));
  const changed = Number(stat.ctimeNs / 1_000_000n);
  clock = changed + 2_040;
  await digests.digest(data, stat);
  clock = changed + 9_000;
  t.is(digests.known(data, stat), undefined);
  clock = changed + 2_060;
  await digests.digest(data, stat);
  clock = changed + 9_000;
  t.is(digests.known(data, stat), sha256('abc') as never);
});

test.serial('a change of size, time or inode is noticed', async (t) => {
  const project = createProject(t, { data: 'abc' });
  const digests = openDigests(project.file('digests.json'));
  setClock(project.file('data'), 10_000);
  fs.utimesSync(project.file('data'), past, past);
  await digests.digest(project.file('data'));
  fs.writeFileSync(project.file('data'), 'abcd');
  fs.utimesSync(project.file('data'), past, past);
  t.is(await digests.digest(project.file('data')), sha256('abcd') as never);
  fs.writeFileSync(project.file('new'), 'efgh');
  fs.utimesSync(project.file('new'), past, past);
  fs.renameSync(project.file('new'), project.file('data'));
  t.is(await digests.digest(project.file('data')), sha256('efgh') as never);
});

test.serial('by inode, all names of a file share one memory', async (t) => {
  const project = createProject(t, { data: 'abc' });
  fs.linkSync(project.file('data'), project.file('other'));
  const digests = openDigests(project.file('digests.json'), byInode);
  setClock(project.file('data'), 10_000);
  await digests.digest(project.file('data'));
  t.false(await reads(digests, project.file('other')));
});

test.serial('a broken memory is forgotten, at whichever byte it broke', async (t) => {
  const project = createProject(t, { data: 'abc' });
  const [memory, data] = [project.file('digests.json'), project.file('data')];
  const first = openDigests(memory);
  setClock(data, 10_000);
  await first.digest(data);
  await first.flush();
  const whole = fs.readFileSync(memory);
  for (let at = 0; at < whole.length; at++) {
    const broken = Buffer.from(whole);
    broken[at]! ^= 1;
    fs.writeFileSync(memory, broken);
    t.is(await openDigests(memory).digest(data), sha256('abc') as never);
  }
  fs.writeFileSync(memory, whole.subarray(0, 90));
  t.is(await openDigests(memory).digest(data), sha256('abc') as never);
});

test.serial('what another process remembered meanwhile is kept', async (t) => {
  const project = createProject(t, { data: 'abc', other: 'xyz' });
  const memory = project.file('digests.json');
  const [one, two] = [openDigests(memory), openDigests(memory)];
  setClock(project.file('data'), 10_000);
  await one.digest(project.file('data'));
  await two.digest(project.file('other'));
  await one.flush();
  await two.flush();
  const third = openDigests(memory);
  t.false(await reads(third, project.file('data')));
  t.false(await reads(third, project.file('other')));
});
