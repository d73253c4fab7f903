import fs from 'node:fs';
import test from 'ava';
import { formatDot, formatMermaid } from '../../../framework/cli/commands/graph.ts';
import { formatPlan } from '../../../framework/cli/text/plan.ts';
import { formatWhy } from '../../../framework/cli/text/why.ts';
import { estimatePlan } from '../../../framework/plan/estimate.ts';
import { describeDrop } from '../../../framework/plan/fate.ts';
import type { Plan } from '../../../framework/plan/plan.ts';
import { mayRun, type StageNode } from '../../../framework/plan/types.ts';
import { upstreamStages } from '../../../framework/plan/walk.ts';
import { findNearest } from '../../../framework/plan/why.ts';
import { createHalvedRig, disagreeing, idsOf, nearest, planOf, run, twoSeeds } from './support/halved-rig.ts';

/** The plan as it is shown, with times of the stages that may run: each takes a second. */
function shown(plan: Plan): string {
  const recorded = plan.stages.map(({ node, fingerprint }) => ({
    kind: fingerprint.kind,
    config: node.component.config,
    seconds: 1,
  }));
  return formatPlan({ plan, estimate: estimatePlan(plan, recorded, { jobs: 1 }), jobs: 1 }).join('\n');
}

const plannedOf = (plan: Plan, id: string) => plan.stages.find(({ node }) => node.id === id)!;

test('a plan says maybe of what a selection decides, until that is stored', async (t) => {
  const rig = createHalvedRig(t, { weights: [1, 2, 3] });

  // Nothing is stored: all points of the first rung are to run.
  t.snapshot(shown((await planOf(rig)).plan), 'before the run');

  // Everything is: the plan says what is dropped, and why.
  await run(rig, nearest);
  t.snapshot(shown((await planOf(rig)).plan), 'after it');
});

test('what a plan says is dropped is what the run drops', async (t) => {
  const rig = createHalvedRig(t);
  const first = await run(rig, nearest);
  t.deepEqual(idsOf(first.plan, 'dropped'), []);
  const again = await run(rig, () => undefined);
  const dropped = again.events.flatMap((event) => (event.type === 'stage-dropped' ? [event.stage] : []));
  t.deepEqual(idsOf(again.plan, 'dropped').sort(), dropped.sort());
  t.is(again.plan.stages.filter(mayRun).length, 0);
  t.is(again.outcome.counts.hit, idsOf(again.plan, 'hit').length);
  const told = new Map(again.plan.stages.map(({ node, reason }) => [node.id, reason]));
  for (const event of again.events) {
    if (event.type !== 'stage-dropped') continue;
    const { because } = event;
    t.is(told.get(event.stage), because === undefined ? describeDrop(event) : `depends on ${because}`);
  }
});

test('another point leaves a plan open until it is measured; then what is stored may be dropped', async (t) => {
  const rig = createHalvedRig(t, { weights: [1, 2, 3] });
  await run(rig, nearest);

  // The new point has no result, so its rung has no ranking: what is stored of the next rung is still a hit.
  rig.edit('experiment.ts', '[1,2,3]', '[1,2,3,4]');
  const { plan } = await run(rig, nearest);
  t.snapshot(shown(plan), 'before it is measured');

  // It was better than the one that had won.
  const after = await planOf(rig);
  t.snapshot(shown(after.plan), 'after that');
  const loser = plannedOf(after.plan, 'tokenizer/peco@weight=3/seed-0');
  t.deepEqual([loser.status, loser.entry], ['dropped', undefined]);
});

test('a plan leaves a rung open if a number that decides it is not stored', async (t) => {
  const rig = createHalvedRig(t, { weights: [1, 2, 3] });
  await run(rig, nearest);

  // An evaluation is lost: the selection may find its result again, and everything after it with it.
  const evaluation = plannedOf((await planOf(rig)).plan, 'evaluation/peco@weight=1/rung-1/seed-0');
  fs.rmSync(rig.file(`.peco/entries/${evaluation.contentKey}`), { recursive: true });
  const { plan, jobs } = await run(rig, nearest);
  t.snapshot(shown(plan));

  // The same number makes the same selection: nothing else runs.
  t.deepEqual(
    jobs.map(({ stage }) => stage),
    [evaluation.node.id],
  );
  t.is((await planOf(rig)).plan.stages.filter(mayRun).length, 0, 'the run has brought it back');
});

test('a plan leaves a rung open if its selection is not stored, though every number is', async (t) => {
  const rig = createHalvedRig(t, { weights: [1, 2, 3] });
  await run(rig, nearest);
  const selection = plannedOf((await planOf(rig)).plan, 'selection/peco/rung-1');
  fs.rmSync(rig.file(`.peco/entries/${selection.contentKey}`), { recursive: true });
  const { plan, jobs } = await run(rig, nearest);
  t.deepEqual(idsOf(plan, 'dropped'), []);
  t.deepEqual(idsOf(plan, 'run'), ['selection/peco/rung-1']);
  t.like(plannedOf(plan, 'tokenizer/peco@weight=1/rung-2/seed-0'), {
    status: 'maybe',
    reason: 'if among the best 1 of 3 at rung 1',
  });
  t.is(plannedOf(plan, 'selection/peco/rung-2').status, 'maybe', 'who takes part in it is not known');
  t.is(plannedOf(plan, 'report').status, 'maybe', 'nor which rows it has');
  t.deepEqual(
    jobs.map(({ stage }) => stage),
    ['selection/peco/rung-1'],
  );
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
  t.deepEqual(idsOf(plan, 'dropped'), []);

  // The run drops points, and the next plan knows.
  const { outcome, plan: planned } = await run(rig, nearest);
  t.is(outcome.status, 'done');
  t.deepEqual(idsOf(planned, 'dropped'), []);
  t.true(idsOf((await planOf(rig)).plan, 'dropped').length > 0);
});

