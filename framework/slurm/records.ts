import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { tryWriteDisposable } from '../files/disposable.ts';
import { hasCode, isLinked } from '../files/files.ts';
import { existsFresh, readFresh } from '../files/fresh.ts';
import type { InputKey } from '../stage/keys.ts';
import type { Store } from '../store/types.ts';
import type { Place } from './jobs.ts';
import type { MemoryTerms } from './memory.ts';
import type { Queue } from './queue.ts';

/** Flags of `run` that say what is run, as its jobs repeat them. */
export interface JobFlags {
  readonly set?: readonly string[];
  readonly sweep?: readonly string[];
  readonly tasks?: readonly string[];
  readonly seeds?: readonly number[];
  readonly smoke?: boolean;
  readonly upto?: readonly string[];
  readonly store: string;
  readonly out: string;
  readonly engine: string;
  readonly retries: number;
  readonly timeout?: string;
}

/** A stage of a task, and what it was when it was submitted. */
export interface SubmittedStage {
  readonly stage: string;
  readonly key: InputKey;
}

/** `submission.json`: all that a job needs to know. Written before Slurm hears of the job. */
export interface Submission {
  readonly format: 1;
  /** Name of its folder. */
  readonly id: string;
  readonly experiment: string;
  /** Absolute. */
  readonly file: string;
  readonly flags: JobFlags;
  /** Id of the run that submitted it; absent if that wasn't recorded. */
  readonly run?: string;
  /** It makes the report, so it plans all of the experiment and writes the tables. */
  readonly whole?: true;
  /** Absent in records of earlier versions: then a task that takes too much memory isn't tried again. */
  readonly memory?: MemoryTerms;
  /** By index, where the number of tasks that run at once has a limit: those of a lane run one after another. */
  readonly lanes?: { readonly [index: string]: number };
  /** Tasks of that lane that run at once; absent: 1. */
  readonly width?: number;
  /** By index. */
  readonly tasks: { readonly [index: string]: readonly SubmittedStage[] };
  /** Number of the user who submitted it: `squeue` is asked by it. */
  readonly user: number;
  /** ISO 8601, UTC. */
  readonly submitted: string;
}

/** What a stage is part of, by its input key. */
interface Claim {
  readonly submission: string;
  readonly index: number;
}

/** A stage that was submitted. `job` is absent if its submission was cut off, and Slurm may have it or not. */
export interface Submitted extends Claim {
  readonly job?: string;
  readonly user: number;
}

/**
 * What was submitted from a store: `slurm/<id>/` for each job (its script, `submission.json`, `job.json` with its number,
 * logs and events of its tasks) and `slurm/stages/<input key>.json` with the task that makes a stage. The latter is
 * created exclusively, so that two processes never submit one stage.
 */
export class Records {
  readonly root: string;
  readonly #read = new Map<string, Submission>();

  constructor(store: string) {
    this.root = path.join(store, 'slurm');
  }

  dirOf(submission: string): string {
    return path.join(this.root, submission);
  }

  /** A folder of its own: `20261124-213001-quickstart-tokenizer-peco-3f2a`. */
  newFolder(what: string, now: Date = new Date()): { readonly id: string; readonly dir: string } {
    fs.mkdirSync(path.join(this.root, 'stages'), { recursive: true });
    const time = now.toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
    const name = what
      .replaceAll(/[^\w-]+/g, '-')
      .slice(0, 100)
      .replace(/-+$/, '');
    for (;;) {
      const id = `${time}-${name}-${randomBytes(2).toString('hex')}`;
      try {
        fs.mkdirSync(this.dirOf(id));
        return { id, dir: this.dirOf(id) };
      } catch (error) {
        if (!hasCode(error, 'EEXIST')) throw error;
      }
    }
  }

  /** All that can be read, the oldest first. */
  all(): readonly Submission[] {
    const names = fs.existsSync(this.root) ? fs.readdirSync(this.root).sort() : [];
    return names.flatMap((name) => {
      try {
        return name === 'stages' ? [] : [this.read(name)];
      } catch {
        return [];
      }
    });
  }

  /** Leaves an empty file for a task. */
  note(file: string): void {
    fs.writeFileSync(file, '');
  }

  write(submission: Submission): void {
    const file = path.join(this.dirOf(submission.id), 'submission.json');
    fs.writeFileSync(file, `${JSON.stringify(submission, null, 2)}\n`, { flag: 'wx' });
  }

