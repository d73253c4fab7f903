import test from 'ava';
import { readAllocation } from '../../../framework/slurm/allocation.ts';
import { isLive, parseQueue, readState } from '../../../framework/slurm/queue.ts';
import { rowsOf } from '../../../framework/slurm/rows.ts';
import { environmentFor } from '../../../framework/slurm/tools.ts';

test('lines of squeue are read, and a state that no version knows counts as alive', (t) => {
  // From Slurm 22.05.
  const tasks = parseQueue(
    [
      'Welcome to the cluster',
      'peco-exp|ARRAY_JOB_ID|ARRAY_TASK_ID|STATE|REASON|NODELIST|COMMENT',
      'peco-exp|2|2|CANCELLED|DependencyNeverSatisfied||(null)',
      'peco-exp|1|0|COMPLETED|None|n1|x|y',
      "and a second line of its user's",
      'peco-exp|7|N/A|RUNNING|None|n[1-2]|z',
      '',
    ].join('\n'),
  );
  t.deepEqual(
    tasks.map(({ job, index, state, nodes, comment }) => [job, index, state, nodes, comment]),
    [
      ['2', 2, 'CANCELLED', '', ''],
      ['1', 0, 'COMPLETED', 'n1', 'x|y'],
      ['7', 0, 'RUNNING', 'n[1-2]', 'z'],
    ],
  );
  t.deepEqual(tasks.map(isLive), [false, false, true]);
  t.true(isLive({ ...tasks[2]!, state: 'NEW_STATE' }));
  t.false(isLive({ ...tasks[2]!, state: 'PENDING', reason: 'DependencyNeverSatisfied' }));
  t.false(isLive(undefined));
  t.deepEqual(parseQueue('peco-exp|ARRAY_JOB_ID\n'), []);
  for (const text of ['', 'slurm_load_jobs error: Unable to contact slurm controller\n', 'JOBID\n12\n'])
    t.throws(() => parseQueue(text), { code: 'slurm' });
});

test('a job asks squeue a second time for its own state', async (t) => {
  const answers = (...each: (string | undefined)[]) => {
    const asked: string[] = [];
    const squeue = async (args: readonly string[]) => {
      asked.push(args.join(' '));
      const answer = each[asked.length - 1];
      if (answer === undefined)
        throw new Error('slurm_load_jobs error: Socket timed out on send/recv operation');
      return answer;
    };
    return { asked, squeue };
  };
  const busy = answers(undefined, 'Welcome to the cluster\npeco-exp|STATE\npeco-exp|COMPLETING\nGoodbye\n');
  t.is(await readState('12_3', busy.squeue), 'COMPLETING');
  t.deepEqual(busy.asked, ['--jobs=12_3 --format=peco-exp|%T', '--jobs=12_3 --format=peco-exp|%T']);
  const prompt = answers('peco-exp|STATE\npeco-exp|RUNNING\n');
  t.is(await readState('12_3', prompt.squeue), 'RUNNING');
  t.is(prompt.asked.length, 1);
  t.is(await readState('12_3', answers(undefined, undefined).squeue), undefined);
  t.is(await readState('12_3', answers('peco-exp|STATE\n').squeue), undefined);
});

test('lines of accounting are those with as many fields as were asked for', (t) => {
  const text = 'Quota: 3 TB\nCOMPLETED|n1\nCANCELLED by 1000|None assigned\n\n';
  t.deepEqual(rowsOf(text, 2), [
    ['COMPLETED', 'n1'],
    ['CANCELLED by 1000', 'None assigned'],
  ]);
});

test('programs of Slurm get what says where it is and who asks, and no taste of the user or of a job around', (t) => {
  const needed = {
    ...{ PATH: '/bin', SLURM_CONF: 'a', SLURM_CONF_SERVER: 'b', SLURM_CLUSTERS: 'c', SLURM_JWT: 'd' },
    ...{ SLURM_SACK_SOCKET: 'e', SLURM_SACK_KEY: 'f' },
  };
  const others = {
    ...{ SBATCH_PARTITION: 'x', SLURM_JOB_ID: '1', SLURM_ARRAY_TASK_ID: '2', SQUEUE_FORMAT: '%i' },
    ...{ SACCT_FORMAT: 'JobID', SINFO_FORMAT: '%n', SLURM_TIME_FORMAT: 'relative', SQUEUE_STATES: 'R' },
    ...{ SALLOC_ACCOUNT: 'x', SCONTROL_ALL: '1', SLURM_CPUS_PER_TASK: '3', SLURMD_NODENAME: 'n1' },
  };
  t.deepEqual(environmentFor({ ...others, ...needed }), { ...needed, SLURM_TIME_FORMAT: 'standard' });
});

test('what Slurm gives to a job', (t) => {
  const array = { SLURM_JOB_ID: '15', SLURM_ARRAY_JOB_ID: '12', SLURM_ARRAY_TASK_ID: '3' };
  t.deepEqual(readAllocation({ ...array, SLURM_CPUS_ON_NODE: '8', SLURM_MEM_PER_CPU: '500' }), {
    ...{ task: '12_3', job: '12', cores: 8, memory: 4000 },
    origin: { job: '12', task: '12_3', node: null, partition: null, cluster: null },
  });
  const names = { SLURMD_NODENAME: 'n7', SLURM_JOB_PARTITION: 'gpu', SLURM_CLUSTER_NAME: 'c' };
  const one = { SLURM_JOB_ID: '15', SLURM_CPUS_PER_TASK: '4', SLURM_MEM_PER_NODE: '16384', ...names };
  t.deepEqual(readAllocation(one), {
    ...{ task: '15', job: '15', cores: 4, memory: 16384 },
    origin: { job: '15', task: '15', node: 'n7', partition: 'gpu', cluster: 'c' },
  });
  t.is(readAllocation({}), undefined);
});
