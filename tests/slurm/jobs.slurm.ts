import fs from 'node:fs';
import anyTest, { type TestFn } from 'ava';
import { schemas } from '../../framework/cli/json/schemas.ts';
import { testExecutor } from '../support/executor-suite.ts';
import type { Project } from '../support/project.ts';
import { createRig, everyStage, type Rig, until } from '../support/rig.ts';
import { eventually, isOpenTask, startCluster } from './support.ts';

// In turn: each looks at the whole queue.
const test = anyTest.serial as TestFn;
const cluster = startCluster(anyTest as TestFn);
const slurm = ['--executor', 'slurm'];
const watched = [...slurm, '--watch'];

testExecutor(test, 'slurm', watched, cluster.environment);

/** With the project's `bin/` first in the path. */
const withBin = (project: Project) => ({
  ...cluster.environment(),
  PATH: `${project.file('bin')}:${process.env.PATH}`,
});

/** The table of a run on this machine, in another store. */
async function localTable(rig: Rig): Promise<string> {
  await rig.peco('run', 'experiment.ts', '--store', 'other-store', '--out', 'other-results');
  rig.forget();
  return rig.read('other-results/rig/ablation.md');
}

test('without a process that waits the last job writes the table, and the same command submits nothing again', async (t) => {
  const rig = createRig(t, {}, cluster.environment);
  const table = await localTable(rig);
  rig.command('peco-0', 'wait');
  const before = (await cluster.tasks()).length;
  const { code, stdout } = await rig.peco('run', 'experiment.ts', ...slurm);
  t.is(code, 0);
  t.regex(stdout, /submitted 5 jobs with 9 stages/);
  await rig.reached('peco-0');
  t.regex(
    (await rig.peco('run', 'experiment.ts', ...slurm)).stdout,
    /\d+ stages? already queued or running\nscripts/,
  );
  t.is((await cluster.tasks()).length, before + 9);

  const folders = fs.readdirSync(rig.file('.peco/slurm')).sort();
  const tokenizers = `.peco/slurm/${folders.find((name) => name.includes('rig-tokenizer'))}`;
  // What the stage says comes to its events while it goes on.
  await eventually(() => rig.read(`${tokenizers}/1.ndjson`).includes('"stage-progress"'));
  const status = (await rig.peco('status', 'experiment.ts')).stdout;
  t.regex(status, /tokenizer\/peco\/seed-0 {2}running in job \d+_1 on n[12] · step \d\/3/);
  t.regex(status, /report {2}1 stage waiting in job \d+ \(Dependency\)/);

  const lines = (await rig.peco('status', 'experiment.ts', '--json')).stdout.trim().split('\n');
  for (const line of lines) t.is(schemas.status.safeParse(JSON.parse(line)).error?.message, undefined, line);

  rig.release('peco-0');
  await eventually(() => fs.existsSync(rig.file('results/rig/ablation.md')));
  t.is(rig.read('results/rig/ablation.md'), table);
  t.deepEqual(rig.takeRan(), everyStage);

  // The run is one like any other, and results name it and their job.
  await eventually(async () => / done +9 ran /.test((await rig.peco('show')).stdout));
  const [run] = fs.readdirSync(rig.file('.peco/runs'));
  const entries = rig.entries().map((key) => rig.read(`.peco/entries/${key}/manifest.json`));
  for (const { provenance } of entries.map((text) => JSON.parse(text))) {
    t.is(provenance.run, run, provenance.stage);
    t.like(provenance.slurm, { partition: 'main', cluster: 'peco-test' });
    t.regex(
      `${provenance.slurm.job} ${provenance.slurm.task} ${provenance.slurm.node}`,
      /^(\d+) \1_\d n[12]$/,
    );
  }
  const shown = (await rig.peco('show', 'last')).stdout;
  t.regex(
    shown,
    /tokenizer\/peco\/seed-0 {2}started, 1 thread[\s\S]*tokenizer\/peco\/seed-0 {2}done[\s\S]*9 ran/,
    shown,
  );
  const one = (await rig.peco('show', rig.entries()[0]!)).stdout;
  t.true(one.includes(` by run ${run}\n`), one);
  t.regex(one, /in job \d+_\d of Slurm, on n[12], partition main, cluster peco-test\n/);
  t.regex(
    (await rig.peco('diff', run!, 'last')).stdout,
    /: 9 stages the same, 0 different/,
    'the run has all its stages',
  );
  // A colleague sees in the queue whose job it is, and in its log what it does.
  const names = await cluster.ask('squeue', '--noheader', '--states=all', '--format=%j');
  t.true(names.includes('peco-exp/rig/pretraining/*'), names);
  const log = rig.read(`${tokenizers}/1.log`);
  t.regex(log, /tokenizer\/peco\/seed-0 {2}started, 1 thread\ntokenizer\/peco\/seed-0 {2}done/);
});

