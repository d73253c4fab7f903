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
  /** The training stops after this step of its schedule, with a state to go on from; absent: it goes to the end. */
  readonly until?: number;
  /**
   * The stage whose state this one goes on from. Not part of any key: a training that was split ends in the same bytes
   * as one that wasn't, so what it means is said by its config and `until`.
   */
  readonly previous?: StageNode;
  /** Decides in the run whether the stage runs at all. Not part of any key. */
  readonly gate?: Gate;
}

/** A stage's place in a contest: the stage goes on if its point is among the best. */
export interface Gate {
  readonly contest: Contest;
  /** The member of `contest.points` that this stage belongs to. */
  readonly point: Point;
}

/** What measures a point of a halved sweep: an evaluation for each seed, or one if all seeds share the tokenizer. */
export type Point = readonly StageNode[];

/** The end of a rung of a halved sweep: the points that are left are compared, and the best go on. */
export interface Contest {
  /** From 1. */
  readonly rung: number;
  /** Rungs in all. */
  readonly rungs: number;
  readonly metric: string;
  readonly better: 'higher' | 'lower';
  /** Points of this rung, if none failed before. */
  readonly entrants: number;
  /** How many go on. */
  readonly kept: number;
  /** Their order breaks ties; the evaluations of points that were stopped before are stopped too. */
  readonly points: readonly Point[];
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
 * - `maybe`: an upstream stage runs first, or a contest is not decided yet; then this one may not have to run.
 * - `stopped`: stored numbers say that its point of a halved sweep lost. It doesn't run, whether it is stored or not.
 */
export type StageStatus = 'hit' | 'run' | 'maybe' | 'stopped';

/** False for what is stored, and for what is stopped. */
export function mayRun({ status }: { readonly status: StageStatus }): boolean {
  return status === 'run' || status === 'maybe';
}