test('a metric that nothing measures leaves a plan open, and does not fail it', async (t) => {
  const rig = createHalvedRig(t, { weights: [1, 2, 3] });
  await run(rig, nearest);
  rig.edit('experiment.ts', "metric: 'score'", "metric: 'psnr'");
  const { plan } = await planOf(rig);
  t.deepEqual(idsOf(plan, 'dropped'), []);
  t.true(idsOf(plan, 'maybe').includes('tokenizer/peco@weight=1/rung-2/seed-0'));
});

test('a plan of stages in another order says the same', async (t) => {
  const rig = createHalvedRig(t, { weights: [1, 2, 3] });
  await run(rig, nearest);
  const { plan } = await planOf(rig);
  // From the end: each stage after what it waits for, and no earlier than that.
  const backwards = await planOf(rig, (graph) => {
    const stages = new Set<StageNode>();
    const add = (node: StageNode): void => {
      for (const upstream of upstreamStages(node)) add(upstream);
      stages.add(node);
    };
    for (const node of graph.stages.toReversed()) if (node.component.role !== 'report') add(node);
    return { ...graph, stages: [...stages, graph.stages.at(-1)!] };
  });
  t.notDeepEqual(idsOf(backwards.plan, 'dropped'), idsOf(plan, 'dropped'));
  for (const status of ['hit', 'dropped'] as const)
    t.deepEqual(idsOf(backwards.plan, status).sort(), idsOf(plan, status).sort());
});

test('why and graph tell of a dropped stage what dropped it', async (t) => {
  const rig = createHalvedRig(t, { weights: [1, 2, 3] });
  await run(rig, nearest);
  const { plan } = await planOf(rig);
  const ids = ['tokenizer/peco@weight=1/rung-2/seed-0', 'downstream/peco@weight=1/probe/seed-0'];
  const why = (id: string) => formatWhy({ planned: plannedOf(plan, id), pending: {}, upstream: {} });
  t.snapshot(ids.flatMap(why).join('\n'));

  // What is waited for without being in the key is dashed.
  const dot = formatDot(plan);
  t.true(dot.some((line) => line.includes('tooltip="dropped"')));
  t.true(
    dot.includes('  "selection/peco/rung-1" -> "tokenizer/peco@weight=1/rung-2/seed-0" [style=dashed];'),
  );
  t.true(dot.includes('  "evaluation/peco@weight=1/rung-1/seed-0" -> "selection/peco/rung-1";'));
  const mermaid = formatMermaid(plan);
  t.true(mermaid.some((line) => line.endsWith(':::dropped')));
  t.is(mermaid.filter((line) => line.includes(' -.-> ')).length, 2 * 2 * 3);
});

test('why tells of a selection what is new, as of any other stage', async (t) => {
  const rig = createHalvedRig(t, { weights: [1, 2, 3] });
  await run(rig, nearest);
  rig.edit('experiment.ts', "metric: 'score'", "metric: 'score', better: 'lower'");
  const { plan, store } = await planOf(rig);
  const planned = plannedOf(plan, 'selection/peco/rung-1');
  t.is(planned.status, 'run');
  const nearestResult = await findNearest(planned, plan, store);
  t.deepEqual(
    nearestResult?.differences.map(({ type, path, before, after }) => [type, path, before, after]),
    [['config', 'better', 'higher', 'lower']],
  );
});

test('with several seeds, too, what a plan says is dropped is what the run drops', async (t) => {
  const rig = createHalvedRig(t, twoSeeds);
  await run(rig, disagreeing);
  const again = await run(rig, () => undefined);
  t.deepEqual(
    again.jobs.map(({ stage }) => stage),
    [],
  );
  const dropped = again.events.flatMap((event) => (event.type === 'stage-dropped' ? [event.stage] : []));
  t.deepEqual(idsOf(again.plan, 'dropped').sort(), dropped.sort());
  t.is(dropped.length, 3 * 6 * 2);

  // Another seed: which points go on is open until all of them have it.
  rig.edit('experiment.ts', 'seeds: [0,1]', 'seeds: [0,1,2]');
  const { plan } = await planOf(rig);
  t.deepEqual(idsOf(plan, 'dropped'), []);
  t.deepEqual(
    idsOf(plan, 'run').filter((id) => id.startsWith('tokenizer/peco')),
    [1, 2, 3, 4].map((weight) => `tokenizer/peco@weight=${weight}/rung-1/seed-2`),
  );
});
