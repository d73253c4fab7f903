import type { Change } from '../experiment/changes/change.ts';
import type { Component } from '../stage/component.ts';

/** An input of a stage: another stage's result, or a leaf (dataset, committed weights). */
export type StageEdge =
  | { readonly type: 'stage'; readonly stage: StageNode }
  | {
      readonly type: 'leaf';
      readonly component: Component;
      readonly inputs: { readonly [name: string]: StageEdge };
    };

export type Edges = { readonly [name: string]: StageEdge };

/** A node of the DAG. Two places of an experiment that mean the same share one node. */
export interface StageNode {
  /**
   * Readable and unique within the plan: `tokenizer/peco/seed-1`, or `tokenizer/peco` if all seeds share it. Not part of
   * any key.
   */
  readonly id: string;
  readonly component: Component;
  readonly seed: number;
  readonly inputs: Edges;
  /** The training stops after this step of its schedule, with a state to resume from; absent: it trains to the end. */
  readonly until?: number;
  /** Only for rungs of a halved sweep but the first. Not part of any key. */
  readonly after?: After;
  /** Only for selections: which rung they end. Not part of any key. */
  readonly rung?: Rung;
}

/**
 * What a stage waits for without having it in its key: a training that was split ends in the same bytes as one that
 * wasn't, so what it means is said by its config and `until`.
 */
export interface After {
  /** The stage whose state this one continues. */
  readonly previous: StageNode;
  /** The stage that ranks the points of the rung before: this one runs only if its point is among the survivors. */
  readonly selection: StageNode;
  /** Index of its point in the sweep. */
  readonly point: number;
}

/** A rung of a halved sweep, as people see it. */
export interface Rung {
  /** From 1. */
  readonly number: number;
  /** Rungs in all. */
  readonly of: number;
  /** Points of this rung, if none failed before, and how many of them go on. */
  readonly points: number;
  readonly survivors: number;
  /** The selection of the rung before; absent in the first. */
  readonly previous?: StageNode;
}

/** A cell of the table: which stage holds the numbers of a variant, a task and a seed. */
export interface Cell {
  readonly variant: string;
  /** `tokenizer` for tokenizer evaluations, else the name of the downstream task. */
  readonly task: string;
  readonly seed: number;
  readonly stage: StageNode;
}

/** The DAG of an experiment. `stages` is in topological order; the report, if any, is its last member. */
export interface StageGraph {
  readonly experiment: string;
  /** How the experiment differs from the one that its file declares. */
  readonly changes: readonly Change[];
  readonly baseline: string;
  readonly variants: readonly string[];
  readonly stages: readonly StageNode[];
  /** Ids under which stages would be there, if others didn't mean the same: `tokenizer/twin`. */
  readonly aliases: ReadonlyMap<string, StageNode>;
  readonly cells: readonly Cell[];
}

/**
 * - `hit`: the result is stored.
 * - `run`: it is not.
 * - `maybe`: an upstream stage runs first; then this one may not have to run.
 * - `unknown`: data or weights that it rests on aren't there, so it has no key, and whether it is stored can't be told.
 * - `dropped`: its point is not among the survivors of a stored selection. It doesn't run, whether it is stored or not.
 */
export type StageStatus = 'hit' | 'run' | 'maybe' | 'unknown' | 'dropped';

/** False for what is stored, and for what is dropped. */
export function mayRun({ status }: { readonly status: StageStatus }): boolean {
  return status === 'run' || status === 'maybe' || status === 'unknown';
}
