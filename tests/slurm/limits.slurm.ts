import fs from 'node:fs';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { createRig, everyStage, type Rig } from '../support/rig.ts';
import { createTrainingRig, eventually, isOpenTask, outputsOf, startCluster, taskOf } from './support.ts';

// In turn: each looks at the whole queue.
const test = anyTest.serial as TestFn;
const cluster = startCluster(anyTest as TestFn);

const settings = (slurm: object) => ({
  'peco.config.json': JSON.stringify({ executor: 'slurm', slurm }),
});

/** Most tasks that wrote events at one time: intervals from the first event of each attempt to its last. */
function mostAtOnce(rig: Rig): number {
  const changes: (readonly [time: number, change: 1 | -1])[] = [];
  for (const folder of fs.readdirSync(rig.file('.peco/slurm')))
    for (const name of fs
      .readdirSync(rig.file(`.peco/slurm/${folder}`))
      .filter((one) => one.endsWith('.ndjson'))) {
      const lines = rig.read(`.peco/slurm/${folder}/${name}`).trim().split('\n');
      const events = lines.map(
        (line) => JSON.parse(line) as { readonly time: string; readonly type: string },
      );
      const starts = events.flatMap(({ type }, at) => (type === 'run-started' ? [at] : []));
      for (const [at, start] of starts.entries()) {
        const end = (starts[at + 1] ?? events.length) - 1;
        changes.push([Date.parse(events[start]!.time), 1], [Date.parse(events[end]!.time), -1]);
      }
    }
  let running = 0;
  return Math.max(
    ...changes
      .sort(([a, one], [b, other]) => a - b || one - other)
      .map(([, change]) => {
        running += change;
        return running;
      }),
  );
}

test('no more tasks of an experiment run at once than may, whatever fails, is requeued or submitted later', async (t) => {
  const rig = createRig(t, settings({ jobs: 3, memory: '500M' }), cluster.environment);
  for (const held of ['beit-0', 'beit-1', 'peco-0', 'peco-1']) rig.command(held, 'wait');
  rig.command('mim-peco-0', 'throw');
  const seen: number[] = [];
  const look = async () => {
    const tasks = await cluster.tasks();
    // One that goes back into the queue is COMPLETING for a while, with its processes gone, and its array lets the next begin.
    seen.push(tasks.filter((one) => / RUNNING/.test(one)).length);
    return tasks;
  };
  const { code, stdout } = await rig.peco('run', 'experiment.ts', '--seeds', '0,1');
  t.is(code, 0, stdout);
  const held = () => fs.readdirSync(rig.file('control/reached')).sort();
  await eventually(async () => (await look()) && held().length === 3);
  // More while those wait.
  const more = await rig.peco('run', 'experiment.ts', '--seeds', '0,1,2');
  t.is(more.code, 0, more.stdout);
  t.regex(more.stdout, /16 stages already queued or running/);

  // One saves nothing and goes back into the queue.
  const [tokenizer, seed] = held()[0]!.split('-');
  const running = await taskOf(rig, `tokenizer/${tokenizer}/seed-${seed}`, '--seeds', '0,1');
  await cluster.ask('scancel', '--signal=TERM', '--batch', running);
  await cluster.requeued(running);
  for (const held of ['beit-0', 'beit-1', 'peco-0', 'peco-1']) rig.release(held);
  await eventually(async () => !(await look()).some(isOpenTask));
  t.is(Math.max(...seen), 3);
  t.is(mostAtOnce(rig), 3);

  // All but what depends on the stage that failed.
  const ran = rig.takeRan();
  t.false(ran.includes('probe-peco-0'));
  t.is(new Set(ran).size, 24, ran.join(' '));
  rig.release('mim-peco-0');
  const mended = await rig.peco('run', 'experiment.ts', '--seeds', '0,1,2', '--watch');
  t.is(mended.code, 0, mended.stdout);
  t.deepEqual(rig.takeRan(), ['mim-peco-0', 'probe-peco-0', 'report']);
});

/** A rig whose tokenizer `peco` does something before it trains. */
function memoryRig(t: ExecutionContext, slurm: object, before: string): Rig {
  const rig = createTrainingRig(t, cluster, settings({ memory: '1G', ...slurm }));
  rig.edit(
    'parts/tokenizer.ts',
    'const label =',
    `if (config.name === 'peco') { ${before} }\n  const label =`,
  );
  return rig;
}

/**
 * Takes so many MB. Where the job has less, it stays between what peco-exp takes for too much and what Slurm does: which of
 * them looks first doesn't matter then.
 */