test('kill -9 of the submitting process: what Slurm has taken is found, the rest is submitted, nothing twice', async (t) => {
  const rig = createRig(t, {}, withBin);
  const table = await localTable(rig);
  rig.command('beit-0', 'wait');
  // The real sbatch, and then the end of who called it, at its third call: before it has heard the number of the job.
  rig.write({
    'bin/sbatch': `#!/bin/bash
if [ "$1" = --test-only ]; then PATH=\${PATH#*:} exec sbatch "$@"; fi
echo x >> ${rig.file('calls')}
real=$(PATH=\${PATH#*:} command -v sbatch)
out=$("$real" "$@") || exit
if [ "$(wc -l < ${rig.file('calls')})" -eq 3 ]; then kill -9 $PPID; fi
echo "$out"
`,
  });
  fs.chmodSync(rig.file('bin/sbatch'), 0o755);
  const before = (await cluster.tasks()).length;
  const { signal } = await rig.start('run', 'experiment.ts', ...slurm).done;
  t.is(signal, 'SIGKILL');
  t.is((await cluster.tasks()).length, before + 6, 'three jobs of two tasks');
  const again = await rig.peco('run', 'experiment.ts', ...slurm);
  t.regex(again.stdout, /submitted 2 jobs with 3 stages/, again.stdout + again.stderr);
  rig.release('beit-0');
  await eventually(() => fs.existsSync(rig.file('results/rig/ablation.md')));
  t.deepEqual(rig.takeRan(), everyStage);
  t.is(rig.read('results/rig/ablation.md'), table);
});

test('an sbatch that is refused half-way: what was submitted runs, the same command submits the rest', async (t) => {
  const rig = createRig(t, {}, withBin);
  const table = await localTable(rig);
  rig.write({
    'bin/sbatch': `#!/bin/bash
if [ "$1" = --test-only ]; then PATH=\${PATH#*:} exec sbatch "$@"; fi
echo x >> ${rig.file('calls')}
if [ "$(wc -l < ${rig.file('calls')})" -eq 3 ]; then echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2; exit 1; fi
PATH=\${PATH#*:} exec sbatch "$@"
`,
  });
  fs.chmodSync(rig.file('bin/sbatch'), 0o755);
  const { code, stdout } = await rig.start('run', 'experiment.ts', ...slurm).done;
  t.is(code, 1);
  t.regex(stdout, /submitted 2 jobs with 4 stages/);
  t.regex(
    stdout,
    /5 stages not submitted: sbatch: .*QOSMaxSubmitJobPerUserLimit\n {2}what was submitted runs; run again/,
  );
  const second = await rig.peco('run', 'experiment.ts', ...watched);
  t.is(second.code, 0, second.stdout + second.stderr);
  t.deepEqual(rig.takeRan(), everyStage);
  t.is(rig.read('results/rig/ablation.md'), table);
});

test('files of a job that can not be written half-way: what was submitted runs, the same command submits the rest', async (t) => {
  const rig = createRig(t, {}, withBin);
  const stages = rig.file('.peco/slurm/stages');
  rig.write({
    'bin/sbatch': `#!/bin/bash
if [ "$1" != --test-only ]; then mv ${stages} ${stages}.away && touch ${stages}; fi
PATH=\${PATH#*:} exec sbatch "$@"
`,
  });
  fs.chmodSync(rig.file('bin/sbatch'), 0o755);
  const { code, stdout } = await rig.peco('run', 'experiment.ts', ...slurm);
  t.is(code, 1, stdout);
  t.regex(stdout, /submitted 1 job with 2 stages\n/);
  t.regex(
    stdout,
    /7 stages not submitted: the files of a job can't be written to .*slurm: .*stages is a file/,
  );
  fs.rmSync(stages);
  fs.renameSync(`${stages}.away`, stages);
  fs.rmSync(rig.file('bin/sbatch'));
  const second = await rig.peco('run', 'experiment.ts', ...watched);
  t.is(second.code, 0, second.stdout + second.stderr);
  t.deepEqual(rig.takeRan(), everyStage);
});

test('cancel ends a run that watches, with what Slurm had no room for', async (t) => {
  const rig = createRig(t, {}, withBin);
  rig.command('beit-0', 'wait');
  rig.write({
    'bin/sbatch': `#!/bin/bash
if [ "$1" != --test-only ]; then
  echo x >> ${rig.file('calls')}
  if [ "$(wc -l < ${rig.file('calls')})" -gt 1 ]; then echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2; exit 1; fi
fi
PATH=\${PATH#*:} exec sbatch "$@"
`,
  });
  fs.chmodSync(rig.file('bin/sbatch'), 0o755);
  const watching = rig.start('run', 'experiment.ts', ...watched);
  await rig.reached('beit-0');
  // What it says when it has asked for all.
  await until(() => watching.stdout().includes('not submitted'));
  const calls = rig.read('calls');
  await rig.peco('cancel', 'experiment.ts');
  const { code, stdout } = await watching.done;
  t.is(code, 1, stdout);
  t.regex(stdout, /tokenizer\/beit\/seed-0 {2}(FAILED: its job was cancelled|saved|interrupted)/);
  t.is(rig.read('calls'), calls, 'nothing more was submitted');
});

