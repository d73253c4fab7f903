import fs from 'node:fs';
import test from 'ava';
import { createRanRig } from '../support/ran-rig.ts';
import { createRig, normalise } from '../support/rig.ts';

test('--sweep runs a row a value, shares the rest, and leaves what was there before alone', async (t) => {
  const rig = await createRanRig(t);
  const sweep = ['--sweep', 'tokenizers.peco.weight=2,3,4'];
  const { code, stdout } = await rig.peco('run', 'experiment.ts', ...sweep);
  t.is(code, 0, stdout);
  // Weight 2 is what the file says; each of the others has its tokenizer, evaluation, pretraining and probe.
  const own = ['eval-peco-0', 'mim-peco-0', 'peco-0', 'probe-peco-0'];
  t.deepEqual(rig.takeRan(), [...own, ...own, 'report'].sort());
  for (const row of ['beit', 'peco@weight=2', 'peco@weight=3', 'peco@weight=4'])
    t.true(stdout.includes(`| ${row} |`), row);
  t.is((await rig.peco('run', 'experiment.ts', ...sweep)).code, 0);
  t.deepEqual(rig.takeRan(), []);
});

test('a wrong sweep ends with code 2 before anything runs', async (t) => {
  const rig = createRig(t);
  const sweep = ['--sweep', 'tokenizers.peco.weight=1,heavy', '--sweep', 'tokenizers.peco.wieght=1'];
  const { code, stderr } = await rig.peco('run', 'experiment.ts', ...sweep);
  t.is(code, 2);
  t.snapshot(normalise(stderr, rig));
  t.deepEqual(rig.takeRan(), []);
});

test('of a halved sweep that has run, plan, run, why and accept say what is dropped', async (t) => {
  const rig = createRig(t);
  rig.edit('parts/config.ts', "kind: 'rig-tokenizer',", "kind: 'rig-tokenizer', steps: 'steps',");
  rig.edit(
    'experiment.ts',
    'import { defineExperiment',
    'import { defineExperiment, product, successiveHalving',
  );
  rig.edit(
    'experiment.ts',
    "baseline: 'beit',",
    "baseline: 'beit',\n  sweep: successiveHalving(product({ 'tokenizers.peco.weight': [1, 2] }), { metric: 'score', rungs: [1] }),",
  );
  t.is((await rig.peco('run', 'experiment.ts')).code, 0);
  rig.takeRan();
  const { stdout } = await rig.peco('plan', 'experiment.ts');
  t.snapshot(normalise(stdout, rig), 'plan');
  const plan = JSON.parse((await rig.peco('plan', 'experiment.ts', '--json')).stdout);
  t.is(plan.estimatedSeconds, 0);
  const dropped = plan.stages.filter(({ status }: { status: string }) => status === 'dropped');
  t.is(dropped.length, 4);
  const runs = fs.readdirSync(rig.file('.peco/runs')).length;
  t.snapshot(normalise((await rig.peco('run', 'experiment.ts')).stdout, rig), 'run');
  t.deepEqual(rig.takeRan(), []);
  t.is(fs.readdirSync(rig.file('.peco/runs')).length, runs, 'nothing ran, so nothing is recorded');
  const [{ stage }] = dropped;
  t.snapshot((await rig.peco('why', 'experiment.ts', stage)).stdout, 'why');
  t.like(JSON.parse((await rig.peco('why', 'experiment.ts', stage, '--json')).stdout), {
    status: 'dropped',
    nearest: null,
  });
  rig.edit('parts/report.ts', "'\\n') + '\\n');", "'\\n').concat('\\n'));");
  const firstLine = async () => (await rig.peco('plan', 'experiment.ts')).stdout.split('\n')[0];
  t.is(await firstLine(), 'rig: 18 stages, 13 stored, 1 to run, 4 dropped');
  const accepted = await rig.peco('accept', 'experiment.ts', '--all', stage);
  t.snapshot(accepted.stdout.replace(/is [0-9a-f]{12}/, 'is <key>'), 'accept');
  t.is(await firstLine(), 'rig: 18 stages, 14 stored, 4 dropped');
});
