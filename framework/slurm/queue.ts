import { PecoError } from '../stage/errors.ts';
import { markedFormat, markedRows } from './rows.ts';
import { ask } from './tools.ts';

/** A task of a job as Slurm has it. */
export interface QueuedTask {
  /** Number of the job; of an array, of the whole. */
  readonly job: string;
  readonly index: number;
  /** Slurm's word: `PENDING`, `RUNNING`, `NODE_FAIL`, ... */
  readonly state: string;
  /** Why it waits, or why it ended. */
  readonly reason: string;
  /** By which a job that was just submitted is found again. */
  readonly comment: string;
  /** Where it runs; empty while it waits. */
  readonly nodes: string;
}

/** What Slurm knows of the jobs of some users, those included that ended a short while ago. */
export class Queue {
  readonly #byName: ReadonlyMap<string, QueuedTask>;
  readonly #byComment: ReadonlyMap<string, QueuedTask>;

  constructor(tasks: readonly QueuedTask[]) {
    this.#byName = new Map(tasks.map((task) => [taskName(task), task]));
    this.#byComment = new Map(tasks.map((task) => [task.comment, task]));
  }

  /** Undefined if Slurm has forgotten it: it has ended. */
  task(place: { readonly job: string; readonly index: number }): QueuedTask | undefined {
    return this.#byName.get(taskName(place));
  }

  /** Number of the job with a comment. */
  jobOf(comment: string): string | undefined {
    return this.#byComment.get(comment)?.job;
  }
}

/** `12_3`, as Slurm's programs take it. */
export function taskName({ job, index }: { readonly job: string; readonly index: number }): string {
  return `${job}_${index}`;
}

// The comment is last: it may hold anything.
const fields = '%F|%K|%T|%r|%N|%k';

/**
 * One question for all jobs.
 *
 * @param users numbers of users
 * @throws PecoError `slurm` if Slurm doesn't answer: then nothing is known, and nothing may be taken for ended
 */
export async function readQueue(users: readonly number[]): Promise<Queue> {
  const text = await ask('squeue', [
    '--array',
    '--states=all',
    `--user=${[...new Set(users)].join(',')}`,
    markedFormat(fields),
  ]);
  return new Queue(parseQueue(text));
}

/**
 * Slurm's word for the state of a task, asked by the task itself; undefined where Slurm doesn't say. A controller under load
 * may leave a question without an answer, so it is asked twice.
 *
 * @param task `12_3`
 */
export async function readState(
  task: string,
  squeue: (args: readonly string[]) => Promise<string> = (args) => ask('squeue', args),
): Promise<string | undefined> {
  const state = async () => {
    const answer = await squeue([`--jobs=${task}`, markedFormat('%T')]);
    return markedRows('squeue', answer).at(-1)?.[0];
  };
  return state().catch(() => state().catch(() => undefined));
}

/** @throws PecoError `slurm` for what isn't in the format that was asked for */
export function parseQueue(text: string): QueuedTask[] {
  return markedRows('squeue', text).map((row) => {
    const [job, index, state, reason, nodes, ...rest] = row;
    if (!/^\d+$/.test(job ?? '') || state === undefined || reason === undefined || nodes === undefined)
      throw new PecoError(`squeue: can't read its line "${row.join('|')}"`, { code: 'slurm' });
    const number = Number(index);
    const comment = rest.join('|').replace(/^\(null\)$/, '');
    return {
      job: job!,
      index: Number.isInteger(number) ? number : 0,
      state,
      reason,
      comment,
      nodes: nodes.replace(/^\(null\)$/, ''),
    };
  });
}

/** States in which a job has come to its end. Slurm has more by version; what is unknown counts as alive. */
const ended = new Set([
  'BOOT_FAIL',
  'CANCELLED',
  'COMPLETED',
  'DEADLINE',
  'FAILED',
  'LAUNCH_FAILED',
  'NODE_FAIL',
  'OUT_OF_MEMORY',
  'PREEMPTED',
  'RECONFIG_FAIL',
  'REVOKED',
  'TIMEOUT',
]);

/** Whether a task may still do something. One whose dependencies can never be met does not. */
export function isLive(task: QueuedTask | undefined): boolean {
  return task !== undefined && !ended.has(task.state) && !isStuck(task);
}

/** Slurm should cancel such a job (`--kill-on-invalid-dep`); where it doesn't, it waits for ever. */
export function isStuck({ state, reason }: QueuedTask): boolean {
  return state === 'PENDING' && reason === 'DependencyNeverSatisfied';
}
