import { mostSimilar, type Recorded } from './past-stages.ts';
import type { Plan, PlannedStage } from './plan.ts';
import type { StageNode } from './types.ts';
import { mayRun } from './types.ts';
import { upstreamStages } from './walk.ts';

export interface Estimate {
  /** By stage that would run; undefined where no stage of its kind was ever recorded. */
  readonly stages: ReadonlyMap<StageNode, number | undefined>;
  /** Seconds until the last stage ends, the unknown ones taken for nothing. */
  readonly seconds: number;
  readonly unknown: number;
}

/**
 * Time that a plan will take with so many processes: each stage as long as the most similar recorded one, in proportion
 * to its steps and batch size, or its epochs; stages start as the scheduler starts them, longest way to go first. A stage that may be
 * saved by early cut-off counts as if it ran.
 */
export function estimatePlan(plan: Plan, recorded: readonly Recorded[], jobs: number): Estimate {
  const open = plan.stages.filter(mayRun);
  const stages = new Map(open.map((stage) => [stage.node, estimateStage(stage, recorded)]));
  const unknown = [...stages.values()].filter((seconds) => seconds === undefined).length;
  return { stages, unknown, seconds: simulate(stages, jobs) };
}

function estimateStage(
  { node, fingerprint }: PlannedStage,
  recorded: readonly Recorded[],
): number | undefined {
  const like = mostSimilar(fingerprint.kind, node.component.config, recorded);
  return like && like.recorded.seconds * like.work;
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
