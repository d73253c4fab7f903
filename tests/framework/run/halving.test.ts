import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { formatDot, formatMermaid } from '../../../framework/cli/commands/graph.ts';
import { formatPlan } from '../../../framework/cli/commands/plan.ts';
import { createLineRenderer } from '../../../framework/cli/progress/lines.ts';
import { formatRunFinished } from '../../../framework/cli/text/text.ts';
import { formatWhy } from '../../../framework/cli/text/why.ts';
import { loadExperiment } from '../../../framework/experiment/load.ts';
import { describeStop } from '../../../framework/plan/contest.ts';
import { estimatePlan } from '../../../framework/plan/estimate.ts';
import { resolveGraph } from '../../../framework/plan/graph.ts';
import { type Plan, planRun } from '../../../framework/plan/plan.ts';
import type { StageGraph, StageNode } from '../../../framework/plan/types.ts';
import { mayRun, type StageStatus } from '../../../framework/plan/types.ts';
import { upstreamStages } from '../../../framework/plan/walk.ts';
import type { StageJob } from '../../../framework/run/executors/executor.ts';
import type { RunEvent } from '../../../framework/run/record/events.ts';
import { runExperiment } from '../../../framework/run/run.ts';
import { openStore } from '../../../framework/store/store.ts';
import { createRig, type Rig } from '../../support/rig.ts';

/** Score of a point's tokenizer of a seed after so many steps; undefined: its evaluation fails. */
type Score = (weight: number, until: number, seed: number) => number | undefined;

const steps = 40;
const halving = "{ metric: 'score', rungs: [10, 20, 40] }";

function createHalvedRig(
  t: ExecutionContext,
  options: {
    readonly weights?: readonly number[];
    readonly halving?: string;
    readonly seeds?: readonly number[];
  } = {},
): Rig {
  const { weights = [1, 2, 3, 4, 5, 6, 7, 8, 9] } = options;
  const rig = createRig(t);
  rig.edit('parts/config.ts', "kind: 'rig-tokenizer',", "kind: 'rig-tokenizer',\n  steps: 'steps',");
  rig.edit(
    'experiment.ts',
    'import { defineExperiment }',
    'import { defineExperiment, product, successiveHalving }',
  );
  rig.edit('experiment.ts', "name: 'peco', weight: 2", `name: 'peco', steps: ${steps}`);
  rig.edit(
    'experiment.ts',
    "baseline: 'beit',",
    `baseline: 'beit',
  sweep: successiveHalving(
    product({ 'tokenizers.peco.weight': ${JSON.stringify(weights)} }),
    ${options.halving ?? halving},
  ),`,
  );
  if (options.seeds) rig.edit('experiment.ts', 'seeds: [0]', `seeds: ${JSON.stringify(options.seeds)}`);
  return rig;
}

async function planOf(rig: Rig, arrange = (graph: StageGraph) => graph) {
  const { experiment } = await loadExperiment('experiment.ts', { cwd: rig.dir });
  const store = openStore(rig.file('.peco'));
  const plan = await planRun(arrange(resolveGraph(experiment)), { store, root: rig.dir });
  return { plan, store };
}

