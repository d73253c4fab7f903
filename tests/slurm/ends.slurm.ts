import fs from 'node:fs';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { isAlive, type Rig, until } from '../support/rig.ts';
import { createTrainingRig, eventually, outputsOf, startCluster, taskOf } from './support.ts';

// In turn: each looks at the whole queue, and some take a node away.
const test = anyTest.serial as TestFn;
const cluster = startCluster(anyTest as TestFn);

/** A rig whose tokenizers train for 40 steps, and wait half-way; the outputs of a run without a disturbance. */
async function trainingRig(t: ExecutionContext, slurm: object = {}, trained: readonly string[] = ['peco']) {
  const settings = JSON.stringify({ executor: 'slurm', slurm: { memory: '1G', ...slurm } });
  const rig = createTrainingRig(t, cluster, { 'peco.config.json': settings });
  for (const name of trained) rig.edit('experiment.ts', `name: '${name}'`, `name: '${name}', steps: 40`);
  const elsewhere = ['--store', 'other-store', '--out', 'other-results', '--executor', 'local'];
  const { code, stdout } = await rig.peco('run', 'experiment.ts', ...elsewhere);
  t.is(code, 0, stdout);
  rig.forget();
  rig.command('hold', 'wait');
  const expected = outputsOf(rig.file('other-store'));
  const isSame = () => t.deepEqual(outputsOf(rig.file('.peco')), expected);
  return { rig, isSame };
}

/** Submits, and waits until the training runs. */
async function start(rig: Rig): Promise<{ task: string; pid: number }> {
  await rig.peco('run', 'experiment.ts');
  const pid = await rig.reached('peco-0');
  return { task: await taskOf(rig, 'tokenizer/peco/seed-0'), pid };
}

const hasReport = (rig: Rig) => eventually(() => fs.existsSync(rig.file('results/rig/ablation.md')));

/** Once the process of a training has gone, the next one may go to its end. */
async function finish(rig: Rig, pid: number): Promise<void> {
  await until(() => !isAlive(pid));
  rig.release('hold');
  await hasReport(rig);
}

/** Settings of a job whose end comes when the test wants it, however fast the machine is. */
const timed = { stages: { tokenizer: { time: '10m' } }, ahead: '2m' };

/** Slurm looks every 30 s whose time ends, and asks these to stop. The next attempt has all of its time again. */
async function endTime(task: string, pid: number): Promise<void> {
  await cluster.ask('scontrol', 'update', `JobId=${task}`, 'EndTime=now+2minutes');
  await until(() => !isAlive(pid));
  await cluster.ask('scontrol', 'update', `JobId=${task}`, 'TimeLimit=10');
}

const trained = (rig: Rig) => rig.takeRan().filter((label) => label.startsWith('peco-0'));
const resumed = ['peco-0', 'peco-0 resumed'];

test('asked to stop by Slurm, a training saves, goes back into the queue and ends in the same bytes; another of its array goes on', async (t) => {
  const { rig, isSame } = await trainingRig(t, {}, ['beit', 'peco']);
  const { task, pid } = await start(rig);
  await rig.reached('beit-0');
  // The last of its array: to Slurm its number is that of the array, too.
  t.regex(task, /_1$/);
  await cluster.ask('scancel', '--signal=TERM', '--batch', task);
  await cluster.requeued(task);
  await finish(rig, pid);
  const tokenizers = rig.takeRan().filter((label) => /^(beit|peco)-0/.test(label));
  t.deepEqual(tokenizers, ['beit-0', ...resumed]);
  isSame();
});

test('asked to stop during its set-up, a task goes back into the queue; one that is cancelled then does not', async (t) => {
  const began = (index: number) => `control/began-${index}`;
  const setup = [
    `touch ${began(0).slice(0, -1)}$SLURM_ARRAY_TASK_ID`,
    'while [ -e control/commands/slow ]; do sleep 0.1; done',
  ];
  const settings = JSON.stringify({
    executor: 'slurm',
    slurm: { memory: '1G', stages: { tokenizer: { setup } } },
  });
  const rig = createTrainingRig(t, cluster, { 'peco.config.json': settings });
  rig.command('slow', 'wait');
  await rig.peco('run', 'experiment.ts');
  const cancelled = await taskOf(rig, 'tokenizer/beit/seed-0');
  const stopped = await taskOf(rig, 'tokenizer/peco/seed-0');
  for (const index of [0, 1]) await until(() => fs.existsSync(rig.file(began(index))));
  await cluster.ask('scancel', cancelled);
  await cluster.ask('scancel', '--signal=TERM', '--batch', stopped);
  rig.release('slow');
  await hasReport(rig);
  t.deepEqual(
    rig.takeRan().filter((label) => /^(beit|peco)-0/.test(label)),
    ['peco-0'],
  );
  t.true((await cluster.tasks()).some((one) => one.startsWith(`${cancelled} CANCELLED`)));
  const { stdout } = await rig.peco('status', 'experiment.ts');
  t.regex(stdout, /tokenizer\/beit\/seed-0 {2}FAILED: its job was cancelled/);
});

