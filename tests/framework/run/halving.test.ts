import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { createLineRenderer } from '../../../framework/cli/progress/lines.ts';
import { formatRunFinished } from '../../../framework/cli/text/text.ts';
import type { StageJob } from '../../../framework/run/executors/executor.ts';
import {
  createHalvedRig,
  disagreeing,
  idsOf,
  nearest,
  planOf,
  reasonsOf,
  run,
  type Score,
  trained,
  twoSeeds,
} from './support/halved-rig.ts';

/** The step at which the training ended that a job continues. */
function continues(job: StageJob): string {
  return fs.readFileSync(path.join(job.descriptors[job.inputs.previous!]!.dir, 'until'), 'utf8');
}

test('after each rung the best go on from their state, and the others are dropped', async (t) => {
  const { jobs, outcome, events, table } = await run(createHalvedRig(t), nearest);
  t.is(outcome.status, 'done');
  const at = (rung: string) =>
    trained(jobs)
      .filter((stage) => stage.endsWith(`${rung}/seed-0`))
      .map((stage) => Number(/weight=(\d)/.exec(stage)![1]))
      .sort();
  const jobOf = (id: string) => jobs.find(({ stage }) => stage === id)!;

  // All points are trained for 10 steps.
  t.deepEqual(at('rung-1'), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  t.false('previous' in jobOf('tokenizer/peco@weight=6/rung-1/seed-0').inputs);

  // The best third goes on from there until step 20.
  t.deepEqual(at('rung-2'), [5, 6, 7]);
  const second = jobOf('tokenizer/peco@weight=6/rung-2/seed-0');
  t.is(second.until, 20);
  t.is(continues(second), '10');

  // The best of these goes on until the end.
  t.deepEqual(
    trained(jobs).filter((stage) => !stage.includes('rung')),
    ['tokenizer/peco@weight=6/seed-0'],
  );
  const last = jobOf('tokenizer/peco@weight=6/seed-0');
  t.is(last.until, undefined);
  t.is(continues(last), '20');

  // Dropped: 6 at rung 1 with two tokenizers, two evaluations, pretraining and probe each; 2 at rung 2 with one less of each.
  t.is(outcome.counts.dropped, 6 * 6 + 2 * 4);
  // Of peco two stages for each of 9 + 3 + 1, then pretraining and probe; two selections; four of beit; the report.
  t.is(outcome.counts.ran, 2 * 13 + 2 + 2 + 4 + 1);

  // An event tells of each dropped stage, and whether it is the first of its point.
  const drops = events.filter((event) => event.type === 'stage-dropped');
  t.is(drops.length, outcome.counts.dropped);
  t.is(drops.filter(({ because }) => because === undefined).length, 8);

  // The table has all rows, and says why some are empty.
  t.snapshot(table.missing.filter(({ task }: { task: string }) => task === 'probe'));
  t.deepEqual(table.variants.length, 10, 'rows that were dropped are still rows');
});

test('a rerun decides the same from what is stored, and runs nothing', async (t) => {
  const rig = createHalvedRig(t);
  const first = await run(rig, nearest);
  const again = await run(rig, () => undefined);
  t.deepEqual(trained(again.jobs), []);
  t.is(again.jobs.length, 0);
  t.is(again.outcome.status, 'done');
  t.is(again.outcome.counts.hit, first.outcome.counts.ran);
  t.is(again.outcome.counts.dropped, first.outcome.counts.dropped);
  t.deepEqual(again.table, first.table);
});

test('another point runs its own stages and selections only, and may push others out', async (t) => {
  const weights = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const rig = createHalvedRig(t, { weights });
  await run(rig, nearest);
  rig.edit('experiment.ts', JSON.stringify(weights), JSON.stringify([6.5, ...weights]));
  const { jobs, outcome } = await run(rig, nearest);
  t.is(outcome.status, 'done');
  t.deepEqual(
    jobs.map(({ stage }) => stage).filter((stage) => !stage.includes('weight=6.5')),
    ['selection/peco/rung-1', 'selection/peco/rung-2', 'report'],
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
  const reasons = reasonsOf(table);
  t.is(reasons.get('peco@weight=1 probe 0'), 'evaluation/peco@weight=1/rung-1/seed-0 failed');
  t.is(reasons.get('peco@weight=5 probe 0'), 'dropped at rung 1 of 3: score 7, 3rd of 6, best 2 went on');
});

test('a selection without a failed point is made again once that has succeeded', async (t) => {
  const rig = createHalvedRig(t, { weights: [1, 2, 3], halving: "{ metric: 'score', rungs: [10] }" });
  const without = await run(rig, (weight) => (weight === 3 ? undefined : weight));
  t.true(trained(without.jobs).includes('tokenizer/peco@weight=2/seed-0'));

  // It fails again: the selection without it is stored.
  const again = await run(rig, () => undefined);
  t.deepEqual(
    again.jobs.map(({ stage }) => stage),
    ['evaluation/peco@weight=3/rung-1/seed-0'],
  );
  t.deepEqual(again.table, without.table);

  // Now it succeeds, and is the best.
  const { jobs, outcome } = await run(rig, (weight) => weight);
  t.is(outcome.status, 'done');
  t.true(jobs.some(({ stage }) => stage === 'selection/peco/rung-1'));
  t.true(trained(jobs).includes('tokenizer/peco@weight=3/seed-0'));
});

test('a point that failed in a rung is not among those that later rungs compare', async (t) => {
  const rig = createHalvedRig(t, { halving: "{ metric: 'score', rungs: [10, 20] }" });
  const { outcome, table } = await run(rig, (weight) => (weight === 1 ? undefined : weight));
  t.is(outcome.status, 'failed');
  const reasons = reasonsOf(table);
  // 9 points: 3 go on to the second rung, one of which goes on to the end.
  t.is(reasons.get('peco@weight=6 probe 0'), 'dropped at rung 1 of 3: score 6, 4th of 9, best 3 went on');
  t.is(reasons.get('peco@weight=8 probe 0'), 'dropped at rung 2 of 3: score 8, 2nd of 3, the best went on');
});

test('where fewer points are left than may go on, those that failed do not', async (t) => {
  const rig = createHalvedRig(t, {
    weights: [1, 2, 3, 4],
    halving: "{ metric: 'score', rungs: [10], keep: 0.5 }",
  });
  const { jobs, table } = await run(rig, (weight) => (weight === 4 ? 1 : undefined));
  t.deepEqual(
    trained(jobs).filter((stage) => !stage.includes('rung')),
    ['tokenizer/peco@weight=4/seed-0'],
  );
  t.is(reasonsOf(table).get('peco@weight=1 probe 0'), 'evaluation/peco@weight=1/rung-1/seed-0 failed');
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

test('a metric that nothing measures fails the selection, which tells which there are', async (t) => {
  const rig = createHalvedRig(t, { halving: "{ metric: 'psnr', rungs: [10] }" });
  const { outcome, events, table } = await run(rig, nearest);
  t.is(outcome.status, 'failed');
  t.is(outcome.counts.failed, 1, 'the points after it did not fail');
  const failed = events.find((event) => event.type === 'stage-failed');
  t.snapshot(failed?.type === 'stage-failed' && [failed.failure.message, failed.tail]);
  t.is(reasonsOf(table).get('peco@weight=1 probe 0'), 'selection/peco/rung-1 failed');
});

test('what is said of a halved run', async (t) => {
  const { events, outcome } = await run(createHalvedRig(t, { weights: [1, 2, 3, 4] }), nearest);
  let text = '';
  const renderer = createLineRenderer({ verbose: false, write: (piece) => (text += piece) });
  for (const event of events) if (event.type === 'stage-dropped') renderer.show(event);
  const finished = { type: 'run-finished', ...outcome, seconds: 1, files: [] } as const;
  t.snapshot([text, ...formatRunFinished(finished, String)].join('\n'));
});

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
  for (const { id, seed, after } of plan.graph.stages)
    if (after) t.deepEqual([after.previous.seed, id.endsWith(`/seed-${seed}`)], [seed, true]);
  // Of 4 points 3 are dropped, with 2 tokenizers, 2 evaluations, pretraining and probe for each of 2 seeds.
  t.is(outcome.counts.dropped, 3 * 6 * 2);
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
  const reasons = reasonsOf(table);
  for (const cell of ['peco@weight=3 tokenizer 0', 'peco@weight=3 probe 0', 'peco@weight=3 probe 1'])
    t.is(reasons.get(cell), 'evaluation/peco@weight=3/rung-1/seed-1 failed');
  t.is(
    reasons.get('peco@weight=4 probe 1'),
    'dropped at rung 1 of 3: score 1 (mean of 2 seeds), 3rd of 4, best 2 went on',
  );
  // What failed is open in the next plan, and so is what depends on how it does.
  t.deepEqual(idsOf(plan, 'dropped'), []);
  t.deepEqual(idsOf((await planOf(rig)).plan, 'run'), [
    'evaluation/peco@weight=3/rung-1/seed-1',
    'selection/peco/rung-1',
  ]);
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
    'dropped at rung 1 of 3: score 6, 2nd of 3, the best went on',
  );
  t.deepEqual(
    table.shared.map(({ variant, stages }: { variant: string; stages: string[] }) => `${variant}: ${stages}`),
    [5, 6, 7].map((seed) => `peco@seed=${seed}: tokenizer/peco@seed=${seed}`),
  );
});
