import type { Failure } from '../stage/errors.ts';

/** How an attempt of a task went, and the one before it. */
export interface Attempted {
  /** It was asked to stop before all its stages had ended. */
  readonly interrupted: boolean;
  /** Where its interrupted stages were saved, by id; undefined for one that saved nothing. */
  readonly saved: ReadonlyMap<string, number | undefined>;
  /** The same of the attempt before; without those that weren't interrupted then. */
  readonly before: ReadonlyMap<string, number | undefined>;
  /** By `peco-exp cancel`. */
  readonly cancelled: boolean;
  /** What Slurm says of the job now. */
  readonly state: string | undefined;
  /** A stage of it has a result, or was dropped. */
  readonly made: boolean;
}

export interface Verdict {
  /** `requeue`: back into the queue, to resume. */
  readonly end: 'done' | 'failed' | 'requeue';
  readonly failed: readonly { readonly stage: string; readonly failure: Failure }[];
}

/**
 * What becomes of a task. Asked to stop ahead of its time limit, or to make room for another job, it goes back into the
 * queue, unless the user wants no more of it, or a stage came no further than in the attempt before: then it never would.
 */
export function judgeAttempt({ interrupted, saved, before, cancelled, state, made }: Attempted): Verdict {
  const end = made ? 'done' : 'failed';
  if (!interrupted) return { end, failed: [] };
  // What `scancel` ended is COMPLETING or CANCELLED by now. A preempted job that Slurm requeues itself may be asked for twice.
  // Where Slurm doesn't say, the work that was saved is worth a try.
  const isEnding = state !== undefined && state !== 'RUNNING' && state !== 'PREEMPTED';
  if (cancelled || isEnding) return { end, failed: [] };
  const stuck = [...saved].filter(
    ([stage, step]) => before.has(stage) && !isFurther(step, before.get(stage)),
  );
  if (stuck.length === 0) return { end: 'requeue', failed: [] };
  const failure = {
    message: 'it saves nothing new in the time that its job has, twice in a row',
    hint: 'give it more `time` in the settings of slurm, or a partition that does not preempt it',
  };
  return { end, failed: stuck.map(([stage]) => ({ stage, failure })) };
}

function isFurther(step: number | undefined, before: number | undefined): boolean {
  return step !== undefined && step > (before ?? 0);
}
