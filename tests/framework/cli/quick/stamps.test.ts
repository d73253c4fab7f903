import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {
  areUnchanged,
  type FileStamp,
  type PackedStamps,
  packStamps,
  stampOf,
} from '../../../../framework/cli/quick/stamps.ts';
import { createProject } from '../../../support/project.ts';

// Names with much, little and half a character (of UTF-16) in common.
const names = ['ab/c.txt', 'ab/cd.txt', 'ab.txt', 'b/😀.txt', 'b/😁.txt', 'b/c/d/e.txt'];

function written(stamps: readonly FileStamp[]): PackedStamps {
  return JSON.parse(JSON.stringify(packStamps(stamps))) as PackedStamps;
}

test('stamps that were packed, written and read are those of the same files', (t) => {
  const { file } = createProject(t, Object.fromEntries(names.map((name) => [name, name])));
  const places = [...names.map(file), path.dirname(file('ab/c.txt'))];
  const packed = written(places.map((place) => stampOf(place)!));
  t.true(areUnchanged(packed));
  t.deepEqual(packed.stats.length, 4 * places.length);
  const text = packed.rest.join('');
  t.true(text.length < places.join('').length / 2);
});

const edits: { readonly [title: string]: (place: string) => void } = {
  'has another size': (place) => fs.appendFileSync(place, '.'),
  'has another time': (place) => fs.utimesSync(place, 1, 1),
  'is another file of the same bytes and time': (place) => {
    const { atime, mtime } = fs.statSync(place);
    fs.copyFileSync(place, `${place}.new`);
    fs.renameSync(`${place}.new`, place);
    fs.utimesSync(place, atime, mtime);
  },
  'is gone': (place) => fs.rmSync(place),
};

for (const [title, edit] of Object.entries(edits)) {
  test(`stamps tell when one of the files ${title}`, (t) => {
    const { file } = createProject(t, Object.fromEntries(names.map((name) => [name, name])));
    for (const name of names) {
      const packed = written(names.map((one) => stampOf(file(one))!));
      t.true(areUnchanged(packed));
      edit(file(name));
      t.false(areUnchanged(packed), name);
      fs.mkdirSync(path.dirname(file(name)), { recursive: true });
      fs.writeFileSync(file(name), name);
    }
  });
}
