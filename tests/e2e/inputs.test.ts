import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { createRig, normalise } from '../support/rig.ts';

test('data that changes while a stage uses it: the result is kept, not published, and the next run starts again', async (t) => {
  const rig = createRig(t, { 'images/1.png': 'one', 'images/2.png': 'two' });
  rig.edit('experiment.ts', "data({ name: 'train' })", "data({ name: 'train', folder: 'images' })");
  rig.command('peco-0', 'wait');
  const run = rig.start('run', 'experiment.ts', '--upto', 'tokenizer/peco');
  await rig.reached('peco-0');
  rig.edit('images/2.png', 'two', 'Two');
  rig.release('peco-0');
  const { code, stdout } = await run.done;
  t.is(code, 1);
  t.snapshot(normalise(stdout, rig).replaceAll(/out-[0-9a-f.-]{36,}/g, 'out-<id>'));
  t.deepEqual(rig.entries(), []);
  const [kept] = fs.readdirSync(rig.file('.peco/uncommitted'));
  t.regex(fs.readFileSync(path.join(rig.file('.peco/uncommitted'), kept!, 'weights.txt'), 'utf8'), /^"peco"/);

  rig.forget();
  t.is((await rig.peco('run', 'experiment.ts', '--upto', 'tokenizer/peco')).code, 0);
  t.deepEqual(rig.takeRan(), ['peco-0']);
  t.is((await rig.peco('run', 'experiment.ts', '--upto', 'tokenizer/peco')).code, 0);
  t.deepEqual(rig.takeRan(), []);
});

test('a stage that is stopped keeps its work, but not if its data changed under it', async (t) => {
  const rig = createRig(t, { 'images/1.png': 'one' });
  rig.edit('experiment.ts', "data({ name: 'train' })", "data({ name: 'train', folder: 'images' })");
  rig.command('peco-0', 'wait');
  const left: { [data: string]: string[] } = {};
  for (const data of ['same', 'other']) {
    const run = rig.start('run', 'experiment.ts', '--upto', 'tokenizer/peco');
    await rig.reached('peco-0');
    const [key] = fs.readdirSync(rig.file('.peco/work'));
    rig.write({ [`.peco/work/${key}/checkpoint`]: 'half way' });
    if (data === 'other') rig.edit('images/1.png', 'one', 'One');
    run.process.kill('SIGINT');
    t.is((await run.done).code, 130);
    left[data] = fs.readdirSync(rig.file('.peco/work'));
  }
  t.is(left.same!.length, 1);
  t.deepEqual(left.other, []);
});

test('a package that is upgraded while a stage runs: the result is not published', async (t) => {
  const rig = createRig(t, {
    'node_modules/sums/package.json':
      '{ "name": "sums", "version": "1.0.0", "type": "module", "main": "index.js" }',
    'node_modules/sums/index.js': 'export const sum = (a, b) => a + b;\n',
    'parts/tokenizer.ts':
      "import { sum } from 'sums';\nexport const two = sum(1, 1);\nexport { run } from './stage.ts';\n",
  });
  rig.command('peco-0', 'wait');
  const run = rig.start('run', 'experiment.ts', '--upto', 'tokenizer/peco');
  await rig.reached('peco-0');
  rig.edit('node_modules/sums/package.json', '1.0.0', '2.0.0');
  rig.release('peco-0');
  const { code, stdout } = await run.done;
  t.is(code, 1);
  t.regex(stdout, /its inputs changed while it ran: sums\./);
  t.deepEqual(rig.entries(), []);
});

test('where no store can be, that is said at once', async (t) => {
  const rig = createRig(t);
  fs.symlinkSync('/nowhere/at/all', rig.file('dangling'));
  for (const store of ['/proc/peco', 'dangling']) {
    const { code, stderr } = await rig.peco('run', 'experiment.ts', '--store', store);
    t.is(code, 2);
    t.snapshot(normalise(stderr, rig), store);
  }
});
