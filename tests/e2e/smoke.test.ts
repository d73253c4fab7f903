import fs from 'node:fs';
import test from 'ava';
import { createRig, normalise, type Rig } from '../support/rig.ts';

/** The rig, whose tokenizers and data say how small they can be. */
function makeSmall(rig: Rig): void {
  const edit = (before: string, text: string) => rig.edit('parts/config.ts', before, `${text}\n  ${before}`);
  edit('files: ({ folder })', 'smoke: () => ({ folder: undefined }),');
  edit("run: new URL('./tokenizer.ts'", 'smoke: () => ({ steps: 1 }),');
  rig.edit(
    'experiment.ts',
    /data: \{ train: data\(\{ name: 'train'/,
    "data: { train: data({ name: 'train', folder: 'nowhere'",
  );
}

test('a smoke run needs no data, says what it is wherever it shows, and stays apart from the real one', async (t) => {
  const rig = createRig(t);
  makeSmall(rig);

  const refused = await rig.peco('run', 'experiment.ts');
  t.is(refused.code, 2);
  t.snapshot(normalise(refused.stderr, rig), 'a run without data');
  const planned = await rig.peco('plan', 'experiment.ts');
  t.is(planned.code, 0, planned.stderr);
  t.snapshot(normalise(planned.stdout, rig), 'a plan without data');
  t.deepEqual(rig.takeRan(), []);

  const { stdout, code, stderr } = await rig.peco('run', 'experiment.ts', '--smoke', '--jobs', '1');
  t.is(code, 0, stderr);
  t.snapshot(normalise(stdout, rig).split('\n').slice(0, 4).join('\n'), 'a smoke run');
  t.deepEqual(fs.readdirSync(rig.file('results')), ['rig@smoke']);
  t.regex(rig.read('results/rig@smoke/timing.csv'), /smoke run: everything at its smallest size/);
  rig.takeRan();
  t.regex((await rig.peco('run', 'experiment.ts', '--smoke', '--jobs', '1')).stdout, /0 ran/);
  t.deepEqual(rig.takeRan(), []);
  t.regex((await rig.peco('show')).stdout, /done \(smoke\)/);

  // The data is there: the real run has keys and tables of its own.
  rig.write({ 'nowhere/1.png': 'a picture' });
  t.is((await rig.peco('run', 'experiment.ts')).code, 0);
  t.deepEqual(fs.readdirSync(rig.file('results')).sort(), ['rig', 'rig@smoke']);
  t.notRegex(rig.read('results/rig/timing.csv'), /smoke/);
});