test('cancel ends all jobs of the experiment, and nothing comes back', async (t) => {
  const rig = createRig(t, {}, cluster.environment);
  rig.command('beit-0', 'wait');
  await rig.peco('run', 'experiment.ts', ...slurm);
  await rig.reached('beit-0');
  const { stdout } = await rig.peco('cancel', 'experiment.ts');
  t.regex(stdout, /cancelled \d+ tasks/);
  await eventually(async () => !(await cluster.tasks()).some(isOpenTask));
  t.regex(
    (await rig.peco('status', 'experiment.ts')).stdout,
    /tokenizer\/beit\/seed-0 {2}FAILED: its job was cancelled/,
  );
  t.regex(
    (await rig.peco('cancel', 'experiment.ts')).stdout,
    /no job of this experiment is queued or running/,
  );
});

test('an experiment that changed while its jobs were queued fails them, and says so', async (t) => {
  const rig = createRig(t, {}, cluster.environment);
  rig.command('beit-0', 'wait');
  rig.command('peco-0', 'wait');
  await rig.peco('run', 'experiment.ts', ...slurm);
  await rig.reached('beit-0');
  await rig.reached('peco-0');
  rig.edit('experiment.ts', "pretraining({ name: 'mim' })", "pretraining({ name: 'mim', steps: 4 })");
  rig.release('beit-0');
  rig.release('peco-0');
  await eventually(async () => !(await cluster.tasks()).some(isOpenTask));
  const logs = fs
    .readdirSync(rig.file('.peco/slurm'))
    .filter((name) => name.includes('pretraining'))
    .map((name) => rig.read(`.peco/slurm/${name}/0.log`));
  t.regex(
    logs[0]!,
    /pretraining\/beit\/base\/seed-0 is not what it was when it was submitted: its code, config or data changed/,
  );
  const again = await rig.peco('run', 'experiment.ts', ...watched);
  t.is(again.code, 0, again.stdout + again.stderr);
  t.is(rig.takeRan().filter((label) => label.startsWith('mim')).length, 2);
});

test('what the cluster does not have is said before anything is submitted', async (t) => {
  const slurmSettings = {
    partition: 'man',
    cpus: 64,
    stages: { report: { time: '100h', partition: 'main' } },
  };
  const rig = createRig(
    t,
    { 'peco.config.json': JSON.stringify({ executor: 'slurm', slurm: slurmSettings }) },
    cluster.environment,
  );
  const before = (await cluster.tasks()).length;
  const { code, stderr } = await rig.peco('run', 'experiment.ts');
  t.is(code, 2);
  t.snapshot(stderr);
  t.is((await cluster.tasks()).length, before);
});

test('many small stages share jobs; set-up lines run before node, which may be a command of theirs', async (t) => {
  const settings = (pack: number | string) => ({
    ...{ partition: 'main', node: 'node-of-the-cluster', cpus: 2, memory: '1G', time: '10m', pack },
    setup: ['export PATH="$PWD/bin:$PATH"', 'umask 077'],
    args: ['--chdir=/tmp/it\'s "mine" \\ yours', '-xn2'],
  });
  const rig = createRig(
    t,
    {
      'bin/node-of-the-cluster': `#!/bin/bash\necho "$SLURM_JOB_NAME $SLURM_CPUS_PER_TASK" >> ${'$'}RIG_CONTROL/nodes\nexec ${process.execPath} "$@"\n`,
      'peco.config.json': JSON.stringify({ executor: 'slurm', slurm: settings(2) }),
    },
    cluster.environment,
  );
  fs.chmodSync(rig.file('bin/node-of-the-cluster'), 0o755);
  const { code, stdout } = await rig.peco('run', 'experiment.ts', '--watch');
  t.is(code, 0, stdout);
  t.deepEqual(rig.takeRan(), everyStage);
  const packs = [
    'peco-exp/rig/downstream/* 2',
    'peco-exp/rig/evaluation/* 2',
    'peco-exp/rig/pretraining/* 2',
    'peco-exp/rig/report 2',
    'peco-exp/rig/tokenizer/* 2',
  ];
  t.deepEqual(rig.read('control/nodes').trim().split('\n').sort(), packs);
  const shown = await cluster.ask('scontrol', 'show', 'jobs');
  t.true(shown.includes('WorkDir=/tmp/it\'s "mine" \\ yours'), shown);
  t.true(shown.includes('ExcNodeList=n2'), shown);

  // What stages took then is known now.
  fs.rmSync(rig.file('control/nodes'));
  rig.write({ 'peco.config.json': JSON.stringify({ executor: 'slurm', slurm: settings('5m') }) });
  const timed = await rig.peco('run', 'experiment.ts', '--seeds', '1', '--watch');
  t.is(timed.code, 0, timed.stdout);
  t.deepEqual(rig.read('control/nodes').trim().split('\n').sort(), packs);
});
