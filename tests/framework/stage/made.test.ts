import fs from 'node:fs';
import test from 'ava';
import { disk, forgetLooks, listedLooks } from '../../../framework/stage/disk.ts';
import { keepMade, madeOf } from '../../../framework/stage/made.ts';
import { createProject, type Project } from '../../support/project.ts';

/** How often something was made, and what it says. */
function counting(project: Project) {
  let calls = 0;
  const make = () => {
    calls += 1;
    return { text: fs.readFileSync(project.file('data'), 'utf8') };
  };
  return { make, calls: () => calls };
}

/** As in another process: what this one knows is forgotten. */
function forget(): void {
  (globalThis as { [key: symbol]: unknown })[Symbol.for('peco-exp.made')] = undefined;
}

test.serial('what was made is made again when its file changes, and not in a later process', (t) => {
  forget();
  const project = createProject(t, { data: 'one' });
  const kept = project.file('kept');
  keepMade(kept);
  const { make, calls } = counting(project);
  const made = (place: string, name = 'text 1') => [madeOf([place], name, make).text, calls()];
  // It has just changed, and could again within a tick of the clock.
  t.deepEqual(made(project.file('data')), ['one', 1]);
  t.deepEqual(made(project.file('data')), ['one', 2]);
  // The executable was there long before this process.
  const old = process.execPath;
  const twice = () => [made(old), made(old)];
  t.deepEqual(twice(), [
    ['one', 3],
    ['one', 3],
  ]);
  forget();
  keepMade(kept);
  project.write({ data: 'two' });
  t.deepEqual(made(old), ['one', 3]);
  t.deepEqual(made(old, 'text 2'), ['two', 4]);
  // As if the file had another size then.
  const file = fs.readdirSync(kept).find((name) => project.read(`kept/${name}`).includes('one'))!;
  project.edit(`kept/${file}`, /\[\[\d+/, '[[7');
  forget();
  keepMade(kept);
  t.deepEqual(twice(), [
    ['two', 5],
    ['two', 5],
  ]);
  project.write({ [`kept/${file}`]: '{"of": 3' });
  forget();
  keepMade(kept);
  t.deepEqual(made(old), ['two', 6]);
  project.remove('data');
  t.throws(() => made(project.file('data')), { code: 'ENOENT' });
  forget();
});

test.serial('a memory that is broken or can not be written makes nothing wrong; places are listed', (t) => {
  forget();
  const project = createProject(t, { data: 'one', kept: 'a file where the folder should be' });
  keepMade(project.file('kept'));
  forgetLooks();
  const { make } = counting(project);
  // The executable was there long before this process.
  const places = [process.execPath, project.dir];
  t.deepEqual(madeOf(places, 'text', make), { text: 'one' });
  t.deepEqual(madeOf([process.execPath], 'text', make), { text: 'one' });
  t.deepEqual([...listedLooks().keys()], places);
  forget();
});

test('the parts of a file are its bytes', (t) => {
  const project = createProject(t, { data: 'abcdefg', nothing: '' });
  const parts = [...disk.parts(project.file('data'), 3)].map((part) => part.length);
  t.deepEqual(parts, [3, 3, 1]);
  let text = '';
  for (const part of disk.parts(project.file('data'), 3)) text += Buffer.from(part).toString();
  t.deepEqual([text, [...disk.parts(project.file('nothing'))]], ['abcdefg', []]);
  t.throws(() => [...disk.parts(project.file('gone'))], { code: 'ENOENT' });
});
