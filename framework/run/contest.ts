import fs from 'node:fs/promises';
import path from 'node:path';
import type { Contest, StageNode } from '../plan/types.ts';
import { PecoError } from '../stage/errors.ts';
import type { Entry } from '../store/types.ts';

/** How a point did in a contest. */
export interface Standing {
  readonly goesOn: boolean;
  /** From 1. */
  readonly rank: number;
  /** Points that were compared. */
  readonly among: number;
  readonly score?: number;
}

/**
 * Ranks the points of a rung by their stored measures. A point whose stage failed counts as worst; the order of the
 * points breaks ties. Points that were stopped in an earlier rung, as `entryOf` says, don't take part.
 *
 * @throws PecoError `missing-metric` if an evaluation doesn't give the metric
 */
export async function judgeContest(
  contest: Contest,
  entryOf: (evaluation: StageNode) => Entry | 'failed' | 'stopped',
): Promise<ReadonlyMap<StageNode, Standing>> {
  const entrants: { stage: StageNode; score?: number }[] = [];
  for (const stage of contest.evaluations) {
    const entry = entryOf(stage);
    if (entry === 'stopped') continue;
    entrants.push(entry === 'failed' ? { stage } : { stage, score: await readScore(entry, stage, contest) });
  }
  const worst = contest.better === 'higher' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const sign = contest.better === 'higher' ? -1 : 1;
  const value = ({ score = worst }: { score?: number }) => sign * score;
  // `sort` is stable. Infinities can't be subtracted.
  const ranked = entrants.toSorted((a, b) => (value(a) === value(b) ? 0 : value(a) < value(b) ? -1 : 1));
  return new Map(
    ranked.map(({ stage, score }, index) => [
      stage,
      {
        goesOn: index < contest.kept,
        rank: index + 1,
        among: ranked.length,
        ...(score === undefined ? {} : { score }),
      },
    ]),
  );
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
