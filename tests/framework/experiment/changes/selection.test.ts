import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { rankPoints, run, type SelectionConfig } from '../../../../framework/experiment/changes/selection.ts';
import type { StageContext } from '../../../../framework/stage/contract.ts';
import type { StageError } from '../../../../framework/stage/stage-error.ts';

const rank = (scores: readonly (readonly (number | undefined)[])[], config: Partial<SelectionConfig> = {}) =>
  rankPoints(new Map(scores.entries()), { better: 'higher', survivors: 2, ...config });

test('points are ranked by the means of their scores, the best first', (t) => {
  t.deepEqual(
    rank([
      [1, 2],
      [5, 6],
      [3, 3],
    ]),
    [
      { point: 1, rank: 1, survives: true, score: 5.5, seeds: 2 },
      { point: 2, rank: 2, survives: true, score: 3, seeds: 2 },
      { point: 0, rank: 3, survives: false, score: 1.5, seeds: 2 },
    ],
  );
  t.deepEqual(
    rank(
      [
        [1, 2],
        [5, 6],
        [3, 3],
      ],
      { better: 'lower' },
    ).map(({ point }) => point),
    [0, 2, 1],
  );
});

test('a point without a score is the worst, and never goes on', (t) => {
  t.deepEqual(
    rank([
      [9, undefined],
      [1, 2],
      [undefined, undefined],
    ]),
    [
      { point: 1, rank: 1, survives: true, score: 1.5, seeds: 2 },
      { point: 0, rank: 2, survives: false, seeds: 2 },
      { point: 2, rank: 3, survives: false, seeds: 2 },
    ],
  );
  t.deepEqual(
    rank([[undefined], [-1e308], [1e308]], { better: 'lower' }).map(({ point }) => point),
    [1, 2, 0],
  );
});

test('no point that goes on is worse than one that does not, and of equal ones the first goes on', (t) => {
  const points = fc.array(fc.option(fc.integer({ min: -3, max: 3 }), { nil: undefined }), { maxLength: 12 });
  const config = fc.record({
    better: fc.constantFrom('higher', 'lower'),
    survivors: fc.integer({ min: 1, max: 12 }),
  });
  fc.assert(
    fc.property(points, config, (scores, { better, survivors }) => {
      const places = rank(
        scores.map((score) => [score]),
        { better, survivors },
      );
      t.deepEqual(
        places.map((place) => place.rank),
        scores.map((_score, index) => index + 1),
      );
      const going = places.filter(({ survives }) => survives);
      const measured = scores.filter((score) => score !== undefined).length;
      t.is(going.length, Math.min(survivors, measured));
      for (const one of going) {
        for (const other of places.filter(({ survives }) => !survives)) {
          const [ours, theirs] = [scores[one.point]!, scores[other.point]];
          if (theirs === undefined) continue;
          t.true(better === 'higher' ? ours >= theirs : ours <= theirs);
          if (ours === theirs) t.true(one.point < other.point);
        }
      }
    }),
  );
});

/** A stage of these evaluations, by the names of their inputs, with the metrics that they gave. */
async function select(
  t: ExecutionContext,
  config: SelectionConfig,
  evaluations: { readonly [input: string]: { readonly [metric: string]: number } },
) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'peco-selection-'));
  t.teardown(() => fs.rmSync(dir, { recursive: true }));
  const inputs = Object.entries(evaluations).map(([name, metrics], index) => {
    const folder = path.join(dir, String(index));
    fs.mkdirSync(folder);
    fs.writeFileSync(path.join(folder, 'metrics.json'), JSON.stringify({ engine: 'fake', metrics }));
    return [name, { kind: 'measures', dir: folder }];
  });
  const context = { config, inputs: Object.fromEntries(inputs), outDir: dir };
  const result = await run(context as unknown as StageContext<SelectionConfig>);
  return { result, ranking: JSON.parse(fs.readFileSync(path.join(dir, 'ranking.json'), 'utf8')) };
}

test('the stage writes the ranking, and returns in numbers what it decided', async (t) => {
  const { result, ranking } = await select(
    t,
    { metric: 'psnr', better: 'higher', survivors: 2, failed: ['1/0'] },
    {
      '0/0': { psnr: 20 },
      '0/1': { psnr: 22 },
      '1/1': { psnr: 99 },
      '10/0': { psnr: 30 },
      '10/1': { psnr: 32 },
    },
  );
  t.deepEqual(result, { metrics: { points: 3, survivors: 2, best: 31, threshold: 21 } });
  t.deepEqual(ranking, {
    metric: 'psnr',
    better: 'higher',
    survivors: 2,
    places: [
      { point: 10, rank: 1, survives: true, score: 31, seeds: 2 },
      { point: 0, rank: 2, survives: true, score: 21, seeds: 2 },
      { point: 1, rank: 3, survives: false, seeds: 2 },
    ],
  });
});

test('a metric that no evaluation gives is an error that names those that they give', async (t) => {
  const config = { metric: 'psnr', better: 'higher', survivors: 1 } as const;
  const error = await t.throwsAsync<StageError>(
    select(t, config, { '0/0': { ssim: 1, mse: 2 }, '1/0': { ssim: 2 } }),
    {
      message:
        'successiveHalving compares "psnr", which the evaluation "measures" doesn\'t measure: it gives mse, ssim',
    },
  );
  t.is(error?.hint, 'give successiveHalving one of these as `metric`');
});

test('a point whose evaluation left the metric out, as it may where it is no number, is the worst', async (t) => {
  const config = { metric: 'psnr', better: 'higher', survivors: 2 } as const;
  const { ranking } = await select(t, config, { '0/0': { ssim: 1 }, '1/0': { psnr: 20, ssim: 1 } });
  t.deepEqual(ranking.places, [
    { point: 1, rank: 1, survives: true, score: 20 },
    { point: 0, rank: 2, survives: false },
  ]);
});
