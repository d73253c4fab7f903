import fs from 'node:fs';
import test from 'ava';
import { disk, forgetLooks, listedLooks } from '../../../framework/stage/disk.ts';
import { keepMade, madeOf } from '../../../framework/stage/made.ts';
import { createProject, type Project } from '../../support/project.ts';

/** The time of the last change is long ago, as that of most data is; that of its stat can't be set, so it is waited for. */
const settled = 2_100;

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

test.serial(
  'what was made of a file is made again when it changes, and not in a later process',
  async (t) => {
    forget();
    const project = createProject(t, { data: 'one' });
    keepMade(project.file('kept'));
    const { make, calls } = counting(project);
    const made = (name = 'text 1') => madeOf([project.file('data')], name, make);
    // It has just changed, and could again within a tick of the clock.
    t.deepEqual([made(), made(), calls()], [{ text: 'one' }, { text: 'one' }, 2]);
    await new Promise((resolve) => setTimeout(resolve, settled));
    t.deepEqual([made(), made(), calls()], [{ text: 'one' }, { text: 'one' }, 3]);
    forget();
    keepMade(project.file('kept'));
    t.deepEqual([made(), calls()], [{ text: 'one' }, 3]);
    t.deepEqual([made('text 2'), calls()], [{ text: 'one' }, 4]);
    project.write({ data: 'two' });
    t.deepEqual([made(), calls()], [{ text: 'two' }, 5]);
    project.remove('data');
    t.throws(() => made(), { code: 'ENOENT' });
    forget();
  },
);

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
