import type { Progress } from '../../stage/contract.ts';
import type { EngineSpan } from '../../stage/engines.ts';
import type { Failure } from '../../stage/errors.ts';
import type { JsonObject } from '../../stage/json.ts';

/** A `StageInput` as data. `inputs` name other descriptors of the same job, since stages share inputs. */
export interface InputDescriptor {
  readonly kind: string;
  readonly config: JsonObject;
  readonly dir: string;
  readonly files: { readonly [name: string]: string };
  readonly inputs: { readonly [name: string]: string };
  /** Bundled `load` module, if the component has one. */
  readonly load?: string;
}

/** Everything that an executor needs to run one stage, as data: it may cross to another process or machine. */
export interface StageJob {
  readonly stage: string;
  /** Bundled `run` module. */
  readonly bundle: string;
  readonly config: JsonObject;
  readonly seed: number;
  /** Input name -> key of `descriptors`. */
  readonly inputs: { readonly [name: string]: string };
  readonly descriptors: { readonly [id: string]: InputDescriptor };
  /** The component's own. */
  readonly files: { readonly [name: string]: string };
  readonly outDir: string;
  readonly workDir: string;
  /** See `StageContext.until`. The rung before is the input `previous`. */
  readonly until?: number;
  readonly engine: { readonly name: string; readonly threads: number };
}

/** Progress with the time at which it was true, in seconds since `run` was called. */
export interface TimedProgress extends Progress {
  readonly seconds: number;
}

/** What a stage's process knows of its work when it is done. */
export interface Work {
  /** Images used, in all attempts whose work is in the result. */
  readonly images: number;
  /** The step that this attempt went on from, if it found a checkpoint. */
  readonly resumedFrom?: number;
  /** Seconds that earlier attempts took to come there; 0 without any. */
  readonly earlierSeconds?: number;
  /** Who computed its steps, in all attempts whose work is in the result; absent: the engine of the job. */
  readonly engines?: readonly EngineSpan[];
  /** Name, versions and threads of the engine that the stage opened, if it opened one. */
  readonly engine?: string;
  /** What of its time, 0 to 1, the stage waited for its data, where it says. */
  readonly waiting?: number;
  /** MiB that the process took at most, where the executor knows. */
  readonly peakMemory?: number;
}

/** How a job ended. `done` is the only one whose `outDir` may be committed. */
export type JobResult =
  | ({ readonly type: 'done' } & Work)
  | {
      readonly type: 'failed';
      readonly failure: Failure;
      readonly tail: readonly string[];
      /** The process died without saying why, so that another try may end otherwise. */
      readonly crashed?: boolean;
    }
  | { readonly type: 'interrupted'; readonly tail?: readonly string[] };

export interface JobControl {
  /** Aborted at the first Ctrl-C, at a time limit, ...: the stage should stop soon, by itself. */
  readonly stop: AbortSignal;
  /** Aborted at the second, or when it didn't stop: end the stage now. */
  readonly kill: AbortSignal;
  onProgress(progress: TimedProgress): void;
  onOutput(stream: 'stdout' | 'stderr', line: string): void;
  /** Something went wrong that doesn't end the stage: a checkpoint that is damaged or can't be written. */
  onWarning(message: string): void;
}

/** Runs stages somewhere. Never throws: whatever happens to a stage is a `JobResult`. */
export type Executor = (job: StageJob, control: JobControl) => Promise<JobResult>;

/** What the run's process and a stage's process say to each other. */
export type ToWorker = { readonly type: 'start'; readonly job: StageJob } | { readonly type: 'stop' };
export type FromWorker =
  | { readonly type: 'progress'; readonly progress: TimedProgress }
  | { readonly type: 'warning'; readonly message: string }
  | ({ readonly type: 'done' } & Work)
  | { readonly type: 'failed'; readonly failure: Failure }
  | { readonly type: 'interrupted' };
