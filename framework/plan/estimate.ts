import type { Costs } from '../stage/costs.ts';
import { costsOf } from './costs.ts';
import { mostSimilar, type Recorded } from './past-stages.ts';
import type { Plan, PlannedStage } from './plan.ts';
import { type EngineSpeed, secondsAt, secondsLike, type Where } from './rates.ts';
import type { StageNode } from './types.ts';
import { mayRun } from './types.ts';
import { upstreamStages } from './walk.ts';

/** Where a duration comes from: an earlier stage of the kind, or what was measured of the engine. */
export type Basis = 'stages' | 'engine';

export interface Estimate {
  /** By stage that would run; undefined where nothing tells. */
  readonly stages: ReadonlyMap<StageNode, number | undefined>;
  /** What those of them compute that say so. */
  readonly costs: ReadonlyMap<StageNode, Costs>;
  /** Seconds until the last stage ends, the unknown ones taken for nothing. */
  readonly seconds: number;
  readonly unknown: number;
  /** What the known durations rest on. */
  readonly bases: ReadonlySet<Basis>;
}

/** How a machine runs stages. */
export interface Machine extends Where {
  /** Stages at once. */
  readonly jobs: number;
  /** What was measured of the engine, with the threads that a stage gets; absent: nothing was. */
  readonly speed?: EngineSpeed;
}

/**
 * Time that a plan will take. Each stage takes what an earlier one of its kind took, in proportion to what they compute if
 * their images cost about as much; else what its operations take the engine. Where a component doesn't say what its stage
 * computes, it takes as long as the most similar recorded one, in proportion to steps and batch size, or epochs. Stages start
 * as the scheduler starts them, longest way to go first. A stage that may be saved by early cut-off counts as if it ran.
 */
export function estimatePlan(plan: Plan, recorded: readonly Recorded[], machine: Machine): Estimate {
  const open = plan.stages.filter(mayRun);
  const costs = new Map(
    open.flatMap(({ node }) => {
      const own = costsOf(node);
      return own ? [[node, own] as const] : [];
    }),
  );
  const bases = new Set<Basis>();
  const stages = new Map(
    open.map((stage) => {
      const { seconds, basis } = estimateStage(stage, costs.get(stage.node), recorded, machine);
      if (basis) bases.add(basis);
      return [stage.node, seconds] as const;
    }),
  );
  const unknown = [...stages.values()].filter((seconds) => seconds === undefined).length;
  return { stages, costs, unknown, bases, seconds: simulate(stages, machine.jobs) };
}

/** Whether it would tell more to know how fast the engine is. */
export function wantsSpeed(plan: Plan, recorded: readonly Recorded[], where: Where): boolean {
  return plan.stages.some((stage) => {
    const costs = mayRun(stage) ? costsOf(stage.node) : undefined;
    if (!costs?.flops || costs.images === undefined) return false;
    const { kind } = stage.fingerprint;
    const similar = mostSimilar(kind, stage.node.component.config, recorded);
    return secondsLike(kind, costs, recorded, where) === undefined && !similar?.isSame;
  });
}

function estimateStage(
  { node, fingerprint }: PlannedStage,
  costs: Costs | undefined,
  recorded: readonly Recorded[],
  { speed, ...where }: Machine,
): { readonly seconds?: number; readonly basis?: Basis } {
  const { kind } = fingerprint;
  const like = costs && secondsLike(kind, costs, recorded, where);
  if (like !== undefined) return { seconds: like, basis: 'stages' };
  const similar = mostSimilar(kind, node.component.config, recorded);
  const measured = costs && speed && !similar?.isSame ? secondsAt(costs, speed) : undefined;
  if (measured !== undefined) return { seconds: measured, basis: 'engine' };
  return similar ? { seconds: similar.recorded.seconds * similar.work, basis: 'stages' } : {};
}

/** Stages on so many processes, in simulated time. */
function simulate(stages: ReadonlyMap<StageNode, number | undefined>, jobs: number): number {
  const seconds = (node: StageNode) => stages.get(node) ?? 0;
  const open = [...stages.keys()];
  const ways = new Map(open.map((node) => [node, seconds(node)]));
  for (const node of open.toReversed()) {
    for (const upstream of upstreamStages(node)) {
      const way = ways.get(upstream);
      if (way !== undefined) ways.set(upstream, Math.max(way, seconds(upstream) + ways.get(node)!));
    }
  }
  const waiting = new Set([...open].sort((a, b) => ways.get(b)! - ways.get(a)!));
  const ends = new Map<StageNode, number>();
  const running: { readonly node: StageNode; readonly end: number }[] = [];
  let time = 0;
  while (waiting.size > 0 || running.length > 0) {
    for (const node of waiting) {
      if (running.length >= jobs) break;
      if (upstreamStages(node).some((upstream) => stages.has(upstream) && !ends.has(upstream))) continue;
      waiting.delete(node);
      running.push({ node, end: time + seconds(node) });
    }
    running.sort((a, b) => a.end - b.end);
    const next = running.shift();
    if (!next) break; // can't be: the graph has no cycles
    time = next.end;
    ends.set(next.node, time);
  }
  return time;
}
