import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { judgeAttempt } from '../../../framework/slurm/attempt.ts';
import { checkWanted, parseNodes } from '../../../framework/slurm/cluster.ts';
import { tailOf } from '../../../framework/slurm/ends.ts';
import {
  commonName,
  formatIndices,
  formatScript,
  jobName,
  resourceOptions,
} from '../../../framework/slurm/script.ts';
import { checkSetup, checkTimes } from '../../../framework/slurm/setup.ts';
import { isFull, isLasting, submitLimit } from '../../../framework/slurm/trial.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { explainZodError } from '../../../framework/stage/issues.ts';
import { aheadOf, slurmResourcesOf, slurmSchema } from '../../../framework/stage/slurm.ts';
import { createProject } from '../../support/project.ts';

const plain = { args: [], setup: [], pack: 1 };

test('the script of a job', (t) => {
  const script = formatScript({
    name: jobName('sweep', ['tokenizer/peco@size=64/seed-0', 'tokenizer/peco@size=128/seed-0']),
    comment: '20261127-001500-sweep-3f2a',
    dir: "/shared/it's 100%/.peco/slurm/20261127-001500-sweep-3f2a",
    cwd: '/home/a b',
    indices: [7, 0, 1, 2],
    atOnce: 3,
    dependencies: ['afterok:12_0', 'aftercorr:13'],
    resources: {
      ...{ partition: 'gpu', account: 'vision', qos: 'long', time: '90s', cpus: 8, memory: '16G' },
      ...{ gpus: 'a100:1', gres: 'shard:2', constraint: 'nvme&ib', pack: 1 },
      args: ['--exclude=node7', `--reservation=it's "a b"`],
      setup: ['module load cuda'],
    },
    ahead: 120,
    node: '/opt/node/bin/node',
    program: '/shared/peco-exp/bin/peco-exp.js',
  });
  t.snapshot(script);
});

/** Ends a job again and again: how, what its script asked of Slurm, and what it said. Slurm itself is a fake. */
function endJob(
  t: ExecutionContext,
  process: string,
  { state = 'RUNNING', setup = [] as string[], times = 1 } = {},
) {
  const project = createProject(t, {
    'bin/scontrol': `#!/bin/sh\necho "$*" >> calls\necho "JobId=12 JobState=${state} Reason=None"\n`,
    'bin/sleep': '#!/bin/sh\n',
    node: `#!/bin/sh\n${process}\n`,
    '3.memory': '500 1000\n',
  });
  for (const program of ['bin/scontrol', 'bin/sleep', 'node']) fs.chmodSync(project.file(program), 0o755);
  const { dir } = project;
  const about = { name: 'a', comment: 'a', dir, cwd: dir, indices: [3], dependencies: [], ahead: 60 };
  const script = formatScript({
    ...about,
    resources: { ...plain, setup },
    node: project.file('node'),
    program: 'x',
  });
  project.write({ script });
  // As Slurm has it for the last task of an array.
  const job = { SLURM_JOB_ID: '12', SLURM_ARRAY_JOB_ID: '12', SLURM_ARRAY_TASK_ID: '3' };
  const env = { ...job, PATH: `${project.file('bin')}:/usr/bin:/bin` };
  const ends = Array.from({ length: times }, () =>
    spawnSync('bash', ['script'], { cwd: dir, env, encoding: 'utf8' }),
  );
  const calls = fs.existsSync(project.file('calls')) ? project.read('calls').trim().split('\n') : [];
  const asked = calls.filter((call) => !call.includes('show job'));
  return { code: ends.at(-1)!.status, asked, said: ends.at(-1)!.stderr };
}

test('a script takes back its own task, but nothing that was cancelled', (t) => {
  t.deepEqual(endJob(t, 'exit 0'), { code: 0, asked: [], said: '' });
  t.deepEqual(endJob(t, 'exit 75'), { code: 75, asked: ['requeue 12_3'], said: '' });
  t.deepEqual(endJob(t, 'exit 75', { state: 'COMPLETING' }), { code: 75, asked: [], said: '' });
  t.deepEqual(endJob(t, 'kill -9 $$', { state: 'CANCELLED' }).asked, []);
  t.deepEqual(endJob(t, 'exit 76').asked, ['requeue 12_3', 'update JobId=12_3 MinMemoryNode=1000']);
  t.deepEqual(endJob(t, 'exit 76', { state: 'COMPLETING' }).asked, []);
});

