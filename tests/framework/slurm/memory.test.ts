import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { RunOptions } from '../../../framework/run/options.ts';
import { type Cluster, parseNodes } from '../../../framework/slurm/cluster.ts';
import { memoryTerms } from '../../../framework/slurm/grow.ts';
import {
  explainMemory,
  memoryFile,
  nextMemory,
  noteTry,
  readKills,
  readTries,
  watchMemory,
} from '../../../framework/slurm/memory.ts';

type Executor = RunOptions['executor'];
type Job = Parameters<Executor>[0];
type Control = Parameters<Executor>[1];

test('memory doubles up to the most that there is', (t) => {
  t.is(nextMemory(300, 8000), 600);
  t.is(nextMemory(300, 500.5), 500);
  t.is(nextMemory(500, 500), undefined);
  t.is(nextMemory(500, 0), undefined);
});

test('the most that a job may get is what the largest fitting node has, or less where the settings say so', (t) => {
  const nodes =
    'peco-exp|PARTITION\npeco-exp|gpu|up|infinite|64|512000|gpu:a100:4|nvme\npeco-exp|gpu|up|infinite|64|256000|gpu:v100:8|nvme\npeco-exp|main*|up|infinite|8|16000|(null)|(null)\n';
  const cluster: Cluster = { groups: parseNodes(nodes), maxArraySize: 1001, samplesMemory: true };
  const termsOf = (wanted: object) => memoryTerms({ args: [], setup: [], pack: 1, ...wanted }, cluster);
  t.deepEqual(termsOf({ memory: '2G' }), { asked: 2048, most: 16000, sampled: true });
  t.is(termsOf({ partition: 'gpu', memory: '2G' }).most, 512000);
  t.is(termsOf({ partition: 'main,gpu' }).most, 512000);
  t.is(termsOf({ partition: 'gpu', gpus: 8 }).most, 256000);
  t.is(termsOf({ partition: 'gpu', memoryMax: '64G' }).most, 65536);
  t.is(termsOf({ memoryMax: '64G' }).most, 16000);
});

test('what was too little is a line of a file, which the script of the job reads, too', (t) => {
  const file = memoryFile(fs.mkdtempSync(path.join(os.tmpdir(), 'peco-exp-memory-')), 3);
  t.teardown(() => fs.rmSync(path.dirname(file), { recursive: true }));
  t.deepEqual(readTries(file), { had: [] });
  noteTry(file, 300, 600);
  t.is(fs.readFileSync(file, 'utf8'), '300 600\n');
  t.deepEqual(readTries(file), { had: [300], next: 600 });
  noteTry(file, 600, undefined);
  t.deepEqual(readTries(file), { had: [300, 600] });
  t.is(
    explainMemory(readTries(file), 'n1').message,
    'its job took more memory than it had (n1); it was tried with 300M, 600M',
  );
});

test('what the kernel ended for its memory is read from the cgroup of the job, of either version', (t) => {
  // From a node with cgroup v2, one with v1, and one with both.
  const files: { readonly [file: string]: string } = {
    '/sys/fs/cgroup/system.slice/slurmstepd.scope/job_12/step_batch/user/task_0/memory.events':
      'low 0\nhigh 0\nmax 41\noom 2\noom_kill 2\noom_group_kill 0\n',
    '/sys/fs/cgroup/memory/slurm/uid_1000/job_12/step_batch/memory.oom_control':
      'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
  };
  const read = (file: string) => {
    const text = files[file];
    if (text === undefined) throw new Error(`ENOENT: ${file}`);
    return text;
  };
  t.is(readKills('0::/system.slice/slurmstepd.scope/job_12/step_batch/user/task_0\n', read), 2);
  const old =
    '11:cpuset:/slurm/uid_1000/job_12\n4:memory:/slurm/uid_1000/job_12/step_batch\n0::/system.slice\n';
  t.is(readKills(old, read), 1);
  t.is(readKills('3:cpu,cpuacct:/\n', read), undefined);
});

const job = { stage: 'tokenizer/a' } as Job;
const control = { stop: new AbortController().signal, kill: new AbortController().signal } as Control;
const failure = { message: 'its job took more memory than it had' };

/** An executor whose stage ends when it is killed, or at once. */
const killed = {
  type: 'failed',
  failure: { message: 'killed (SIGKILL)' },
  tail: ['last words'],
  crashed: true,
} as const;
const untilKilled: Executor = (_job, { kill }) =>
  new Promise((resolve) => kill.addEventListener('abort', () => resolve(killed)));

test('where Slurm would end a whole job, its stage is ended before, and does not count as crashed', async (t) => {
  const options = { limit: 1000, sampled: true, failure, kills: () => undefined };
  const watch = watchMemory({ ...options, used: () => 951 });
  t.deepEqual(await watch.around(untilKilled)(job, control), {
    type: 'failed',
    failure,
    tail: ['last words'],
  });
  t.deepEqual([...watch.exceeded], ['tokenizer/a']);
});

test('a stage that the kernel ended for its memory is distinguished from one that something else killed', async (t) => {
  let kills: number | undefined = 3;
  const watch = watchMemory({ limit: 1000, sampled: false, failure, used: () => 5000, kills: () => kills });
  const dies = (by: () => void): Executor => {
    return async () => {
      by();
      return killed;
    };
  };
  t.is(await watch.around(dies(() => {}))(job, control), killed);
  t.is(watch.exceeded.size, 0);
  t.deepEqual(
    await watch.around(
      dies(() => {
        kills = 4;
      }),
    )(job, control),
    {
      type: 'failed',
      failure,
      tail: ['last words'],
    },
  );
  t.is(watch.exceeded.size, 1);
  const done: Executor = async () => {
    kills = 5;
    return { type: 'done', images: 0 };
  };
  t.deepEqual(await watch.around(done)(job, control), { type: 'done', images: 0 });
  kills = undefined;
  t.is(await watch.around(dies(() => {}))({ ...job, stage: 'b' }, control), killed);
  t.deepEqual([...watch.exceeded], ['tokenizer/a']);
});
