import { isReport } from '../stage/roles.ts';
import type { Entry } from '../store/types.ts';
import { describeStop, judgeContest, type Standing, type Stop, stopAt, stoppedCell } from './contest.ts';
import { withMissing } from './table.ts';
import type { Contest, Point, StageGraph, StageNode } from './types.ts';
import { upstreamStages } from './walk.ts';

/** A stage that won't run: its own gate has stopped it, or that of a stage that it needs. */
interface Loss {
  readonly stop: Stop;
  /** The stage whose gate it is. */
  readonly at: StageNode;
}

/** What stored numbers say of a halved sweep, before it runs. Ask about a stage after all that it awaits. */
export interface Gates {
  /** Why a stage is stopped; undefined if it isn't, or if that can't be told yet. */
  whyStopped(node: StageNode): Promise<string | undefined>;
  /** Whether a stage may still be stopped, by its own gate or by that of one that it needs. */
  isOpen(node: StageNode): boolean;
  /** The report without the rows that are stopped; every other stage as it is. */
  reduce(node: StageNode): StageNode;
}

/** @param entryOf the stored result of a stage; undefined if it has to run first */
export function createGates(graph: StageGraph, entryOf: (node: StageNode) => Entry | undefined): Gates {
  const losses = new Map<StageNode, Loss>();
  const open = new Set<StageNode>();
  const contests = new Map<Contest, Promise<ReadonlyMap<Point, Standing> | undefined>>();

  /** As in a run: what needs a stopped stage is stopped, but a report only if all of its inputs are. */
  function lossAbove(node: StageNode): Loss | undefined {
    const upstream = upstreamStages(node);
    const lost = upstream.flatMap((one) => losses.get(one) ?? []);
    return isReport(node.component) && lost.length < upstream.length ? undefined : lost[0];
  }

  function standingsOf(contest: Contest) {
    const standings = contests.get(contest) ?? judge(contest);
    contests.set(contest, standings);
    return standings;
  }

  /** Undefined while one that takes part has no result, or may still be stopped itself. */
  async function judge(contest: Contest): Promise<ReadonlyMap<Point, Standing> | undefined> {
    const entrants = contest.points.flat().filter((one) => !losses.has(one));
    if (entrants.some((one) => entryOf(one) === undefined || open.has(one))) return undefined;
    try {
      return await judgeContest(contest, (one) => (losses.has(one) ? 'stopped' : entryOf(one)!));
    } catch {
      return undefined; // a metric that is missing, a file that can't be read: the run tells
    }
  }

  return {
    async whyStopped(node) {
      let loss = lossAbove(node);
      const standing = loss || !node.gate ? undefined : await standingsOf(node.gate.contest);
      const place = node.gate && standing?.get(node.gate.point);
      if (node.gate && place && !place.goesOn) loss = { stop: stopAt(node.gate.contest, place), at: node };
      if (loss) {
        losses.set(node, loss);
        return loss.at === node ? describeStop(loss.stop) : `depends on ${loss.at.id}`;
      }
      const undecided = node.gate !== undefined && place === undefined;
      if (undecided || upstreamStages(node).some((one) => open.has(one))) open.add(node);
      return undefined;
    },
    isOpen: (node) => open.has(node),
    reduce(node) {
      if (!isReport(node.component)) return node;
      const missing = graph.cells.flatMap((cell) => {
        const loss = losses.get(cell.stage);
        return loss ? [stoppedCell(cell, loss.stop)] : [];
      });
      return missing.length === 0 ? node : withMissing(node, missing);
    },
  };
}
