import test from 'ava';
import { type Random, random } from '../../components/nn/random.ts';
import type { RunEvent } from '../../framework/run/record/events.ts';
import { createRig, type Invocation, type Rig } from '../support/rig.ts';
import { findStageProcess, latestCheckpoint, readEntries, smallExperiment } from '../support/small.ts';

/** How often the process of a stage is killed, and how often the whole command line while it runs. */
const wanted: { readonly [kind: string]: { readonly stage: number; readonly run: number } } = {
  vgg: { stage: 3, run: 2 },
  dvae: { stage: 3, run: 2 },
  vqvae: { stage: 3, run: 2 },
  'tokenizer-evaluation': { stage: 1, run: 1 },
  'masked-image-modelling': { stage: 2, run: 2 },
  'fine-tune': { stage: 2, run: 2 },
  'linear-probe': { stage: 2, run: 2 },
  'ablation-table': { stage: 1, run: 1 },
};
const training = ['vgg', 'dvae', 'vqvae', 'masked-image-modelling', 'fine-tune'];

interface Reference {
  readonly kind: string;
  readonly key: string;
}

/** One stage of the disturbed runs. */
interface Record {
  readonly kind: string;
  readonly key: string;
  readonly kills: ('stage' | 'run')[];
  /** The step of the latest checkpoint when it was killed. */
  readonly from: number[];
}

/** Kills of the plan that are left for a stage, in random order. */
function planKills(kind: string, draw: Random): ('stage' | 'run')[] {
  const { stage, run } = wanted[kind] ?? { stage: 0, run: 0 };
  const all = [...Array<'stage'>(stage).fill('stage'), ...Array<'run'>(run).fill('run')];
  return Array.from(draw.permutation(all.length), (i) => all[i]!);
}

/** Calls `onEvent` with what `--json` prints, as it comes. */
function listen(invocation: Invocation, onEvent: (event: RunEvent) => void): void {
  let rest = '';
  invocation.process.stdout!.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) onEvent(JSON.parse(line) as RunEvent);
  });
}

async function runReference(rig: Rig): Promise<{ [stage: string]: Reference }> {
  const stages: { [stage: string]: Reference } = {};
  const kinds = new Map<string, string>();
  const run = rig.start('run', 'experiment.ts', '--json', '--store', 'whole', '--out', 'whole-results');
  listen(run, (event) => {
    if (event.type === 'run-started') for (const { stage, kind } of event.stages) kinds.set(stage, kind);
    if (event.type === 'stage-finished') {
      stages[event.stage] = { kind: kinds.get(event.stage)!, key: event.contentKey };
    }
  });
  const { code, stderr } = await run.done;
  if (code !== 0) throw new Error(`the undisturbed run failed: ${stderr}`);
  return stages;
}

/** One run that is disturbed as planned; its exit code, null if it was killed. */
async function disturb(
  rig: Rig,
  draw: Random,
  plans: Map<string, ('stage' | 'run')[]>,
  records: { readonly [stage: string]: Record },
): Promise<number | null> {
  const run = rig.start('run', 'experiment.ts', '--json', '--store', 'killed', '--jobs', '1');
  const cli = run.process.pid!;
  /** The share of the way at which the stage that runs is killed, of this attempt. */
  let share: number | undefined;
  let first: number | undefined;
  /** Only while it trains, which shows a loss. */
  let inTraining = true;
  function kill(stage: string): void {
    const pid = findStageProcess(cli, stage);
    const how = plans.get(stage)?.[0];
    if (pid === undefined || how === undefined) return;
    // Before its parent ends: it ends with that otherwise.
    if (how === 'run') process.kill(pid, 'SIGSTOP');
    process.kill(how === 'stage' ? pid : cli, 'SIGKILL');
    plans.get(stage)!.shift();
    records[stage]!.kills.push(how);
    records[stage]!.from.push(latestCheckpoint(rig, 'killed', records[stage]!.key));
    // A process that outlives its parent for a while is a part of the test.
    if (how === 'run') setTimeout(() => process.kill(pid, 'SIGCONT'), draw.int(300));
    share = undefined;
  }
  listen(run, (event) => {
    if (event.type === 'stage-started' || (event.type as string) === 'stage-retrying') {
      const { stage } = event as { stage: string };
      share = 0.05 + 0.75 * draw.uniform();
      first = undefined;
      inTraining = training.includes(records[stage]!.kind) && draw.uniform() < 0.7;
      // The report shows no progress, and the probe hardly any: it is over within a second.
      const quick = { report: 200, 'linear-probe': 1500 }[stage === 'report' ? stage : records[stage]!.kind];
      if (quick !== undefined) setTimeout(() => kill(stage), draw.int(quick));
    }
    if (event.type !== 'stage-progress' || share === undefined) return;
    if (inTraining && event.values === undefined) return;
    // From where it went on to the end; the probe counts its two phases one by one.
    first ??= event.step;
    if (event.step - first >= share * (event.of - first)) kill(event.stage);
  });
  return (await run.done).code;
}

test('stages of every kind, killed again and again at any step, put out what an undisturbed run does', async (t) => {
  const begin = performance.now();
  const rig = createRig(t, { 'experiment.ts': smallExperiment({ train: 4000, test: 2000, steps: 300 }) });
  const reference = await runReference(rig);
  const kinds = new Set(Object.values(reference).map(({ kind }) => kind));
  t.deepEqual([...kinds].sort(), Object.keys(wanted).sort());

  const draw = random(Number(process.env.SEED ?? 1), 'kills');
  const plans = new Map<string, ('stage' | 'run')[]>();
  const records: { [stage: string]: Record } = {};
  for (const [stage, { kind, key }] of Object.entries(reference)) {
    plans.set(stage, planKills(kind, draw));
    records[stage] = { kind, key, kills: [], from: [] };
  }
  let code: number | null = null;
  let runs = 0;
  while (code !== 0) {
    t.true(++runs < 200, 'it comes to an end');
    // At each step, or so that some steps are done twice.
    process.env.PECO_CHECKPOINT_SECONDS = draw.uniform() < 0.5 ? '0' : '0.3';
    code = await disturb(rig, draw, plans, records);
  }

  const [whole, killed] = [readEntries(rig, 'whole'), readEntries(rig, 'killed')];
  t.deepEqual([...killed.keys()].sort(), [...whole.keys()].sort());
  const rows = Object.keys(wanted).map((kind) => {
    const all = Object.values(records).filter((record) => record.kind === kind);
    const kills = all.flatMap((record) => record.kills);
    const from = all.flatMap((record) => record.from);
    const equal = all.filter(({ key }) => killed.get(key)?.digest === whole.get(key)?.digest).length;
    t.is(equal, all.length, `${kind}: digests`);
    t.true(kills.length >= 1, `${kind} was never killed`);
    if (training.includes(kind))
      t.true(
        from.some((step) => step > 0),
        `${kind} never went on from a checkpoint`,
      );
    const count = (how: string) => kills.filter((each) => each === how).length;
    return `| ${kind} | ${count('stage')} + ${count('run')} | ${from.join(' ')} | ${equal} of ${all.length} |`;
  });
  for (const name of ['ablation.md', 'ablation.csv']) {
    t.is(rig.read(`results/small/${name}`), rig.read(`whole-results/small/${name}`));
  }
  t.log(
    [
      '| stage kind | kills (stage + run) | latest checkpoint then | digests equal |',
      '| --- | --- | --- | --- |',
      ...rows,
      `${runs} runs, ${Math.round((performance.now() - begin) / 1000)} s`,
    ].join('\n'),
  );
});
