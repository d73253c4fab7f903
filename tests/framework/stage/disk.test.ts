import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { disk, forgetLooks, listedLooks } from '../../../framework/stage/disk.ts';
import { isSettled } from '../../../framework/stage/skew.ts';
import { createProject } from '../../support/project.ts';

test.serial(
  'disk answers as node:fs does, and lists every place with what was there at the first look',
  (t) => {
    const project = createProject(t, { 'data/b.txt': 'bytes', 'data/a.txt': '' });
    const at = (name: string) => project.file(`data/${name}`);
    forgetLooks();
    t.is(disk.first([at('b.txt.gz'), at('b.txt'), at('a.txt')]), at('b.txt'));
    t.is(disk.first([at('c.txt')]), undefined);
    t.false(disk.exists(at('b.txt/below-a-file')));
    t.true(disk.exists(project.file('data')));
    t.is(Buffer.from(disk.read(at('b.txt'))).toString(), 'bytes');
    t.deepEqual(disk.list(project.file('data')), ['a.txt', 'b.txt']);
    project.write({ 'data/c.txt': 'came later' });
    t.true(disk.exists(at('c.txt')));
    const { size, mtimeMs, ctimeMs, ino } = fs.statSync(at('b.txt'));
    const looks = listedLooks();
    t.deepEqual([...looks.keys()].toSorted(), [
      project.file('data'),
      at('b.txt'),
      at('b.txt.gz'),
      at('b.txt/below-a-file'),
      at('c.txt'),
    ]);
    t.deepEqual(looks.get(at('b.txt'))!.found, [size, mtimeMs, ctimeMs, ino]);
    t.is(looks.get(at('c.txt'))!.found, null);
    forgetLooks();
    t.is(listedLooks().size, 0);
  },
);

test.serial('what can not be read is an error, and listed', (t) => {
  const project = createProject(t, {});
  forgetLooks();
  t.throws(() => disk.read(project.file('gone')), { code: 'ENOENT' });
  t.throws(() => disk.list(project.file('gone too')), { code: 'ENOENT' });
  t.deepEqual([...listedLooks().keys()], [project.file('gone'), project.file('gone too')]);
});

test.serial('a folder that stays as it is, is listed once; one that has just changed, each time', (t) => {
  const { readdirSync } = fs;
  let calls = 0;
  fs.readdirSync = ((...given: Parameters<typeof readdirSync>) => {
    calls += 1;
    return readdirSync(...given);
  }) as typeof readdirSync;
  t.teardown(() => {
    fs.readdirSync = readdirSync;
  });
  const old = path.dirname(process.execPath);
  const names = disk.list(old);
  t.true(names.includes(path.basename(process.execPath)));
  t.deepEqual([disk.list(old), disk.list(old), calls], [names, names, 1]);
  const project = createProject(t, { 'data/a': '' });
  t.deepEqual(disk.list(project.file('data')), ['a']);
  project.write({ 'data/b': '' });
  t.deepEqual(disk.list(project.file('data')), ['a', 'b']);
  project.remove('data/a');
  t.deepEqual(disk.list(project.file('data')), ['b']);
});

test('what was seen is believed by the clock of its file system', (t) => {
  const at = 1_000_000_000;
  const changed = (ago: number) => ({ mtimeMs: at - 1e8, ctimeMs: at - ago });
  // Of this machine: the ticks of its clock (FAT: two seconds).
  t.false(isSettled('/data', changed(2_000), at, () => true));
  t.true(isSettled('/data', changed(2_100), at, () => true));
  t.false(isSettled('/data', { mtimeMs: at - 2_000, ctimeMs: at - 1e8 }, at, () => true));
  // Of another one, whose clock may be five minutes behind ours, as MUNGE allows it.
  t.false(isSettled('/data', changed(302_000), at, () => false));
  t.true(isSettled('/data', changed(302_100), at, () => false));
  const gone = () => {
    throw new Error('ENOENT');
  };
  t.false(isSettled('/data', changed(1e8), at, gone));
});
