import type { StageNode } from '../plan/types.ts';
import { awaitedStages } from '../plan/upstream.ts';

export { awaitedStages, upstreamStages } from '../plan/upstream.ts';

/**
 * For every stage the number of stages, itself included, on the longest chain from it to the end of the DAG.
 * Starting long chains first keeps all processes busy until the end. `stages` is in topological order.
 */
export function chainLengths(stages: readonly StageNode[]): ReadonlyMap<StageNode, number> {
  const lengths = new Map<StageNode, number>(stages.map((stage) => [stage, 1]));
  for (const stage of stages.toReversed()) {
    const through = lengths.get(stage)! + 1;
    for (const upstream of awaitedStages(stage)) {
      lengths.set(upstream, Math.max(lengths.get(upstream) ?? 1, through));
    }
  }
  return lengths;
}

/** Threads for the next stage to start, so that a lone stage gets all cores and many share them evenly. */
export function shareCores(options: {
  readonly cores: number;
  /** Threads given to stages that run now. */
  readonly used: number;
  /** Stages that could start now, the next one included. */
  readonly startable: number;
}): number {
  const free = options.cores - options.used;
  return Math.max(1, Math.floor(free / Math.max(1, options.startable)));
}