/** Runs with an executor that forks nothing. The report writes its table as JSON. */
async function run(rig: Rig, score: Score) {
  const { plan, store } = await planOf(rig);
  const jobs: StageJob[] = [];
  const events: RunEvent[] = [];
  const outcome = await runExperiment(
    plan,
    {
      store,
      root: rig.dir,
      results: rig.file('results'),
      source: { file: rig.file('experiment.ts'), command: [], config: {}, git: async () => null },
      jobs: 2,
      cores: 2,
      engine: 'fake',
      stop: new AbortController().signal,
      kill: new AbortController().signal,
      executor: async (job) => {
        jobs.push(job);
        const metrics: { [name: string]: number } = {};
        const tokenizer = job.descriptors[job.inputs.tokenizer!];
        if (job.stage.startsWith('evaluation/') && tokenizer) {
          // An early rung leaves word of how far it came in its outputs.
          const until = Number(fs.readFileSync(path.join(tokenizer.dir, 'until'), 'utf8'));
          const value = score(Number(tokenizer.config.weight), until, job.seed);
          if (value === undefined) return { type: 'failed', failure: { message: 'diverged' }, tail: [] };
          metrics.score = value;
        }
        fs.writeFileSync(path.join(job.outDir, 'until'), String(job.until ?? steps));
        fs.writeFileSync(
          path.join(job.outDir, 'what.json'),
          JSON.stringify([job.config, job.stage.split('/')[0]]),
        );
        fs.writeFileSync(path.join(job.outDir, 'metrics.json'), JSON.stringify({ engine: 'fake', metrics }));
        return { type: 'done', images: 0 };
      },
    },
    (event) => events.push(event),
  );
  const file = path.join(rig.file('results'), 'rig/what.json');
  const table = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8'))[0].table : undefined;
  return { plan, jobs, events, outcome, table };
}

const trained = (jobs: readonly StageJob[]) =>
  jobs.map(({ stage }) => stage).filter((stage) => stage.startsWith('tokenizer/peco'));

/** Those whose weight is nearest to 6.4 are best, whatever the rung. */
const nearest: Score = (weight) => 30 - Math.abs(weight - 6.4);