test('a job that is asked to stop before its process listens goes back into the queue, but not for ever', (t) => {
  const inSetup = { setup: ['set -e', 'kill -TERM $$'] };
  t.deepEqual(endJob(t, 'exec /bin/sleep 60', inSetup).asked, ['requeue 12_3']);
  const { code, asked, said } = endJob(t, 'exec /bin/sleep 60', { ...inSetup, times: 5 });
  t.is(code, 143);
  t.is(asked.length, 4);
  t.regex(said, /its process was ended 5 times before it had begun/);
});

test('names of jobs say experiment and stage, and fit', (t) => {
  t.is(jobName('a', ['tokenizer/peco/seed-0']), 'peco-exp/a/tokenizer/peco/seed-0');
  t.is(
    commonName(['tokenizer/peco@size=16/seed-0', 'tokenizer/peco@size=128/seed-0']),
    'tokenizer/peco@size=*',
  );
  t.is(commonName(['evaluation/a', 'tokenizer/a']), '*');
  const long = jobName('a', [`tokenizer/${'x'.repeat(500)}/seed-7`]);
  t.true(long.length <= 200);
  t.regex(long, /^peco-exp\/a\/tokenizer\/x+\.\.\.x+\/seed-7$/);
});

test('indices of an array as ranges', (t) => {
  t.is(formatIndices([3, 0, 1, 2, 9, 7, 8, 20]), '0-3,7-9,20');
});

const nodes = `peco-exp|PARTITION|AVAIL|TIMELIMIT|CPUS|MEMORY|GRES|AVAIL_FEATURES
peco-exp|main*|up|1:00:00|4|8000|(null)|test
peco-exp|gpu|up|2-00:00:00|64|512000|gpu:a100:4(S:0-1)|nvme,ib
peco-exp|gpu|up|2-00:00:00|64|256000|gpu:v100:8|nvme
peco-exp|old|down|infinite|16|64000|(null)|(null)
`;

test('what the cluster does not have is an error for each field, before anything is submitted', (t) => {
  const cluster = { groups: parseNodes(nodes), maxArraySize: 1001, samplesMemory: false };
  const check = (...wanted: readonly object[]) => {
    const all = wanted.map((some, at) => ({ resources: { ...plain, ...some }, stage: `stage-${at}` }));
    return t.throws(() => checkWanted(all, cluster));
  };
  const error = check(
    { partition: 'gpuu' },
    { time: '2h' },
    { partition: 'gpu', cpus: 65 },
    { partition: 'gpu', memory: '600G' },
    { partition: 'gpu', gpus: 'a100:8' },
    { partition: 'gpu', gpus: 'a100:4', memory: '300G', constraint: 'ib' },
    { partition: 'gpu', gpus: 8, memory: '300G' },
    { partition: 'gpu', gres: 'gpu:v100:9,shard' },
    { partition: 'gpu', constraint: 'fast' },
    { partition: 'old' },
  );
  t.snapshot(formatError(error));
  t.notThrows(() =>
    checkWanted([{ resources: { ...plain, gpus: 8, partition: 'gpu' }, stage: 'a' }], cluster),
  );
  t.notThrows(() => checkWanted([{ resources: { ...plain, time: '1h', cpus: 4 }, stage: 'a' }], cluster));
});

