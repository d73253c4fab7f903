import type { InputKey } from '../stage/keys.ts';
import type { SlurmResources } from '../stage/slurm.ts';

/** A stage that must run, as jobs are made of it. */
export interface Unit {
  readonly id: string;
  readonly key: InputKey;
  /** `tokenizer/vqvae`: arrays hold one kind, so that their names say what they do. */
  readonly kind: string;
  readonly resources: SlurmResources;
  /** How long it is estimated to take; undefined where nothing tells. */
  readonly seconds?: number;
  /** Ids of the stages that it waits for; of those that are stored none. */
  readonly upstream: readonly string[];
  /** It is made of what is there when all that it waits for has ended: a report, a selection. */
  readonly tolerant: boolean;
  /** It is the report, which is made of the whole experiment. */
  readonly whole?: boolean;
}

/** Where a stage is in Slurm: a task of a job. `job` is what is to be submitted, or the number of what was. */
export interface Place<J = string> {
  readonly job: J;
  /** Of the task in its array. */
  readonly index: number;
}

/** What a job waits for. Without `index`: all tasks of the other, or with `aftercorr` the one with the same index. */
export interface Dependency {
  readonly type: 'afterok' | 'aftercorr' | 'afterany';
  readonly job: Job | string;
  readonly index?: number;
}

/** One call of sbatch. */
export interface Job {
  readonly kind: string;
  readonly resources: SlurmResources;
  /** Stages by the index of their task, in the order in which they can run. */
  readonly tasks: ReadonlyMap<number, readonly Unit[]>;
  readonly dependencies: readonly Dependency[];
  /** Tasks that run at once, where that is said of this job. */
  readonly atOnce?: number;
}
