/**
 * The stage that ends a rung of a halved sweep: it ranks the points by what measured them. Its inputs are the
 * evaluations of the rung, named by point and seed: `2/0`, `2/1`.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import type { StageContext, StageInput, StageResult } from '../../stage/contract.ts';
import { own } from '../../stage/own.ts';
import { StageError } from '../../stage/stage-error.ts';

/** Config of the stage. A type, so that it is JSON for the compiler, too. */
export type SelectionConfig = {
  readonly metric: string;
  readonly better: 'higher' | 'lower';
  /** How many points go on. */
  readonly survivors: number;
  /** Inputs that are missing because a stage of this rung failed. Points that ended in a rung before are not listed. */
  readonly failed?: readonly string[];
};

/** What the stage writes to `rankingFile`. */
export interface Ranking {
  readonly metric: string;
  readonly better: 'higher' | 'lower';
  readonly survivors: number;
  /** The best first. */
  readonly places: readonly Place[];
}

/** How a point did. */
export interface Place {
  /** Its index in the sweep. */
  readonly point: number;
  /** From 1. */
  readonly rank: number;
  readonly survives: boolean;
  /** The mean over its seeds. Absent if a stage of one of them failed, or its evaluation left the metric out. */
  readonly score?: number;
  /** How many seeds it is the mean of; absent: it is the measure of one. */
  readonly seeds?: number;
}

export const rankingFile = 'ranking.json';

/** Name of the input that holds the measures of a point by a seed. */
export function inputName(point: number, seed: number): string {
  return `${point}/${seed}`;
}

/** The point that an input belongs to. */
export function pointOf(input: string): number {
  return Number.parseInt(input, 10);
}

export async function run(context: StageContext<SelectionConfig>): Promise<StageResult> {
  const { metric, better, survivors, failed = [] } = context.config;
  const scores = new Map<number, (number | undefined)[]>();
  const add = (input: string, score: number | undefined) => {
    const point = pointOf(input);
    scores.set(point, [...(scores.get(point) ?? []), score]);
  };
  const measures = new Map<string, StageMetrics>();
  for (const [name, input] of Object.entries(context.inputs)) measures.set(name, await readMetrics(input));
  expectMetric(metric, measures, context.inputs);
  for (const [name, metrics] of measures) add(name, own(metrics, metric));
  for (const name of failed) add(name, undefined);
  const places = rankPoints(scores, { better, survivors });
  const ranking: Ranking = { metric, better, survivors, places };
  await fs.writeFile(path.join(context.outDir, rankingFile), `${JSON.stringify(ranking, null, 2)}\n`);
  const going = places.filter(({ survives }) => survives);
  const [best, threshold] = [going[0]?.score, going.at(-1)?.score];
  return {
    metrics: {
      points: places.length,
      survivors: going.length,
      ...(best === undefined ? {} : { best }),
      ...(threshold === undefined ? {} : { threshold }),
    },
  };
}

/**
 * Ranks points by the means of their scores. A point without one of its scores counts as worst and never goes on; the
 * order of the points breaks ties.
 *
 * @param scores of every point, seed by seed; undefined where a stage failed
 */
export function rankPoints(
  scores: ReadonlyMap<number, readonly (number | undefined)[]>,
  { better, survivors }: Pick<SelectionConfig, 'better' | 'survivors'>,
): readonly Place[] {
  const worst = better === 'higher' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const points = [...scores].map(([point, ofSeeds]) => {
    const measured = ofSeeds.filter((score) => score !== undefined);
    const score = measured.length < ofSeeds.length ? undefined : meanOf(measured);
    return { point, score, value: score ?? worst, seeds: ofSeeds.length };
  });
  const sign = better === 'higher' ? -1 : 1;
  // Infinities can't be subtracted.
  points.sort((a, b) => (a.value === b.value ? a.point - b.point : sign * (a.value < b.value ? -1 : 1)));
  return points.map(({ point, score, seeds }, index) => ({
    point,
    rank: index + 1,
    survives: index < survivors && score !== undefined,
    ...(score === undefined ? {} : { score }),
    ...(seeds === 1 ? {} : { seeds }),
  }));
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

type StageMetrics = { readonly [name: string]: number };

async function readMetrics({ dir }: StageInput): Promise<StageMetrics> {
  const text = await fs.readFile(path.join(dir, 'metrics.json'), 'utf8');
  return (JSON.parse(text) as { readonly metrics: StageMetrics }).metrics;
}

/** @throws StageError that names the metrics that there are, if no evaluation gives the one that decides */
function expectMetric(
  metric: string,
  measures: ReadonlyMap<string, StageMetrics>,
  inputs: { readonly [name: string]: StageInput },
): void {
  const all = [...measures.values()];
  if (all.some((metrics) => own(metrics, metric) !== undefined)) return;
  const [first] = Object.values(inputs);
  const given = [...new Set(all.flatMap((metrics) => Object.keys(metrics)))].sort().join(', ') || 'none';
  throw new StageError(
    `successiveHalving compares "${metric}", which the evaluation "${first?.kind}" doesn't measure: it gives ${given}`,
    { hint: 'give successiveHalving one of these as `metric`' },
  );
}
