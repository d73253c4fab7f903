import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { initialise } from '../../framework/cli/commands/init.ts';
import { repository } from '../support/project.ts';
import { createRig } from '../support/rig.ts';

test('init writes a project whose experiment is one that can be run', async (t) => {
  const rig = createRig(t);
  const made = await rig.peco('init', 'my study');
  t.is(made.code, 0, made.stderr);
  t.snapshot(made.stdout);
  const read = (name: string) => fs.readFileSync(rig.file(`my study/${name}`), 'utf8');
  t.is(
    read('experiments/my-question.ts'),
    fs.readFileSync(path.join(repository, 'docs/examples/my-question.ts'), 'utf8'),
  );
  const { dependencies, type } = JSON.parse(read('package.json'));
  t.deepEqual([Object.keys(dependencies), type], [['peco-exp', 'zod'], 'module']);
  fs.mkdirSync(rig.file('my study/node_modules'));
  fs.symlinkSync(repository, rig.file('my study/node_modules/peco-exp'));
  // Plans all stages, and measures no engine.
  const planned = await rig.peco('graph', 'my study/experiments/my-question.ts', '--json');
  t.is(planned.code, 0, planned.stderr);
  t.true(JSON.parse(planned.stdout).stages.length > 10);
});

test('init replaces nothing, and keeps a package.json that is there', async (t) => {
  const { file, write } = createRig(t, {
    'one/tsconfig.json': '{}',
    'one/.gitignore': '',
    'two/package.json': '{ "name": "theirs" }',
  });
  await t.throwsAsync(initialise(file('one')), {
    message: /^tsconfig\.json, \.gitignore in .*: there already, and not replaced$/,
    code: 'file-exists',
  } as never);
  t.deepEqual(fs.readdirSync(file('one')).sort(), ['.gitignore', 'tsconfig.json']);
  const { files, kept, next } = await initialise(file('two'));
  t.deepEqual(next, [
    'npm pkg set type=module',
    'npm install --ignore-scripts peco-exp zod @types/node typescript',
  ]);
  t.deepEqual(kept, ['package.json']);
  t.false(files.includes('package.json'));
  t.is(fs.readFileSync(file('two/package.json'), 'utf8'), '{ "name": "theirs" }');
  write({ three: 'a file' });
  await t.throwsAsync(initialise(file('three')), { code: 'init-write' } as never);
});
