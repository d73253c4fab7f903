import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { rename } from '../../../framework/files/files.ts';
import { takeLock } from '../../../framework/store/lock.ts';
import { createProject } from '../../support/project.ts';

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
