import fs from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { run as rank } from '../../../../framework/experiment/changes/selection.ts';
import { loadExperiment } from '../../../../framework/experiment/load.ts';
import { resolveGraph } from '../../../../framework/plan/graph.ts';
import { type Plan, planRun } from '../../../../framework/plan/plan.ts';
import type { StageGraph, StageStatus } from '../../../../framework/plan/types.ts';
import type { JobResult, StageJob } from '../../../../framework/run/executors/executor.ts';
import type { RunEvent } from '../../../../framework/run/record/events.ts';
import { runExperiment } from '../../../../framework/run/run.ts';
import { openContext } from '../../../../framework/run/worker/context.ts';
import type { StageContext } from '../../../../framework/stage/contract.ts';
import { openStore } from '../../../../framework/store/store.ts';
import { createRig, type Rig } from '../../../support/rig.ts';

/** Score of a point's tokenizer of a seed after so many steps; undefined: its evaluation fails. */
export type Score = (weight: number, until: number, seed: number) => number | undefined;

/** Those whose weight is nearest to 6.4 are best, whatever the rung. */
export const nearest: Score = (weight) => 30 - Math.abs(weight - 6.4);

/** By hand: seed 0 prefers 1, seed 1 prefers 3, the means are 5, 6, 5.5, 1. */
export const disagreeing: Score = (weight, _until, seed) =>
  ({ 1: [9, 1], 2: [6, 6], 3: [1, 10], 4: [1, 1] })[weight]![seed];
export const twoSeeds = { weights: [1, 2, 3, 4], seeds: [0, 1] };

const steps = 40;

/** The rig with a halved sweep over the weight of the tokenizer peco. */
export function createHalvedRig(
  t: ExecutionContext,
  options: {
    readonly weights?: readonly number[];
    readonly halving?: string;
    readonly seeds?: readonly number[];
  } = {},
): Rig {
  const { weights = [1, 2, 3, 4, 5, 6, 7, 8, 9] } = options;
  const { halving = "{ metric: 'score', rungs: [10, 20, 40] }" } = options;
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
    ${halving},
  ),`,
  );
  if (options.seeds) rig.edit('experiment.ts', 'seeds: [0]', `seeds: ${JSON.stringify(options.seeds)}`);
  return rig;
}

export async function planOf(rig: Rig, arrange = (graph: StageGraph) => graph) {
  const { experiment } = await loadExperiment('experiment.ts', { cwd: rig.dir });
  const store = openStore(rig.file('.peco'));
  const plan = await planRun(arrange(resolveGraph(experiment)), { store, root: rig.dir });
  return { plan, store };
}

/** Runs with an executor that forks nothing. The report writes its table as JSON. */
export async function run(rig: Rig, score: Score) {
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
      async executor(job) {
        jobs.push(job);
        return job.stage.startsWith('selection/') ? select(job) : pretend(job, score);
      },
    },
    (event) => events.push(event),
  );
  const file = path.join(rig.file('results'), 'rig/what.json');
  const table = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8'))[0].table : undefined;
  return { plan, jobs, events, outcome, table };
}

/** Selections are real: what is tested is what they decide. */
async function select(job: StageJob): Promise<JobResult> {
  const ignored = () => {};
  const options = { signal: new AbortController().signal, checkpointSeconds: 30 };
  const { context, finish } = openContext(job, { ...options, onProgress: ignored, onWarning: ignored });
  try {
    return { type: 'done', ...finish(await rank(context as StageContext<never>)) };
  } catch (error) {
    return { type: 'failed', failure: { message: (error as Error).message }, tail: [] };
  }
}

function pretend(job: StageJob, score: Score): JobResult {
  const metrics: { [name: string]: number } = {};
  const tokenizer = job.descriptors[job.inputs.tokenizer!];
  if (job.stage.startsWith('evaluation/') && tokenizer) {
    // An early rung leaves word of how far it came in its outputs.
    const until = Number(fs.readFileSync(path.join(tokenizer.dir, 'until'), 'utf8'));
    const value = score(Number(tokenizer.config.weight), until, job.seed);
    if (value === undefined) return { type: 'failed', failure: { message: 'diverged' }, tail: [] };
    metrics.score = value;
  }
  const write = (file: string, text: string) => fs.writeFileSync(path.join(job.outDir, file), text);
  write('until', String(job.until ?? steps));
  write('what.json', JSON.stringify([job.config, job.stage.split('/')[0]]));
  write('metrics.json', JSON.stringify({ engine: 'fake', metrics }));
  return { type: 'done', images: 0 };
}

/** Ids of the trainings of peco that ran, in their order. */
export function trained(jobs: readonly StageJob[]): string[] {
  return jobs.map(({ stage }) => stage).filter((stage) => stage.startsWith('tokenizer/peco'));
}

export function idsOf(plan: Plan, status: StageStatus): string[] {
  return plan.stages.filter((stage) => stage.status === status).map(({ node }) => node.id);
}

/** Why cells of the table have no numbers, by variant, task and seed. */
export function reasonsOf(table: {
  readonly missing: readonly { readonly [name: string]: string }[];
}): ReadonlyMap<string, string> {
  return new Map(
    table.missing.map(({ variant, task, seed, reason }) => [`${variant} ${task} ${seed}`, reason!]),
  );
}
