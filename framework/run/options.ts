import type { Recorded } from '../plan/past-stages.ts';
import type { StageNode } from '../plan/types.ts';
import type { Failure } from '../stage/errors.ts';
import type { ContentKey } from '../stage/keys.ts';
import type { Entry, Store } from '../store/types.ts';
import type { Executor } from './executors/executor.ts';
import type { Timer } from './limit.ts';
import type { Git } from './record/git.ts';
import type { SlurmJob } from './record/provenance.ts';
import type { ResultsInfo } from './write-results.ts';

/** Stages of a plan that another process makes: here they are taken from the store, or count as failed. */
export interface Others {
  has(stage: StageNode): boolean;
  /** The result under the key that it has now; waits for one that was made and isn't to be seen yet. */
  find(stage: StageNode, key: ContentKey): Promise<Entry | undefined>;
  /** Why there is none. */
  failureOf(stage: StageNode): Promise<{ readonly failure: Failure; readonly tail: readonly string[] }>;
}

/** How and where the stages of a plan run. */
export interface RunOptions {
  readonly store: Store;
  /** Folder of the project: code is named relative to it. */
  readonly root: string;
  /** Where the report's files go; a folder per experiment, and per change of it, is made in it. */
  readonly results: string;
  /** What is written beside the tables. */
  readonly source: Pick<ResultsInfo, 'file' | 'command' | 'config' | 'git'>;
  /** Processes at once. */
  readonly jobs: number;
  /** Threads to share among them; default: what the machine has. */
  readonly cores?: number;
  /** MiB to share among them; default: most of what the machine or its container has. */
  readonly memory?: number;
  /** What stages took earlier: the memory of those that don't say what they need. */
  readonly recorded?: readonly Recorded[];
  /** Stops the run at the first failure; otherwise it makes all that doesn't depend on what failed. */
  readonly failFast?: boolean;
  /** How often a stage is started again whose process died without a word; default 1. */
  readonly retries?: number;
  /** Seconds that a stage may run; no limit if absent. */
  readonly timeout?: number;
  readonly timer?: Timer;
  /** Absent: this process makes all. */
  readonly others?: Others;
  /** A smoke run, for provenance. */
  readonly smoke?: boolean;
  /** For provenance: the job of Slurm that this process is. */
  readonly slurm?: SlurmJob;
  /** For provenance: id of the run's record, version of peco-exp, the project's commit. */
  readonly run?: string;
  readonly version?: string;
  readonly git?: Git;
  readonly engine: string;
  readonly executor: Executor;
  /** Aborted at the first and at the second Ctrl-C. */
  readonly stop: AbortSignal;
  readonly kill: AbortSignal;
}