test('preempted by a job of more priority, a training resumes after it and ends in the same bytes', async (t) => {
  const { rig, isSame } = await trainingRig(t);
  const { pid } = await start(rig);
  const urgent = ['--partition=urgent', '--nodes=2', '--exclusive', '--output=/dev/null', '--wrap=sleep 3'];
  await cluster.ask('sbatch', ...urgent);
  await finish(rig, pid);
  t.deepEqual(trained(rig), resumed);
  isSame();
});

test('ahead of its time limit a training saves and is requeued', async (t) => {
  const { rig, isSame } = await trainingRig(t, timed);
  const { task, pid } = await start(rig);
  await endTime(task, pid);
  await finish(rig, pid);
  t.deepEqual(trained(rig), resumed);
  isSame();
});

test('a training that comes no further in its time fails, and says so', async (t) => {
  const { rig } = await trainingRig(t, timed);
  rig.release('hold');
  rig.command('stick', 'wait');
  const { task, pid } = await start(rig);
  await endTime(task, pid);
  await endTime(task, await rig.reached('peco-0'));
  await hasReport(rig);
  t.deepEqual(trained(rig), resumed);
  const { stdout } = await rig.peco('status', 'experiment.ts');
  t.regex(
    stdout,
    /tokenizer\/peco\/seed-0 {2}FAILED: it saves nothing new in the time that its job has, twice in a row/,
  );
});

test('a job whose process is killed is tried again, and resumes', async (t) => {
  const { rig, isSame } = await trainingRig(t);
  const { pid } = await start(rig);
  const parent = Number(/^PPid:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
  process.kill(parent, 'SIGKILL');
  await finish(rig, pid);
  t.deepEqual(trained(rig), resumed);
  isSame();
});

test('a node that fails gives its stage to another, and nothing is stored twice', async (t) => {
  const { rig, isSame } = await trainingRig(t);
  const { task } = await start(rig);
  const node = (await cluster.tasks()).find((one) => one.startsWith(`${task} `))!.split(' ')[2]!;
  process.kill(cluster.pidOf(node), 'SIGKILL');
  t.teardown(() => cluster.startNode(node));
  // As it is once it has not answered for some minutes.
  await cluster.ask('scontrol', 'update', `NodeName=${node}`, 'State=DOWN', 'Reason=test');
  await eventually(async () => !(await cluster.tasks()).includes(`${task} RUNNING ${node}`));
  rig.release('hold');
  await hasReport(rig);
  isSame();
});

test('a job that takes more memory than it has is reported as that', async (t) => {
  const { rig } = await trainingRig(t, { stages: { tokenizer: { memory: '300M' } } });
  rig.edit(
    'parts/tokenizer.ts',
    'const label =',
    "if (config.name === 'peco') { (globalThis as any).kept = Array.from({ length: 8 }, () => Buffer.alloc(1e8, 1)); await new Promise((resolve) => setTimeout(resolve, 30_000)); }\n  const label =",
  );
  const { code, stdout } = await rig.peco('run', 'experiment.ts', '--watch');
  t.is(code, 1);
  t.log(stdout);
  t.regex(stdout, /tokenizer\/peco\/seed-0 {2}FAILED: its job took more memory than it had/);
});

test('a process that watches may be killed or left: another one comes back to the same jobs', async (t) => {
  const { rig, isSame } = await trainingRig(t);
  const others = ['eval-beit-0', 'probe-beit-0'];
  for (const label of others) rig.command(label, 'wait');
  const first = rig.start('run', 'experiment.ts', '--watch');
  const pid = await rig.reached('peco-0');
  first.process.kill('SIGKILL');
  await first.done;
  t.true(isAlive(pid));
  const second = rig.start('run', 'experiment.ts', '--watch');
  await eventually(() => second.stdout().includes('already queued or running'));
  for (const label of others) rig.release(label);
  for (const ended of [/evaluation\/beit\S+ {2}done/, /downstream\/beit\S+ {2}done/])
    await eventually(() => ended.test(second.stdout()));
  second.process.kill('SIGINT');
  const left = await second.done;
  t.is(left.code, 130, left.stdout);
  // By the first or by the second command: all but what depends on `peco`.
  t.regex(left.stdout, /interrupted in .*: \d stored, \d ran, 5 not finished\n/, left.stdout);
  t.true(isAlive(pid));
  const third = rig.start('run', 'experiment.ts', '--watch');
  await eventually(() => third.stdout().includes('already queued or running'));
  rig.release('hold');
  const { code, stdout } = await third.done;
  t.is(code, 0, stdout);
  t.deepEqual(trained(rig), ['peco-0']);
  isSame();
});
