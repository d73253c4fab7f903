import type { Unit } from './jobs.ts';
import type { SubmitResult } from './submit.ts';

/** A stage that has no result yet, as far as its place among the others goes. */
export type Step = Pick<Unit, 'id' | 'upstream' | 'tolerant'>;

/** How it stands when all tasks have ended that were watched. Stages by id. */
export interface Round {
  /** The last submission. */
  readonly result: SubmitResult;
  /** Stages whose tasks have said how they ended. */
  readonly told: { has(stage: string): boolean; keys(): Iterable<string> };
  /** Whether Slurm ended its task for its memory. */
  isShort(stage: string): boolean;
  /** Whether Slurm cancelled it since a task failed that it waited for. */
  isUnmet(stage: string): boolean;
  /** Whether the user wants no more of it (`peco-exp cancel`). */
  isCancelled(stage: string): boolean;
}

/** What is to be done before the next round. */
export interface Resubmission {
  /** Stages that get more memory, of the retries that there are. */
  readonly retried: readonly string[];
  readonly retry: number;
  /** Stages that are made once more, also where their tasks have said how they ended. */
  readonly again: ReadonlySet<string>;
  /** All others that are not to be submitted. */
  readonly ended: ReadonlySet<string>;
  /** Slurm has nothing of the run, and refused the rest: it is asked again after a while. */
  readonly isFull: boolean;
}

/** Decides what a run that watches its jobs submits once more. */
export class Resubmitter {
  readonly #steps: readonly Step[];
  readonly #retries: number;
  /** How often a stage has ended without a word. */
  readonly #silent = new Map<string, number>();
  #retry = 0;

  /**
   * @param steps in topological order
   * @param retries how often a stage is submitted again that ended without a word, and how often any is with more memory
   */
  constructor(steps: readonly Step[], retries: number) {
    this.#steps = steps;
    this.#retries = retries;
  }

  /**
   * Stages that Slurm refused are submitted as long as it may have room for them. One that took too much memory gets more;
   * what waited for it is made, too, and what was made without it once more. Undefined: nothing is left to submit.
   */
  next(round: Round): Resubmission | undefined {
    const { result, told } = round;
    const left = this.#steps.map(({ id }) => id).filter((stage) => !told.has(stage));
    const there = new Set([...result.liveStages, ...result.submittedStages]);
    // They were in Slurm, and are there no more.
    const wordless = left.filter((stage) => there.has(stage));
    if (wordless.some((stage) => round.isCancelled(stage))) return undefined;
    for (const stage of wordless) this.#silent.set(stage, (this.#silent.get(stage) ?? 0) + 1);
    const retried = this.#retry < this.#retries ? left.filter((stage) => round.isShort(stage)) : [];
    if (retried.length === 0 && result.refused === undefined) return undefined;
    if (retried.length > 0) this.#retry += 1;
    // A task that failed may have been shared with what the stages that waited for it don't need.
    const unmet = retried.length > 0 ? wordless.filter((stage) => round.isUnmet(stage)) : [];
    const again = this.#withFollowers([...retried, ...unmet], true);
    const lost = [...this.#silent].flatMap(([stage, times]) => (times > this.#retries ? [stage] : []));
    const ended = result.refused
      ? [...told.keys(), ...this.#withFollowers(lost, false)]
      : this.#steps.map(({ id }) => id);
    return {
      retried,
      retry: this.#retry,
      again,
      ended: new Set(ended.filter((stage) => !again.has(stage))),
      isFull: result.refused !== undefined && retried.length + result.jobs.length + result.live === 0,
    };
  }

  /** Stages and all that depend on them; without `tolerant`, those left out that are made of what is there. */
  #withFollowers(stages: readonly string[], tolerant: boolean): ReadonlySet<string> {
    const found = new Set(stages);
    for (const step of this.#steps) {
      if (step.tolerant && !tolerant) continue;
      if (step.upstream.some((id) => found.has(id))) found.add(step.id);
    }
    return found;
  }
}
