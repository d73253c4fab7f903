import { createHash } from 'node:crypto';
import fs from 'node:fs';
import test from 'ava';
import { openFileDigests } from '../../../framework/store/digests.ts';
import { createProject } from '../support/project.ts';

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

const past = new Date('2020-01-01');

test('a digest is remembered across processes while the stat stays the same', async (t) => {
  const project = createProject(t, { data: 'abc' });
  const memory = project.file('digests.json');
  fs.utimesSync(project.file('data'), past, past);
  const first = openFileDigests(memory);
  t.is(await first.digest(project.file('data')), sha256('abc') as never);
  await first.flush();
  // Other bytes with the same stat: only a memory, not a look at the bytes, still says "abc".
  const { ino } = fs.statSync(project.file('data'));
  fs.writeFileSync(project.file('data'), 'xyz');
  fs.utimesSync(project.file('data'), past, past);
  t.is(fs.statSync(project.file('data')).ino, ino);
  t.is(await openFileDigests(memory).digest(project.file('data')), sha256('abc') as never);
});

test('a file that was just written is hashed again: its stat may hide a later write', async (t) => {
  const project = createProject(t, { data: 'abc' });
  const digests = openFileDigests(project.file('digests.json'));
  const { mtime } = fs.statSync(project.file('data'));
  await digests.digest(project.file('data'));
  fs.writeFileSync(project.file('data'), 'xyz');
  fs.utimesSync(project.file('data'), mtime, mtime);
  const soon = new Date(Date.now() + 5_000);
  // A modification time at or after the moment of hashing is never believed, also if the clock went back.
  fs.utimesSync(project.file('data'), soon, soon);
  t.is(await digests.digest(project.file('data')), sha256('xyz') as never);
  fs.writeFileSync(project.file('data'), 'abc');
  fs.utimesSync(project.file('data'), soon, soon);
  t.is(await digests.digest(project.file('data')), sha256('abc') as never);
});

test('a change of size, time or inode is noticed', async (t) => {
  const project = createProject(t, { data: 'abc' });
  const digests = openFileDigests(project.file('digests.json'));
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

test('a broken memory is forgotten', async (t) => {
  const project = createProject(t, { data: 'abc', 'digests.json': '{"broken' });
  t.is(
    await openFileDigests(project.file('digests.json')).digest(project.file('data')),
    sha256('abc') as never,
  );
});
