import type { Change } from '../../experiment/changes/change.ts';
import type { Drop } from '../../plan/fate.ts';
import type { StageStatus } from '../../plan/types.ts';
import type { Phase } from '../../stage/contract.ts';
import type { Failure } from '../../stage/errors.ts';
import type { Json } from '../../stage/json.ts';
import type { ResumePoint } from '../worker/resume.ts';

/** How a stage got its result: found in the store, made by this run, or made by another run that we waited for. */
export type Origin = 'hit' | 'ran' | 'shared';

/** One line of the plan as a run starts. */
export interface StageSummary {
  readonly stage: string;
  readonly kind: string;
  /** What the plan says. */
  readonly status: StageStatus;
}

export interface RunStarted {
  readonly type: 'run-started';
  readonly experiment: string;
  readonly file: string;
  readonly stages: readonly StageSummary[];
  /** `flag`, without its dashes: of a field that has a flag of its own; absent: `--set`. */
  readonly overrides: readonly {
    readonly flag?: string;
    readonly path: string;
    readonly from: Json;
    readonly to: Json;
  }[];
  /** What the flags change in all, sweeps too; absent if nothing. */
  readonly changes?: readonly Change[];
  /** Present for a smoke run; with the paths of components that stay as they are, since they name no smaller size. */
  readonly smoke?: { readonly unchanged: readonly string[] };
  readonly store: string;
  readonly results: string;
  readonly jobs: number;
  readonly engine: string;
}

/** Another process holds the lock of this stage: wait for its result instead of making it twice. */
export interface StageWaiting {
  readonly type: 'stage-waiting';
  readonly stage: string;
}

export interface StageStarted {
  readonly type: 'stage-started';
  readonly stage: string;
  readonly threads: number;
}

/**
 * What the stage logs is in this file from now on, one JSON object a line: its history as its process writes it, or, once a
 * process has ended without a result, what it left. The file need not be there.
 */
export interface StageLogging {
  readonly type: 'stage-logging';
  readonly stage: string;
  /** Absolute. */
  readonly file: string;
}

export interface StageProgress {
  readonly type: 'stage-progress';
  readonly stage: string;
  readonly phase?: Phase;
  readonly step: number;
  readonly of: number;
  /** Seconds since the stage's `run` was called. */
  readonly seconds: number;
  readonly images?: number;
  readonly imagesPerSecond?: number;
  /** Seconds until step `of` at the current rate. */
  readonly remainingSeconds?: number;
  /** What of its time, 0 to 1, it has waited for its data. */
  readonly waiting?: number;
  readonly values?: { readonly [name: string]: number };
}

export interface StageFinished {
  readonly type: 'stage-finished';
  readonly stage: string;
  readonly origin: Origin;
  readonly contentKey: string;
  /** Wall time of the run that made the result; for a hit that was some earlier run. */
  readonly seconds?: number;
  readonly imagesPerSecond?: number;
}

export interface StageFailed {
  readonly type: 'stage-failed';
  readonly stage: string;
  readonly failure: Failure;
  /** Last lines of what the stage printed. */
  readonly tail: readonly string[];
}

/** Its process died without saying why; it is started again, with its work. */
export interface StageRetrying {
  readonly type: 'stage-retrying';
  readonly stage: string;
  readonly failure: Failure;
  readonly tail: readonly string[];
  /** Of the retries that it may have: 1 for the first. */
  readonly retry: number;
  readonly of: number;
}

/** Never started, because a stage that it needs failed. */
export interface StageSkipped {
  readonly type: 'stage-skipped';
  readonly stage: string;
  /** Id of the stage that failed. */
  readonly because: string;
}

/** Never started, because its point of a halved sweep was not among the best of a rung. */
export interface StageDropped extends Drop {
  readonly type: 'stage-dropped';
  readonly stage: string;
  /** Id of the stage that was dropped, if this one only depends on it. */
  readonly because?: string;
}

/** Asked to stop before it had a result: by Ctrl-C, or because another stage failed. */
export interface StageInterrupted {
  readonly type: 'stage-interrupted';
  readonly stage: string;
  /** Last lines of what the stage printed, if it printed any. */
  readonly tail?: readonly string[];
  /** Where it resumes; absent where it starts again. */
  readonly saved?: ResumePoint;
}

/** A stage failed and the run is to stop then: no other starts, and those that run are asked to stop. */
export interface RunStopping {
  readonly type: 'run-stopping';
  /** Id of the stage that failed. */
  readonly because: string;
}

/** Ctrl-C: first it stops the stages gently, the second time it kills them. */
export interface RunInterrupted {
  readonly type: 'run-interrupted';
  readonly kill: boolean;
  /** The stages are jobs of a cluster, and go on. */
  readonly leaves?: true;
}

export interface Warning {
  readonly type: 'warning';
  readonly message: string;
  readonly hint?: string;
  readonly stage?: string;
}

/** A line that a stage printed. */
export interface Log {
  readonly type: 'log';
  readonly stage: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export type RunStatus = 'done' | 'failed' | 'interrupted';

export interface RunFinished {
  readonly type: 'run-finished';
  readonly status: RunStatus;
  readonly seconds: number;
  readonly counts: { readonly [state in StageState]: number };
  /** Files in the results folder, the table first; empty without a report. */
  readonly files: readonly string[];
  /** Event files of TensorBoard, where they were asked for: the folder of all, and how many there are. */
  readonly tensorboard?: EventFiles;
}

export interface EventFiles {
  /** Absolute. */
  readonly dir: string;
  readonly files: number;
}

/** How a stage ended. `unstarted`: the run was interrupted first. */
export type StageState =
  | 'hit'
  | 'ran'
  | 'shared'
  | 'failed'
  | 'skipped'
  | 'dropped'
  | 'interrupted'
  | 'unstarted';

/** Everything that happens in a run. What a user sees, on any output, is a rendering of these and nothing else. */
export type RunEvent =
  | RunStarted
  | StageWaiting
  | StageStarted
  | StageLogging
  | StageProgress
  | StageFinished
  | StageFailed
  | StageRetrying
  | StageSkipped
  | StageDropped
  | StageInterrupted
  | RunStopping
  | RunInterrupted
  | Warning
  | Log
  | RunFinished;

export type Emit = (event: RunEvent) => void;

/** For the default case of a switch over a closed union: a new member fails to compile. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