  /** @throws if there is none, or it can't be read */
  read(id: string): Submission {
    const known = this.#read.get(id);
    if (known) return known;
    const read = readSubmission(this.dirOf(id));
    this.#read.set(id, read);
    return read;
  }

  /**
   * Says that a task makes a stage. `instead` is what was said before and has ended.
   *
   * @returns false if another process was quicker
   */
  claim(key: InputKey, claim: Claim, instead?: Claim): boolean {
    const file = this.#claimFile(key);
    const now = this.#readClaim(key);
    if (now !== undefined && now.submission !== instead?.submission) return false;
    // Of a damaged file nothing is known, and it would be in the way.
    fs.rmSync(file, { force: true });
    const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
    fs.writeFileSync(temporary, JSON.stringify(claim), { flag: 'wx' });
    try {
      fs.linkSync(temporary, file);
      return true;
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
      return isLinked(temporary);
    } finally {
      fs.rmSync(temporary, { force: true });
    }
  }

  /** Of a job that Slurm refused: its stages are free again, and its folder goes. */
  withdraw(submission: Submission): void {
    for (const stages of Object.values(submission.tasks))
      for (const { key } of stages)
        if (this.#readClaim(key)?.submission === submission.id)
          fs.rmSync(this.#claimFile(key), { force: true });
    fs.rmSync(this.dirOf(submission.id), { recursive: true, force: true });
  }

  /** Where it can't be kept, the job is found by its comment. */
  async noteJob(submission: string, job: string): Promise<void> {
    await tryWriteDisposable(path.join(this.dirOf(submission), 'job.json'), JSON.stringify({ job }));
  }

  /** Undefined if it was never submitted, or the record is damaged. */
  find(key: InputKey): Submitted | undefined {
    const claim = this.#readClaim(key);
    if (claim === undefined) return undefined;
    try {
      const { user } = this.read(claim.submission);
      const job = this.jobOf(claim.submission);
      return { ...claim, user, ...(job === undefined ? {} : { job }) };
    } catch {
      return undefined;
    }
  }

  claimOf(key: InputKey): Claim | undefined {
    return this.#readClaim(key);
  }

  /** The number that Slurm gave it; by its comment in the queue where the process was cut off before it noted that. */
  jobOf(submission: string, queue?: Queue): string | undefined {
    const read = readJson(path.join(this.dirOf(submission), 'job.json')) as
      | { readonly job?: unknown }
      | undefined;
    return typeof read?.job === 'string' ? read.job : queue?.jobOf(submission);
  }

  #claimFile(key: InputKey): string {
    return path.join(this.root, 'stages', `${key}.json`);
  }

  #readClaim(key: InputKey): Claim | undefined {
    const read = readJson(this.#claimFile(key)) as Partial<Claim> | undefined;
    const { submission, index } = read ?? {};
    return typeof submission === 'string' && typeof index === 'number' ? { submission, index } : undefined;
  }
}

const submitKey = createHash('sha256').update('submissions to Slurm').digest('hex') as InputKey;

/** Held while one process submits or cancels: others wait, and find its records. */
export function lockSubmissions(store: Pick<Store, 'lock'>): ReturnType<Store['lock']> {
  return store.lock(submitKey);
}

/** @throws if there is none, or it can't be read */
export function readSubmission(dir: string): Submission {
  return JSON.parse(readFresh(path.join(dir, 'submission.json'))) as Submission;
}

export function eventsOf(dir: string, index: number): string {
  return path.join(dir, `${index}.ndjson`);
}

export function logOf(dir: string, index: number): string {
  return path.join(dir, `${index}.log`);
}

/** That the user wants no more of it: a task that is asked to stop doesn't go back into the queue then. */
export function cancelFile(dir: string, index: number): string {
  return path.join(dir, `${index}.cancelled`);
}

export function wasCancelled(dir: string, index: number): boolean {
  return existsFresh(cancelFile(dir, index));
}

/** A line for each attempt in a row that ended before it had begun, written by the script of the job. */
export function earlyFile(dir: string, index: number): string {
  return path.join(dir, `${index}.early`);
}

export function placeOf({ job, index }: Submitted): Place | undefined {
  return job === undefined ? undefined : { job, index };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFresh(file));
  } catch {
    return undefined;
  }
}
