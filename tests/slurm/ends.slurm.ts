import fs from 'node:fs';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { isAlive, type Rig } from '../support/rig.ts';
import { createTrainingRig, eventually, outputsOf, startCluster } from './support.ts';

// In turn: each looks at the whole queue, and some take a node away.
const test = anyTest.serial as TestFn;
const cluster = startCluster(anyTest as TestFn);

/** A rig whose tokenizer `peco` trains for so many steps of 100 ms, and what a run of it makes that nobody disturbs. */
async function trainingRig(t: ExecutionContext, steps: number, slurm: object = {}) {
  const settings = JSON.stringify({ executor: 'slurm', slurm: { memory: '1G', ...slurm } });
  const rig = createTrainingRig(t, cluster, { 'peco.config.json': settings });
  rig.edit('experiment.ts', "name: 'peco', weight: 2", `name: 'peco', weight: 2, steps: ${steps}`);
  const elsewhere = ['--store', 'other-store', '--out', 'other-results', '--executor', 'local'];
  const { code, stdout } = await rig.peco('run', 'experiment.ts', ...elsewhere);
  t.is(code, 0, stdout);
  rig.forget();
  const expected = outputsOf(rig.file('other-store'));
  const isSame = () => t.deepEqual(outputsOf(rig.file('.peco')), expected);
  return { rig, isSame };
}

async function start(rig: Rig): Promise<{ task: string; pid: number }> {
  await rig.peco('run', 'experiment.ts');
  const pid = await rig.reached('peco-0');
  const { stdout } = await rig.peco('status', 'experiment.ts', '--json');
  const line = stdout.split('\n').find((one) => one.includes('"tokenizer/peco/seed-0"'))!;
  return { task: (JSON.parse(line) as { readonly task: string }).task, pid };
}

const finished = (rig: Rig) => eventually(() => fs.existsSync(rig.file('results/rig/ablation.md')));

test('asked to stop by Slurm, a training saves, goes back into the queue and ends in the same bytes', async (t) => {
  const { rig, isSame } = await trainingRig(t, 60);
  const { task } = await start(rig);
  await cluster.ask('scancel', '--signal=TERM', '--batch', task);
  await finished(rig);
  t.deepEqual(
    rig.takeRan().filter((label) => label.startsWith('peco-0')),
    ['peco-0', 'peco-0 resumed'],
  );
  isSame();
});

test('preempted by a job of more priority, a training resumes after it and ends in the same bytes', async (t) => {
  const { rig, isSame } = await trainingRig(t, 80);
  await start(rig);
  await cluster.ask(
    'sbatch',
    '--partition=urgent',
    '--nodes=2',
    '--exclusive',
    '--output=/dev/null',
    '--wrap=sleep 3',
  );
  await finished(rig);
  t.deepEqual(
    rig.takeRan().filter((label) => label.startsWith('peco-0')),
    ['peco-0', 'peco-0 resumed'],
  );
  isSame();
});

test('ahead of its time limit a training saves and is requeued, as often as it needs', async (t) => {
  const { rig, isSame } = await trainingRig(t, 600, { stages: { tokenizer: { time: '1m' } }, ahead: '40s' });
  await start(rig);
  await finished(rig);
  const ran = rig.takeRan().filter((label) => label.startsWith('peco-0'));
  t.true(ran.length >= 2, String(ran));
  isSame();
});

test('a job whose process is killed is tried again, and resumes', async (t) => {
  const { rig, isSame } = await trainingRig(t, 60);
  const { pid } = await start(rig);
  const parent = Number(/^PPid:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
  process.kill(parent, 'SIGKILL');
  await finished(rig);
  t.is(rig.takeRan().filter((label) => label.startsWith('peco-0')).length, 2);
  isSame();
});

test('a node that fails gives its stage to another, and nothing is stored twice', async (t) => {
  const { rig, isSame } = await trainingRig(t, 150);
  const { task } = await start(rig);
  const node = (await cluster.tasks()).find((one) => one.startsWith(`${task} `))!.split(' ')[2]!;
  process.kill(cluster.pidOf(node), 'SIGKILL');
  t.teardown(() => cluster.startNode(node).catch(() => {}));
  await eventually(async () => !(await cluster.tasks()).includes(`${task} RUNNING ${node}`));
  await finished(rig);
  isSame();
});

test('a job that takes more memory than it has is reported as that', async (t) => {
  const { rig } = await trainingRig(t, 3, { stages: { tokenizer: { memory: '300M' } } });
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

test('kill -9 of the process that watches: another one comes back to the same jobs', async (t) => {
  const { rig, isSame } = await trainingRig(t, 100);
  const first = rig.start('run', 'experiment.ts', '--watch');
  const pid = await rig.reached('peco-0');
  first.process.kill('SIGKILL');
  await first.done;
  t.true(isAlive(pid));
  const { code, stdout } = await rig.peco('run', 'experiment.ts', '--watch');
  t.is(code, 0, stdout);
  t.deepEqual(
    rig.takeRan().filter((label) => label.startsWith('peco-0')),
    ['peco-0'],
  );
  isSame();
});
