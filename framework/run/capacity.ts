import os from 'node:os';
import type { StageNode } from '../plan/types.ts';
import { upstreamStages } from '../plan/walk.ts';
import type { Resources } from '../stage/component.ts';

/**
 * For every stage the number of stages, itself included, on the longest chain from it to the end of the DAG.
 * Starting long chains first keeps all processes busy until the end. `stages` is in topological order.
 */
export function chainLengths(stages: readonly StageNode[]): ReadonlyMap<StageNode, number> {
  const lengths = new Map<StageNode, number>(stages.map((stage) => [stage, 1]));
  for (const stage of stages.toReversed()) {
    const through = lengths.get(stage)! + 1;
    for (const upstream of upstreamStages(stage)) {
      lengths.set(upstream, Math.max(lengths.get(upstream) ?? 1, through));
    }
  }
  return lengths;
}

/** What stages share. */
export interface Capacity {
  /** Stages at once. */
  readonly jobs: number;
  readonly cores: number;
  /** MiB that all stages together may take. */
  readonly memory: number;
}

/** What is given, and most of what the machine has where nothing is. */
export function capacityOf(given: {
  readonly jobs: number;
  readonly cores?: number;
  readonly memory?: number;
}): Capacity {
  return {
    jobs: given.jobs,
    cores: given.cores ?? os.availableParallelism(),
    memory: given.memory ?? usableMemory(),
  };
}

/** What the system, and other programs, keep for themselves. */
const reservedShare = 0.1;

/** MiB that stages may take together: most of what the machine has, or the container around us. */
function usableMemory(): number {
  // Without a container's limit it is 0, unknown, or a number beyond all memory.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return (Math.min(os.totalmem(), limit) * (1 - reservedShare)) / 2 ** 20;
}

/** What a running stage holds of it. */
export interface Claim {
  readonly threads: number;
  /** MiB */
  readonly memory: number;
}

export interface Candidate {
  readonly resources?: Resources;
  /** While it can't start, none of those after it does. */
  readonly holdsUp?: boolean;
}

/**
 * Those of the candidates that start now, with their threads. What fits starts, in their order: smaller stages
 * overtake one that needs more memory than is left, unless it `holdsUp` those after it. A stage that needs more
 * than there is at all runs alone, so that something always runs.
 */
export function chooseStarts<C extends Candidate>(
  candidates: readonly C[],
  running: readonly Claim[],
  capacity: Capacity,
): readonly { readonly candidate: C; readonly claim: Claim }[] {
  const chosen: C[] = [];
  let memory = sum(running.map((claim) => claim.memory));
  for (const candidate of candidates) {
    const active = running.length + chosen.length;
    if (active >= capacity.jobs) break;
    const needed = memoryOf(candidate);
    if (active === 0 || memory + needed <= capacity.memory) {
      chosen.push(candidate);
      memory += needed;
    } else if (candidate.holdsUp) break;
  }
  let used = sum(running.map((claim) => claim.threads));
  return chosen.map((candidate, index) => {
    const startable = chosen.slice(index).map(mostThreads);
    const threads = shareCores({ cores: capacity.cores, used, startable });
    used += threads;
    return { candidate, claim: { threads, memory: memoryOf(candidate) } };
  });
}

export function memoryOf(candidate: Candidate): number {
  return candidate.resources?.memory ?? 0;
}

/**
 * Threads for the next stage to start, so that a lone stage gets all cores and many share them evenly; what some can't
 * use goes to the others.
 */
export function shareCores(options: {
  readonly cores: number;
  /** Threads given to stages that run now. */
  readonly used: number;
  /** The most threads that each stage can use that could start now, the next one first. */
  readonly startable: readonly number[];
}): number {
  let free = options.cores - options.used;
  let sharing = options.startable.length;
  for (const most of [...options.startable].sort((a, b) => a - b)) {
    if (most * sharing > free) break;
    free -= most;
    sharing -= 1;
  }
  const share = sharing === 0 ? Number.POSITIVE_INFINITY : Math.floor(free / sharing);
  return Math.max(1, Math.min(options.startable[0] ?? 1, share));
}

function mostThreads(candidate: Candidate): number {
  return Math.max(1, Math.floor(candidate.resources?.cores ?? Number.POSITIVE_INFINITY));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