const take = (megabytes: number) => `
  const { readFileSync: read, readdirSync: list } = await import('node:fs');
  const used = (pid: string): number => {
    try {
      const children = list(\`/proc/\${pid}/task\`).flatMap((thread) =>
        read(\`/proc/\${pid}/task/\${thread}/children\`, 'utf8').split(' ').filter(Boolean),
      );
      const kibibytes = Number(/VmRSS:\\s+(\\d+)/.exec(read(\`/proc/\${pid}/status\`, 'utf8'))?.[1] ?? 0);
      return children.reduce((sum, child) => sum + used(child), kibibytes / 1024);
    } catch {
      return 0; // it has ended
    }
  };
  const limit = Number(process.env.SLURM_MEM_PER_NODE ?? Infinity);
  const kept: Buffer[] = ((globalThis as any).kept = []);
  while (kept.length < ${megabytes}) {
    if (used(String(process.ppid)) < 0.965 * limit) kept.push(Buffer.alloc(1e6, 1));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
`;

test('a stage that takes too much memory gets more, and what depends on it waits for it', async (t) => {
  const rig = memoryRig(t, { stages: { tokenizer: { memory: '600M' } } }, take(700));
  const earlier = await cluster.tasks();
  const { code, stdout } = await rig.peco('run', 'experiment.ts');
  t.is(code, 0, stdout);
  await eventually(() => fs.existsSync(rig.file('results/rig/ablation.md')));
  t.deepEqual(rig.takeRan(), everyStage);
  const folder = fs.readdirSync(rig.file('.peco/slurm')).find((name) => name.includes('rig-tokenizer'))!;
  t.is(rig.read(`.peco/slurm/${folder}/1.memory`), '600 1200\n');
  const own = (await cluster.tasks()).filter((one) => !earlier.includes(one));
  t.deepEqual(
    own.filter((one) => one.includes('CANCELLED')),
    [],
  );
  const log = rig.read(`.peco/slurm/${folder}/1.log`);
  t.regex(log, /tokenizer\/peco\/seed-0 {2}.*its job took more memory than it had/);
  // The same as where it had enough at once.
  await rig.peco(
    'run',
    'experiment.ts',
    '--store',
    'other-store',
    '--out',
    'other-results',
    '--executor',
    'local',
  );
  t.deepEqual(outputsOf(rig.file('.peco')), outputsOf(rig.file('other-store')));
});

test('memory grows as far as it may; the next run begins there', async (t) => {
  const rig = memoryRig(t, { stages: { tokenizer: { memory: '500M', memoryMax: '600M' } } }, take(700));
  const { code, stdout } = await rig.peco('run', 'experiment.ts', '--watch');
  t.is(code, 1, stdout);
  t.regex(
    stdout,
    /tokenizer\/peco\/seed-0 {2}FAILED: its job took more memory than it had \(n\d\); it was tried with 500M, 600M/,
  );
  t.regex(stdout, /downstream\/peco\/probe\/seed-0 {2}skipped, because tokenizer\/peco\/seed-0 failed/);
  rig.write(settings({ memory: '1G', stages: { tokenizer: { memory: '500M', memoryMax: '1500M' } } }));
  const again = await rig.peco('run', 'experiment.ts', '--watch');
  t.is(again.code, 0, again.stdout);
  const folders = fs.readdirSync(rig.file('.peco/slurm')).filter((name) => name.includes('tokenizer-peco'));
  t.regex(rig.read(`.peco/slurm/${folders[0]}/script.sh`), /--mem=1200M/);
});

// Its own process can't look meanwhile.
const takeUnseen = `
  const once = process.env.RIG_CONTROL + '/once';
  if (!fs.existsSync(once)) {
    fs.writeFileSync(once, '');
    process.kill(process.ppid, 'SIGSTOP');
    (globalThis as any).kept = Buffer.alloc(8e8, 1);
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  }`;

test('a job that Slurm ends for its memory, before it can say so, is submitted with more by a run that watches', async (t) => {
  const rig = memoryRig(t, { stages: { tokenizer: { memory: '600M' } } }, takeUnseen);
  const first = await rig.peco('run', 'experiment.ts', '--watch');
  t.is(first.code, 0, first.stdout);
  t.regex(
    first.stdout,
    /tokenizer\/peco\/seed-0 {2}its job took more memory than it had: starting it again \(retry 1 of 1\)/,
  );
  // The report was made without it, and once more.
  t.deepEqual(rig.takeRan(), [...everyStage, 'report']);
  t.deepEqual(rig.read('results/rig/ablation.md').match(/peco/g)?.length, 2);
  const folders = fs.readdirSync(rig.file('.peco/slurm')).filter((name) => name.includes('tokenizer-peco'));
  t.regex(rig.read(`.peco/slurm/${folders[0]}/script.sh`), /--mem=1200M/);
});

test('the same of a shared job: what needs other stages of it is made, too', async (t) => {
  const slurm = { jobs: 2, pack: 2, stages: { tokenizer: { memory: '600M' } } };
  const rig = memoryRig(t, slurm, takeUnseen);
  const { code, stdout } = await rig.peco('run', 'experiment.ts', '--watch');
  t.is(code, 0, stdout);
  t.deepEqual(rig.takeRan(), everyStage);
});
