import fs from 'node:fs';
import anyTest, { type TestFn } from 'ava';
import { createRig, type Rig } from '../support/rig.ts';
import { eventually, startCluster } from './support.ts';

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
  const isRunning = (one: string) => / (RUNNING|COMPLETING)/.test(one);
  const look = async () => {
    const tasks = await cluster.tasks();
    seen.push(tasks.filter(isRunning).length);
    return tasks;
  };
  const { code, stdout } = await rig.peco('run', 'experiment.ts', '--seeds', '0,1');
  t.is(code, 0, stdout);
  await eventually(async () => (await look()).filter(isRunning).length === 3);
  // More while those wait.
  const more = await rig.peco('run', 'experiment.ts', '--seeds', '0,1,2');
  t.is(more.code, 0, more.stdout);
  t.regex(more.stdout, /16 stages already queued or running/);

  // One saves nothing and goes back into the queue.
  const running = (await look()).find(isRunning)!.split(' ')[0]!;
  await cluster.ask('scancel', '--signal=TERM', '--batch', running);
  await eventually(async () => (await look()).some((one) => one.startsWith(`${running} PENDING`)));
  for (const held of ['beit-0', 'beit-1', 'peco-0', 'peco-1']) rig.release(held);
  await eventually(async () => !(await look()).some((one) => / (RUNNING|COMPLETING|PENDING)/.test(one)));
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
