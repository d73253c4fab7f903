import fs from 'node:fs/promises';
import path from 'node:path';
import { PecoError } from '../stage/errors.ts';
import type { Entry } from '../store/types.ts';
import type { MissingCell } from './table.ts';
import type { Cell, Contest, Point, StageNode } from './types.ts';

/** How a point did in a contest. */
export interface Standing {
  readonly goesOn: boolean;
  /** From 1. */
  readonly rank: number;
  /** Points that were compared. */
  readonly among: number;
  /** The mean over its seeds. Absent if one of them could not be measured. */
  readonly score?: number;
  /** How many seeds it is the mean of; absent: it is the measure of one. */
  readonly seeds?: number;
}

/** Why a point of a halved sweep doesn't go on. */
export interface Stop extends Omit<Standing, 'goesOn'> {
  /** From 1, of `rungs`. */
  readonly rung: number;
  readonly rungs: number;
  readonly metric: string;
  /** How many of those that were compared went on. */
  readonly kept: number;
}

/**
 * Ranks the points of a rung by the means of their stored measures. A point of which a stage failed counts as worst,
 * whichever seed it was; the order of the points breaks ties. Points that were stopped in an earlier rung, as `entryOf`
 * says, don't take part.
 *
 * @throws PecoError `missing-metric` if an evaluation doesn't give the metric
 */
export async function judgeContest(
  contest: Contest,
  entryOf: (evaluation: StageNode) => Entry | 'failed' | 'stopped',
): Promise<ReadonlyMap<Point, Standing>> {
  const entrants: { point: Point; score?: number }[] = [];
  for (const point of contest.points) {
    const entries = point.map(entryOf);
    if (entries.includes('stopped')) continue;
    const scores: number[] = [];
    for (const [index, entry] of entries.entries())
      if (typeof entry === 'object') scores.push(await readScore(entry, point[index]!, contest));
    entrants.push(scores.length < point.length ? { point } : { point, score: meanOf(scores) });
  }
  const worst = contest.better === 'higher' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const sign = contest.better === 'higher' ? -1 : 1;
  const value = ({ score = worst }: { score?: number }) => sign * score;
  // `sort` is stable. Infinities can't be subtracted.
  const ranked = entrants.toSorted((a, b) => (value(a) === value(b) ? 0 : value(a) < value(b) ? -1 : 1));
  return new Map(
    ranked.map(({ point, score }, index) => [
      point,
      {
        goesOn: index < contest.kept,
        rank: index + 1,
        among: ranked.length,
        ...(score === undefined ? {} : { score }),
        ...(point.length === 1 ? {} : { seeds: point.length }),
      },
    ]),
  );
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

async function readScore(entry: Entry, stage: StageNode, { metric }: Contest): Promise<number> {
  const text = await fs.readFile(path.join(entry.dir, 'metrics.json'), 'utf8');
  const { metrics } = JSON.parse(text) as { readonly metrics: { readonly [name: string]: number } };
  const score = metrics[metric];
  if (score !== undefined) return score;
  const hint = `it gives ${Object.keys(metrics).join(', ') || 'none'}`;
  throw new PecoError(`successiveHalving compares "${metric}", which ${stage.id} doesn't measure`, {
    code: 'missing-metric',
    hint,
  });
}

/** What the output says of a point that lost. */
export function stopAt({ rung, rungs, metric, kept }: Contest, standing: Standing): Stop {
  const { goesOn: _no, ...place } = standing;
  return { rung, rungs, metric, kept, ...place };
}

/** `stopped at rung 1 of 3: psnr 14.21 (mean of 2 seeds), 7th of 9, best 3 went on` */
export function describeStop({ rung, rungs, metric, score, seeds, rank, among, kept }: Stop): string {
  const mean = seeds === undefined ? '' : ` (mean of ${seeds} seeds)`;
  const measure = score === undefined ? `no ${metric}` : `${metric} ${Number(score.toPrecision(4))}${mean}`;
  const best = kept === 1 ? 'the best went on' : `best ${kept} went on`;
  return `stopped at rung ${rung} of ${rungs}: ${measure}, ${ordinal(rank)} of ${among}, ${best}`;
}

/** The cell of a table whose stage is stopped. */
export function stoppedCell({ variant, task, seed }: Cell, stop: Stop): MissingCell {
  return { variant, task, seed, reason: describeStop(stop), stopped: true };
}

function ordinal(rank: number): string {
  const teen = Math.floor(rank / 10) % 10 === 1;
  const ending = teen ? 'th' : (['th', 'st', 'nd', 'rd'][rank % 10] ?? 'th');
  return `${rank}${ending}`;
}
