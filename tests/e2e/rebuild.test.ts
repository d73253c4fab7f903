import fs from 'node:fs';
import test from 'ava';
import { createRanRig } from '../support/ran-rig.ts';
import { createRig, normalise, type Rig } from '../support/rig.ts';

function resultsOf(rig: Rig): { readonly [file: string]: string } {
  const names = fs.readdirSync(rig.file('results/rig')).filter((name) => name !== 'timing.csv');
  return Object.fromEntries(names.map((name) => [name, rig.read(`results/rig/${name}`)]));
}

test('a report of a finished run has the bytes that the run wrote, and nothing runs', async (t) => {
  const rig = await createRanRig(t);
  const [written, entries] = [resultsOf(rig), rig.entries()];
  rig.forget();
  rig.remove('results/rig/ablation.md');
  rig.edit('results/rig/ablation.csv', '6', '7');
  const { code, stdout } = await rig.peco('report', 'experiment.ts');
  t.is(code, 0);
  t.snapshot(normalise(stdout, rig));
  const { 'run.json': record, ...files } = resultsOf(rig);
  t.like(written, files);
  t.deepEqual(JSON.parse(record!).command, ['report', 'experiment.ts']);
  t.deepEqual(rig.takeRan(), []);
  t.deepEqual(rig.entries(), entries);
  const again = await rig.peco('report', 'experiment.ts', '--tensorboard', 'events');
  t.is(rig.read('results/rig/run.json'), record, 'nothing changed, so nothing was written');
  t.regex(again.stdout, /^ {2}events\/rig: \d+ event files for TensorBoard$/m);
  t.true(fs.existsSync(rig.file('events/rig/tokenizer/beit/seed-0/events.out.tfevents.peco-exp')));
  const refused = await rig.peco('report', 'experiment.ts', '--tensorboard', 'experiment.ts');
  t.is(refused.code, 2);
  t.regex(
    refused.stderr,
    /can't be written to experiment\.ts: .*experiment\.ts is a file, where a folder should be/,
  );
});

test('a report of a part of a run says what is missing, and leaves the store as it is', async (t) => {
  const rig = createRig(t);
  const none = await rig.peco('report', 'experiment.ts');
  t.is(none.code, 2);
  t.snapshot(normalise(none.stderr, rig), 'nothing is stored');
  await rig.peco('run', 'experiment.ts', '--upto', 'downstream/beit/probe', '--upto', 'evaluation/beit');
  const entries = rig.entries();
  rig.forget();
  const { code, stdout } = await rig.peco('report', 'experiment.ts');
  t.is(code, 0);
  t.snapshot(normalise(stdout, rig), 'a row is missing');
  t.deepEqual(rig.takeRan(), ['report'], 'in a folder of its own');
  t.deepEqual(rig.entries(), entries);
  const { missing, cells } = JSON.parse((await rig.peco('report', 'experiment.ts', '--json')).stdout);
  t.is(cells, 2);
  t.deepEqual(missing[0], {
    variant: 'peco',
    task: 'tokenizer',
    seed: 0,
    reason: 'tokenizer/peco/seed-0 has no stored result',
  });
});

test('a report of the user that fails is shown as its error', async (t) => {
  const rig = createRig(t);
  await rig.peco('run', 'experiment.ts', '--upto', 'evaluation/beit');
  rig.edit(
    'parts/report.ts',
    'const rows',
    "if (missing.length > 0) throw new Error('rows are missing');\n  const rows",
  );
  const { code, stderr } = await rig.peco('report', 'experiment.ts');
  t.is(code, 2);
  t.snapshot(normalise(stderr, rig));
});