test('a refusal that may be otherwise later is none; what an account lets wait limits arrays', (t) => {
  // From Slurm 22.05.
  const policy = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)";
  const lasting = [
    'Invalid account or account/partition combination specified',
    'Requested node configuration is not available',
    `QOSMaxCpuPerUserLimit; allocation failure: ${policy}`,
  ];
  const passing = [
    `AssocMaxSubmitJobLimit; allocation failure: ${policy}`,
    `QOSMaxSubmitJobPerUserLimit; allocation failure: ${policy}`,
    `AssocGrpSubmitJobsLimit; allocation failure: ${policy}`,
    'Unable to contact slurm controller (connect failure)',
    'Slurm temporarily unable to accept job, sleeping and retrying',
  ];
  t.deepEqual(
    [lasting.map(isLasting), passing.map(isLasting)],
    [lasting.map(() => true), passing.map(() => false)],
  );
  t.deepEqual(passing.map(isFull), [true, true, true, false, true]);

  const accounts = [
    ['vision', '', '', 'normal,short'],
    ['small', '5', '', 'normal'],
  ];
  const classes = [
    ['normal', '', '', ''],
    ['short', '3', '', '7'],
  ];
  const limit = (...wanted: { account?: string; qos?: string }[]) => submitLimit(wanted, accounts, classes);
  t.is(limit({ account: 'vision', qos: 'normal' }), Number.POSITIVE_INFINITY);
  t.is(limit({ account: 'small' }), 5);
  t.is(limit({ account: 'small' }, { account: 'vision', qos: 'short' }), 3);
  t.is(limit({}), 3, 'any of them may be meant');
});

test('what a stage asks for: its kind over its role over all, the experiment over the settings, hints last', (t) => {
  const settings = {
    partition: 'main',
    cpus: 2,
    stages: { tokenizer: { partition: 'gpu', gpus: 1 }, 'tokenizer/vqvae': { gpus: 2 } },
  };
  const experiment = { time: '2h', stages: { tokenizer: { time: '8h' } } };
  const of = (role: 'tokenizer' | 'report', kind: string) =>
    slurmResourcesOf({ role, kind }, [settings, experiment]);
  t.deepEqual(of('tokenizer', 'vqvae'), { ...plain, partition: 'gpu', cpus: 2, gpus: 2, time: '8h' });
  t.deepEqual(of('tokenizer', 'dvae'), { ...plain, partition: 'gpu', cpus: 2, gpus: 1, time: '8h' });
  t.deepEqual(of('report', 'table'), { ...plain, partition: 'main', cpus: 2, time: '2h' });
  const hinted = slurmResourcesOf({ role: 'report', kind: 'table' }, [{ cpus: 2 }], {
    cores: 8,
    memory: 1000,
  });
  t.deepEqual(hinted, { ...plain, cpus: 2, memory: '1512M' });
});

test('a pack by time is no longer than its job has before it must save', (t) => {
  const packOf = (...options: object[]) => slurmResourcesOf({ role: 'report', kind: 'table' }, options).pack;
  t.is(packOf({ pack: 4, time: '3m' }), 4);
  t.deepEqual(packOf({ pack: '10m' }), { seconds: 600 });
  t.deepEqual(packOf({ pack: '10m', time: '1h' }), { seconds: 600 });
  t.deepEqual(packOf({ pack: '10m', time: '8m' }), { seconds: 360 });
  t.deepEqual(packOf({ pack: '10m', ahead: '30s' }, { stages: { report: { time: '8m' } } }), {
    seconds: 450,
  });
  t.deepEqual(packOf({ pack: '10m', time: '1m' }), { seconds: 30 });
  t.deepEqual(packOf({ pack: '10m', time: '1m', ahead: '2m' }), { seconds: 0 });
});

test('a job that would be asked to save as soon as it begins is refused', (t) => {
  const check = (options: object) =>
    checkTimes(
      [{ stage: 'report', resources: slurmResourcesOf({ role: 'report', kind: 'table' }, [options]) }],
      ({ time }) => aheadOf([options], time),
    );
  t.notThrows(() => check({ time: '30s' }));
  t.notThrows(() => check({ ahead: '1h' }));
  t.snapshot(formatError(t.throws(() => check({ time: '90s', ahead: '2m' }))));
});

