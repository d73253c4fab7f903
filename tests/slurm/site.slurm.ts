import fs from 'node:fs';
import anyTest, { type TestFn } from 'ava';
import { createRig, everyStage, type Rig } from '../support/rig.ts';
import { eventually, hasAccounting, startCluster } from './support.ts';

// In turn: each looks at the whole queue. Slurm forgets a job a few seconds after its end.
const test = anyTest.serial as TestFn;
const accounting = { PECO_SLURM_ACCOUNTING: hasAccounting ? '1' : '0' };
const cluster = startCluster(anyTest as TestFn, { ...accounting, PECO_SLURM_MIN_JOB_AGE: '2' });
/** What only a Slurm with accounts shows. */
const testAccounts = hasAccounting ? test : test.skip;

const settings = (slurm: object) => ({
  'peco.config.json': JSON.stringify({ executor: 'slurm', slurm: { memory: '500M', ...slurm } }),
});

/** What each stage finds in its environment: `peco-0 n1 0`. */
const noting = `node-of-the-cluster`;
const noteGpus = (rig: Rig) => {
  rig.write({
    [`bin/${noting}`]: `#!/bin/bash
echo "$SLURM_JOB_NAME \${SLURMD_NODENAME:-none} \${CUDA_VISIBLE_DEVICES:-none}" >> $RIG_CONTROL/gpus
exec ${process.execPath} "$@"
`,
  });
  fs.chmodSync(rig.file(`bin/${noting}`), 0o755);
};
const gpusOf = (rig: Rig) => rig.read('control/gpus').trim().split('\n');
const setup = ['export PATH="$PWD/bin:$PATH"'];

test('stages of a GPU each share a node and see different ones; who asks for none sees none', async (t) => {
  const tokenizer = { gpus: 'a100:1' };
  const rig = createRig(t, settings({ node: noting, setup, stages: { tokenizer } }), cluster.environment);
  noteGpus(rig);
  rig.command('beit-0', 'wait');
  rig.command('peco-0', 'wait');
  await rig.peco('run', 'experiment.ts');
  for (const label of ['beit-0', 'peco-0']) await rig.reached(label);
  t.deepEqual(gpusOf(rig).sort(), ['peco-exp/rig/tokenizer/* n1 0', 'peco-exp/rig/tokenizer/* n1 1']);
  for (const label of ['beit-0', 'peco-0']) rig.release(label);
  await eventually(() => fs.existsSync(rig.file('results/rig/ablation.md')));
  t.deepEqual(rig.takeRan(), everyStage);
  t.true(
    gpusOf(rig)
      .slice(2)
      .every((line) => line.endsWith(' none')),
    gpusOf(rig).join('\n'),
  );
});

test('a job may have several GPUs, or any generic resource by its name, and needs no home folder', async (t) => {
  const stages = { tokenizer: { gpus: 'a100:2' }, evaluation: { gres: 'gpu:v100:1' }, report: { gpus: 1 } };
  const homeless = () => ({ ...cluster.environment(), HOME: '/proc/nothing' });
  const rig = createRig(t, settings({ node: noting, setup, stages }), homeless);
  noteGpus(rig);
  const { code, stdout } = await rig.peco('run', 'experiment.ts', '--watch');
  t.is(code, 0, stdout);
  const seen = new Set(gpusOf(rig));
  t.true(seen.has('peco-exp/rig/tokenizer/* n1 0,1'), [...seen].join('\n'));
  t.true(seen.has('peco-exp/rig/evaluation/* n2 0'), [...seen].join('\n'));
  t.true(
    [...seen].some((line) => /^peco-exp\/rig\/report n[12] \d$/.test(line)),
    [...seen].join('\n'),
  );
});

test('what no node has is refused before anything is submitted, by Slurm’s own word where it alone knows', async (t) => {
  const refused = async (stages: object) => {
    const rig = createRig(t, settings({ stages }), cluster.environment);
    const { code, stderr } = await rig.peco('run', 'experiment.ts');
    t.false(fs.existsSync(rig.file('.peco/slurm')), 'nothing was submitted');
    t.false(fs.existsSync(rig.file('.peco/runs')) && fs.readdirSync(rig.file('.peco/runs')).length > 0);
    return `${code}\n${stderr}`;
  };
  t.snapshot(
    await refused({ tokenizer: { gpus: 'a100:3' }, evaluation: { gpus: 3 }, report: { gres: 'shard:1' } }),
  );
  // Each is there, but not on one node; and what is in no list.
  t.snapshot(await refused({ tokenizer: { args: ['--exclude=n1'], gpus: 'a100:1' } }));
  t.snapshot(await refused({ tokenizer: { args: ['--exclude=n7'] }, report: { constraint: 'test&fast' } }));
});

testAccounts('an account or a qos that is not the user’s is refused, with those that are', async (t) => {
  const stages = { tokenizer: { account: 'nope' }, report: { account: 'small', qos: 'short' } };
  const rig = createRig(t, settings({ account: 'vision', qos: 'short', stages }), cluster.environment);
  const { code, stderr } = await rig.peco('run', 'experiment.ts');
  t.is(code, 2);
  t.snapshot(stderr);
  t.false(fs.existsSync(rig.file('.peco/slurm')));
});

testAccounts(
  'an account that takes five tasks at a time gets all of them, one after the other',
  async (t) => {
    const rig = createRig(t, settings({ account: 'small' }), cluster.environment);
    const tokenizers = ['beit-0', 'beit-1', 'beit-2', 'peco-0', 'peco-1', 'peco-2'];
    for (const label of tokenizers) rig.command(label, 'wait');
    // Three seeds: arrays of six tasks are cut, since the account would never take them.
    const flags = ['experiment.ts', '--seeds', '0,1,2'];
    const first = await rig.peco('run', ...flags);
    t.is(first.code, 1);
    t.regex(first.stdout, /submitted 1 job with 5 stages/);
    t.regex(first.stdout, /20 stages not submitted: sbatch: .*AssocMaxSubmitJobLimit/);
    // The same again finds no room, and says so.
    const again = await rig.peco('run', ...flags);
    t.is(again.code, 1);
    t.regex(again.stdout, /^5 stages already queued or running\n20 stages not submitted/m);
    for (const label of tokenizers) rig.release(label);
    const last = await rig.peco('run', ...flags, '--watch');
    t.is(last.code, 0, last.stdout + last.stderr);
    const ran = rig.takeRan();
    t.is(ran.length, 25);
    t.is(new Set(ran).size, 25, 'nothing ran twice');
  },
);

test('why a job ended without a word is known after Slurm has forgotten it, where it keeps accounts', async (t) => {
  const rig = createRig(t, settings({}), cluster.environment);
  rig.command('beit-0', 'wait');
  await rig.peco('run', 'experiment.ts');
  await rig.reached('beit-0');
  const status = async () => (await rig.peco('status', 'experiment.ts')).stdout;
  const job = /tokenizer\/beit\/seed-0 {2}running in job (\d+_\d+)/.exec(await status())![1]!;
  await cluster.ask('scancel', job);
  await eventually(async () => !(await cluster.tasks()).some((one) => one.startsWith(`${job} `)));
  const accounts = ['--noheader', '--allocations', '--format=State', `--jobs=${job}`];
  if (hasAccounting)
    await eventually(async () => (await cluster.ask('sacct', ...accounts)).includes('CANCELLED'));
  const why = hasAccounting ? 'its job was cancelled' : 'its job ended without a result';
  t.regex(await status(), new RegExp(`tokenizer/beit/seed-0 {2}FAILED: ${why}`));
  await rig.peco('cancel', 'experiment.ts');
});