test('after each rung the best go on from their state, and the others stop', async (t) => {
  const { jobs, outcome, events, table } = await run(createHalvedRig(t), nearest);
  t.is(outcome.status, 'done');
  const at = (rung: string) =>
    trained(jobs)
      .filter((stage) => stage.endsWith(`${rung}/seed-0`))
      .map((stage) => Number(/weight=(\d)/.exec(stage)![1]))
      .sort();
  t.deepEqual(at('rung-1'), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  t.deepEqual(at('rung-2'), [5, 6, 7]);
  t.deepEqual(
    trained(jobs).filter((stage) => !stage.includes('rung')),
    ['tokenizer/peco@weight=6/seed-0'],
  );
  const last = jobs.find(({ stage }) => stage === 'tokenizer/peco@weight=6/seed-0')!;
  t.is(last.until, undefined);
  const previous = last.descriptors[last.inputs.previous!]!;
  t.is(fs.readFileSync(path.join(previous.dir, 'until'), 'utf8'), '20');
  const second = jobs.find(({ stage }) => stage === 'tokenizer/peco@weight=6/rung-2/seed-0')!;
  t.is(second.until, 20);
  t.is(fs.readFileSync(path.join(second.descriptors[second.inputs.previous!]!.dir, 'until'), 'utf8'), '10');
  const first = jobs.find(({ stage }) => stage === 'tokenizer/peco@weight=6/rung-1/seed-0')!;
  t.false('previous' in first.inputs);

  // Stopped: 6 at rung 1 with two tokenizers, two evaluations, pretraining and probe each; 2 at rung 2 with one less of each.
  t.is(outcome.counts.stopped, 6 * 6 + 2 * 4);
  // Of peco two stages for each of 9 + 3 + 1, then pretraining and probe; four of beit; the report.
  t.is(outcome.counts.ran, 2 * 13 + 2 + 4 + 1);
  const stops = events.filter((event) => event.type === 'stage-stopped');
  t.is(stops.length, outcome.counts.stopped);
  t.is(stops.filter(({ because }) => because === undefined).length, 8);
  t.snapshot(table.missing.filter(({ task }: { task: string }) => task === 'probe'));
  t.deepEqual(table.variants.length, 10, 'rows that were stopped are still rows');
});

test('a rerun decides the same from what is stored, and runs nothing', async (t) => {
  const rig = createHalvedRig(t);
  const first = await run(rig, nearest);
  const again = await run(rig, () => undefined);
  t.deepEqual(trained(again.jobs), []);
  t.is(again.jobs.length, 0);
  t.is(again.outcome.status, 'done');
  t.is(again.outcome.counts.hit, first.outcome.counts.ran);
  t.is(again.outcome.counts.stopped, first.outcome.counts.stopped);
  t.deepEqual(again.table, first.table);
});

test('another point runs its own stages only, and may push others out', async (t) => {
  const weights = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const rig = createHalvedRig(t, { weights });
  await run(rig, nearest);
  rig.edit('experiment.ts', JSON.stringify(weights), JSON.stringify([6.5, ...weights]));
  const { jobs, outcome } = await run(rig, nearest);
  t.is(outcome.status, 'done');
  t.deepEqual(
    jobs.map(({ stage }) => stage).filter((stage) => !stage.includes('weight=6.5')),
    ['report'],
  );
  t.true(trained(jobs).includes('tokenizer/peco@weight=6.5/seed-0'), 'it is the best now');
});

test('failed points are the worst; the order of the points breaks ties', async (t) => {
  const rig = createHalvedRig(t, { weights: [1, 2, 3, 4, 5, 6] });
  const { jobs, outcome, table } = await run(rig, (weight) => (weight <= 2 ? undefined : 7));
  t.is(outcome.status, 'failed');
  t.is(outcome.counts.failed, 3, 'that of beit, whose weight is 1, is one of them');
  // 6 points, a third of them goes on: the first two of the four that tie.
  t.deepEqual(
    trained(jobs)
      .filter((stage) => stage.includes('/rung-2/'))
      .sort(),
    ['tokenizer/peco@weight=3/rung-2/seed-0', 'tokenizer/peco@weight=4/rung-2/seed-0'],
  );
  const reasons = new Map(
    table.missing.map((cell: { variant: string; reason: string }) => [cell.variant, cell.reason]),
  );
  t.is(reasons.get('peco@weight=1'), 'evaluation/peco@weight=1/rung-1/seed-0 failed');
  t.is(reasons.get('peco@weight=5'), 'stopped at rung 1 of 3: score 7, 3rd of 6, best 2 went on');
});

test('lower is better if it is said so', async (t) => {
  const rig = createHalvedRig(t, { halving: "{ metric: 'score', better: 'lower', rungs: [10], keep: 0.5 }" });
  const { jobs } = await run(rig, (weight) => weight);
  t.deepEqual(
    trained(jobs)
      .filter((stage) => !stage.includes('rung'))
      .sort(),
    [1, 2, 3, 4].map((weight) => `tokenizer/peco@weight=${weight}/seed-0`),
  );
});

test('a metric that nobody measures fails the contest and tells which there are', async (t) => {
  const rig = createHalvedRig(t, { halving: "{ metric: 'psnr', rungs: [10] }" });
  const { outcome, events } = await run(rig, nearest);
  t.is(outcome.status, 'failed');
  const failed = events.find((event) => event.type === 'stage-failed');
  t.snapshot(failed?.type === 'stage-failed' && [failed.failure.message, failed.tail]);
});

test('what is said of a halved run', async (t) => {
  const { events, outcome } = await run(createHalvedRig(t, { weights: [1, 2, 3, 4] }), nearest);
  let text = '';
  const renderer = createLineRenderer({ verbose: false, write: (piece) => (text += piece) });
  for (const event of events) if (event.type === 'stage-stopped') renderer.show(event);
  const finished = { type: 'run-finished', ...outcome, seconds: 1, files: [] } as const;
  t.snapshot([text, ...formatRunFinished(finished, String)].join('\n'));
});

/** The plan as it is shown, with times of the stages that may run: each takes a second. */
function shown(plan: Plan): string {
  const recorded = plan.stages.map(({ node, fingerprint }) => ({
    kind: fingerprint.kind,
    config: node.component.config,
    seconds: 1,
  }));
  return formatPlan(plan, estimatePlan(plan, recorded, 1), 1).join('\n');
}

const idsOf = (plan: Plan, status: StageStatus) =>
  plan.stages.filter((stage) => stage.status === status).map(({ node }) => node.id);

test('a plan says maybe of what a contest decides, until its numbers are stored', async (t) => {
  const rig = createHalvedRig(t, { weights: [1, 2, 3] });
  const { plan } = await run(rig, nearest);
  t.snapshot(shown(plan), 'before the run');
  t.snapshot(shown((await planOf(rig)).plan), 'after it');
});

test('what a plan says is stopped is what the run stops', async (t) => {
  const rig = createHalvedRig(t);
  const first = await run(rig, nearest);
  t.deepEqual(idsOf(first.plan, 'stopped'), []);
  const again = await run(rig, () => undefined);
  const stopped = again.events.flatMap((event) => (event.type === 'stage-stopped' ? [event.stage] : []));
  t.deepEqual(idsOf(again.plan, 'stopped').sort(), stopped.sort());
  t.is(again.plan.stages.filter(mayRun).length, 0);
  t.is(again.outcome.counts.hit, idsOf(again.plan, 'hit').length);
  const told = new Map(again.plan.stages.map(({ node, reason }) => [node.id, reason]));
  for (const event of again.events) {
    if (event.type !== 'stage-stopped') continue;
    const { because } = event;
    t.is(told.get(event.stage), because === undefined ? describeStop(event) : `depends on ${because}`);
  }
});

test('another point leaves a plan open until it is measured; then what is stored may be stopped', async (t) => {
  const rig = createHalvedRig(t, { weights: [1, 2, 3] });
  await run(rig, nearest);
  rig.edit('experiment.ts', '[1,2,3]', '[1,2,3,4]');
  const { plan } = await run(rig, nearest);
  t.snapshot(shown(plan), 'before it is measured');
  const after = await planOf(rig);
  t.snapshot(shown(after.plan), 'after that');
  const loser = after.plan.stages.find(({ node }) => node.id === 'tokenizer/peco@weight=3/seed-0')!;
  t.deepEqual([loser.status, loser.entry], ['stopped', undefined]);
});

test('a plan leaves a contest open if a number that decides it is not stored', async (t) => {
  const rig = createHalvedRig(t, { weights: [1, 2, 3] });
  await run(rig, nearest);
  const evaluation = (await planOf(rig)).plan.stages.find(
    ({ node }) => node.id === 'evaluation/peco@weight=1/rung-1/seed-0',
  )!;
  fs.rmSync(rig.file(`.peco/entries/${evaluation.contentKey}`), { recursive: true });
  const { plan } = await run(rig, nearest);
  t.snapshot(shown(plan));
  t.is((await planOf(rig)).plan.stages.filter(mayRun).length, 0, 'the run has brought it back');
});

test('points that are stored from before halving are open too while an earlier rung is', async (t) => {
  const rig = createHalvedRig(t, {
    weights: [1, 2, 3],
    halving: "{ metric: 'score', rungs: [20], keep: 0.9 }",
  });
  await run(rig, nearest);
  rig.edit('experiment.ts', 'rungs: [20], keep: 0.9', 'rungs: [10, 20], keep: 0.5');
  // Rung 2 is stored for some, but who is in it isn't known before rung 1 has run.
  const { plan } = await planOf(rig);
  t.deepEqual(idsOf(plan, 'stopped'), []);
  const { outcome, plan: planned } = await run(rig, nearest);
  t.is(outcome.status, 'done');
  t.deepEqual(idsOf(planned, 'stopped'), []);
  t.true(idsOf((await planOf(rig)).plan, 'stopped').length > 0);
});

test('a metric that nobody measures leaves a plan open, and does not fail it', async (t) => {
  const rig = createHalvedRig(t, { weights: [1, 2, 3] });
  await run(rig, nearest);
  rig.edit('experiment.ts', "metric: 'score'", "metric: 'psnr'");
  const { plan } = await planOf(rig);
  t.deepEqual(idsOf(plan, 'stopped'), []);
  t.true(idsOf(plan, 'maybe').includes('tokenizer/peco@weight=1/rung-2/seed-0'));
});

test('a plan of stages in another order says the same', async (t) => {
  const rig = createHalvedRig(t, { weights: [1, 2, 3] });
  await run(rig, nearest);
  const { plan } = await planOf(rig);
  // Each point by itself, so that stages come before the evaluations that they compete with.
  const pointwise = await planOf(rig, (graph) => {
    const stages = new Set<StageNode>();
    const add = (node: StageNode): void => {
      for (const upstream of upstreamStages(node)) add(upstream);
      stages.add(node);
    };
    for (const node of graph.stages.toReversed()) if (node.component.role !== 'report') add(node);
    return { ...graph, stages: [...stages, graph.stages.at(-1)!] };
  });
  t.notDeepEqual(idsOf(pointwise.plan, 'stopped'), idsOf(plan, 'stopped'));
  for (const status of ['hit', 'stopped'] as const)
    t.deepEqual(idsOf(pointwise.plan, status).sort(), idsOf(plan, status).sort());
});

test('why tells of a stopped stage what stopped it', async (t) => {
  const rig = createHalvedRig(t, { weights: [1, 2, 3] });
  await run(rig, nearest);
  const why = ({ plan }: { plan: Plan }, id: string) => {
    const planned = plan.stages.find(({ node }) => node.id === id)!;
    return formatWhy({ planned, pending: {}, upstream: {} });
  };
  const after = await planOf(rig);
  const ids = ['tokenizer/peco@weight=1/rung-2/seed-0', 'downstream/peco@weight=1/probe/seed-0'];
  t.snapshot(ids.flatMap((id) => why(after, id)).join('\n'));
  t.true(formatDot(after.plan).some((line) => line.includes('tooltip="stopped"')));
  t.true(formatMermaid(after.plan).some((line) => line.endsWith(':::stopped')));
});

/** By hand: seed 0 prefers 1, seed 1 prefers 3, the means are 5, 6, 5.5, 1. */
const disagreeing: Score = (weight, _until, seed) =>
  ({ 1: [9, 1], 2: [6, 6], 3: [1, 10], 4: [1, 1] })[weight]![seed];
const twoSeeds = { weights: [1, 2, 3, 4], seeds: [0, 1] };

test('points are compared by their means over seeds, and all seeds of the best go on', async (t) => {
  const { jobs, outcome, table, plan } = await run(createHalvedRig(t, twoSeeds), disagreeing);
  t.is(outcome.status, 'done');
  const at = (rung: string) =>
    trained(jobs)
      .filter((stage) => stage.includes(rung))
      .sort();
  t.is(at('/rung-1/').length, 4 * 2);
  t.deepEqual(at('/rung-2/'), [
    'tokenizer/peco@weight=2/rung-2/seed-0',
    'tokenizer/peco@weight=2/rung-2/seed-1',
  ]);
  const ends = trained(jobs).filter((stage) => !stage.includes('rung'));
  t.deepEqual(ends.sort(), ['tokenizer/peco@weight=2/seed-0', 'tokenizer/peco@weight=2/seed-1']);
  // Each goes on from the state of its own seed.
  for (const { id, seed, previous } of plan.graph.stages)
    if (previous) t.deepEqual([previous.seed, id.endsWith(`/seed-${seed}`)], [seed, true]);
  // Of 4 points 3 stop, with 2 tokenizers, 2 evaluations, pretraining and probe for each of 2 seeds.
  t.is(outcome.counts.stopped, 3 * 6 * 2);
  t.snapshot(table.missing.filter(({ task }: { task: string }) => task === 'tokenizer'));
});

test('of a point that failed by one seed no seed goes on, and it counts as the worst', async (t) => {
  // Without that seed 3 would be the best by far.
  const score: Score = (weight, until, seed) =>
    weight === 3 && seed === 1 ? undefined : weight === 3 ? 1000 : disagreeing(weight, until, seed);
  const rig = createHalvedRig(t, { ...twoSeeds, halving: "{ metric: 'score', rungs: [10, 20], keep: 0.5 }" });
  const { jobs, outcome, table, plan } = await run(rig, score);
  t.is(outcome.status, 'failed');
  t.is(outcome.counts.failed, 1);
  t.deepEqual(
    [...new Set(trained(jobs).filter((stage) => stage.includes('/rung-2/')))].sort(),
    [1, 2].flatMap((weight) => [0, 1].map((seed) => `tokenizer/peco@weight=${weight}/rung-2/seed-${seed}`)),
  );
  const reasons = new Map<string, string>(
    table.missing.map(({ variant, task, seed, reason }: { [name: string]: string }) => [
      `${variant} ${task} ${seed}`,
      reason,
    ]),
  );
  for (const cell of ['peco@weight=3 tokenizer 0', 'peco@weight=3 probe 0', 'peco@weight=3 probe 1'])
    t.is(reasons.get(cell), 'evaluation/peco@weight=3/rung-1/seed-1 failed');
  t.is(
    reasons.get('peco@weight=4 probe 1'),
    'stopped at rung 1 of 3: score 1 (mean of 2 seeds), 3rd of 4, best 2 went on',
  );
  // What failed is open in the next plan, and so is what depends on how it does.
  t.deepEqual(idsOf(plan, 'stopped'), []);
  t.deepEqual(idsOf((await planOf(rig)).plan, 'run'), ['evaluation/peco@weight=3/rung-1/seed-1']);
});

test('with several seeds, too, what a plan says is stopped is what the run stops', async (t) => {
  const rig = createHalvedRig(t, twoSeeds);
  await run(rig, disagreeing);
  const again = await run(rig, () => undefined);
  t.deepEqual(trained(again.jobs), []);
  const stopped = again.events.flatMap((event) => (event.type === 'stage-stopped' ? [event.stage] : []));
  t.deepEqual(idsOf(again.plan, 'stopped').sort(), stopped.sort());
  t.is(stopped.length, 3 * 6 * 2);
  // Another seed: who goes on is open until all points have it.
  rig.edit('experiment.ts', 'seeds: [0,1]', 'seeds: [0,1,2]');
  const { plan } = await planOf(rig);
  t.deepEqual(idsOf(plan, 'stopped'), []);
  t.deepEqual(
    idsOf(plan, 'run').filter((id) => id.startsWith('tokenizer/peco')),
    [1, 2, 3, 4].map((weight) => `tokenizer/peco@weight=${weight}/rung-1/seed-2`),
  );
});

test('points whose tokenizers all seeds share are trained and measured once', async (t) => {
  const rig = createHalvedRig(t, twoSeeds);
  rig.edit('parts/config.ts', 'weight: z.number()', 'seed: z.int().optional(), weight: z.number()');
  rig.edit('experiment.ts', "'tokenizers.peco.weight': [1,2,3,4]", "'tokenizers.peco.seed': [5, 6, 7]");
  const { jobs, outcome, table } = await run(rig, (_weight, _until, seed) => seed);
  t.is(outcome.status, 'done');
  t.deepEqual(trained(jobs).sort(), [
    'tokenizer/peco@seed=5/rung-1',
    'tokenizer/peco@seed=6/rung-1',
    'tokenizer/peco@seed=7',
    'tokenizer/peco@seed=7/rung-1',
    'tokenizer/peco@seed=7/rung-2',
  ]);
  t.is(
    table.missing.find(({ variant }: { variant: string }) => variant === 'peco@seed=6').reason,
    'stopped at rung 1 of 3: score 6, 2nd of 3, the best went on',
  );
  t.deepEqual(
    table.shared.map(({ variant, stages }: { variant: string; stages: string[] }) => `${variant}: ${stages}`),
    [5, 6, 7].map((seed) => `peco@seed=${seed}: tokenizer/peco@seed=${seed}`),
  );
});