test('what would break the script of a job, or take what peco-exp says itself, is one error with its field', (t) => {
  const wrong = {
    ...{ partition: 'a b', account: 'x\ny', pack: '10 minutes', memory: '16 GB' },
    args: [
      ...[
        'node7',
        '--exclude node7',
        '--comment=mine',
        '-J',
        '-pgpu',
        '--mem=4G',
        '--reservation=a\nrm -rf /',
      ],
    ],
  };
  const parsed = slurmSchema.safeParse(wrong);
  const issues = explainZodError(parsed.error!, slurmSchema, wrong);
  t.snapshot(issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
  const fine = [
    '-wnode1',
    '--exclude=node[1-7]',
    '--reservation="a \\ b"',
    '--mail-type=END,FAIL',
    '--exclusive',
  ];
  t.deepEqual(slurmSchema.parse({ args: fine, pack: '10m' }), { args: fine, pack: '10m' });
});

test('bash reads the lines of setup before anything is submitted', async (t) => {
  const wanted = (stage: string, ...setup: string[]) => ({ stage, resources: { ...plain, setup } });
  await t.notThrowsAsync(
    checkSetup([wanted('a', 'module load cuda', 'if [ -e x ]; then', '  export A=1\nfi')]),
  );
  const error = await t.throwsAsync(
    checkSetup([
      wanted('tokenizer/a', 'echo "open'),
      wanted('tokenizer/b', 'echo "open'),
      wanted('report', 'cat <<END', 'text'),
    ]),
  );
  t.snapshot(formatError(error));
});

test('values of a sweep with line breaks and emoji are one line of the script, and names are cut between characters', (t) => {
  const name = jobName('a', [
    `tokenizer/peco@text=\u{1F600}\n#SBATCH --hold\u2028${'\u{1F680}'.repeat(300)}/seed-0`,
  ]);
  t.is([...name].length, 199);
  t.is(Buffer.from(name).toString(), name, 'no half of a pair');
  t.regex(
    name,
    /^peco-exp\/a\/tokenizer\/peco@text=\u{1F600} #SBATCH --hold \u{1F680}+\.\.\.\u{1F680}+\/seed-0$/u,
  );
});

test('a task that is asked to stop goes back into the queue while it comes further', (t) => {
  const asked = { interrupted: true, cancelled: false, state: 'RUNNING', made: false, before: new Map() };
  t.is(judgeAttempt({ ...asked, saved: new Map([['a', 40]]) }).end, 'requeue');
  t.is(judgeAttempt({ ...asked, saved: new Map([['a', undefined]]) }).end, 'requeue');
  const again = { ...asked, before: new Map([['a', 40]]) };
  t.is(judgeAttempt({ ...again, saved: new Map([['a', 80]]) }).end, 'requeue');
  const stuck = judgeAttempt({ ...again, saved: new Map([['a', 40]]) });
  t.is(stuck.end, 'failed');
  t.deepEqual(
    stuck.failed.map(({ stage }) => stage),
    ['a'],
  );
  t.is(judgeAttempt({ ...asked, saved: new Map(), cancelled: true }).end, 'failed');
  t.is(judgeAttempt({ ...asked, saved: new Map(), state: 'COMPLETING' }).end, 'failed');
  t.is(
    judgeAttempt({ ...asked, saved: new Map(), state: undefined }).end,
    'requeue',
    'Slurm does not answer',
  );
  t.is(judgeAttempt({ ...asked, interrupted: false, saved: new Map(), made: true }).end, 'done');
});

test('a role may do without the GPUs that others have; memory of 0 would be all of a node to Slurm', (t) => {
  const options = slurmSchema.parse({ gpus: 2, stages: { evaluation: { gpus: 0 } } });
  const of = (role: 'evaluation' | 'tokenizer') =>
    resourceOptions(slurmResourcesOf({ role, kind: 'any' }, [options]));
  t.deepEqual(of('tokenizer'), ['--gres=gpu:2']);
  t.deepEqual(of('evaluation'), []);
  t.true(slurmSchema.safeParse({ memory: '100M' }).success);
  for (const memory of ['0G', '00M', 'lots']) t.false(slurmSchema.safeParse({ memory }).success, memory);
});

test('a log without a word is no last line', (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'peco-exp-log-'));
  t.teardown(() => fs.rmSync(dir, { recursive: true }));
  const log = path.join(dir, '0.log');
  t.deepEqual(tailOf(log), []);
  fs.writeFileSync(log, '\n');
  t.deepEqual(tailOf(log), []);
  fs.writeFileSync(log, 'one\ntwo\n');
  t.deepEqual(tailOf(log), ['one', 'two']);
});
