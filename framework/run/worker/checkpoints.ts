import fs from 'node:fs';
import path from 'node:path';
import { hasCode } from '../../files/files.ts';
import type { Checkpoint, Checkpoints } from '../../stage/contract.ts';
import { StageError } from '../../stage/stage-error.ts';
import type { History } from './history.ts';
import { checkpointFolder, listSteps } from './resume.ts';
import { readState, writeState } from './state-folder.ts';

/** Seconds between two checkpoints: what a kill may cost. */
const defaultInterval = 30;
/** A checkpoint is taken after at least this many times what the last one took: 2 % of the time. */
const patience = 50;
/** The one before the latest is there for the case that the latest is damaged. */
const kept = 2;

export interface CheckpointOptions {
  readonly workDir: string;
  readonly outDir: string;
  /** Another engine rounds otherwise: each has its own checkpoints. */
  readonly engine: string;
  /** Outputs of the previous rung. */
  readonly previousDir: string | undefined;
  readonly history: History;
  /** Seconds; 0: every step, whatever it costs. */
  readonly interval: number;
  /** Steps of the whole training, as far as the stage has said; saved with each checkpoint. */
  readonly of?: () => number | undefined;
  /** Seconds, on a clock that only goes forward. */
  readonly now?: () => number;
  onWarning(message: string): void;
}

/** What a stage has done when it resumes from a checkpoint. */
export interface Past {
  readonly resumedFrom?: number;
  readonly earlierSeconds?: number;
}

/** Value of PECO_CHECKPOINT_SECONDS, which is there for tests; throws if it is none. */
export function checkpointSeconds(variable: string | undefined): number {
  if (variable === undefined || variable === '') return defaultInterval;
  const seconds = Number(variable);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds;
  throw new StageError(`PECO_CHECKPOINT_SECONDS is "${variable}"`, { hint: 'give seconds, 0 or more' });
}

/**
 * Checkpoints of one stage, in `<work folder>/checkpoints/<engine>/step-<n>/`. Only the holder of the stage's lock opens
 * them.
 */
export class StageCheckpoints implements Checkpoints {
  /** What the stage had done by the latest checkpoint, once it has asked for that. */
  past: Past = {};
  readonly #options: CheckpointOptions;
  readonly #folder: string;
  readonly #started: number;
  #lastEnd: number;
  #lastCost = 0;
  #failing = false;

  constructor(options: CheckpointOptions) {
    this.#options = options;
    this.#folder = checkpointFolder(options.workDir, options.engine);
    this.#started = this.#now();
    this.#lastEnd = this.#started;
  }

  async latest(): Promise<Checkpoint | undefined> {
    const { previousDir } = this.#options;
    const previous = previousDir === undefined ? undefined : await this.#openPrevious(previousDir);
    const own = await this.#openOwn(previous?.step ?? 0);
    return own ?? previous;
  }

  isDue(): boolean {
    const { interval } = this.#options;
    return interval === 0 || this.#now() - this.#lastEnd >= Math.max(interval, patience * this.#lastCost);
  }

  async save(step: number, write: (dir: string) => void | Promise<void>): Promise<void> {
    const { history, onWarning, of } = this.#options;
    const begin = this.#now();
    try {
      const seconds = (this.past.earlierSeconds ?? 0) + begin - this.#started;
      const all = of?.();
      const about = { step, seconds, history: history.read(), ...(all === undefined ? {} : { of: all }) };
      await writeState(stepDir(this.#folder, step), about, write);
      await removeOld(this.#folder);
      this.#failing = false;
    } catch (error) {
      // A full disk stays full for a while: once is enough.
      if (!this.#failing)
        onWarning(`can't write a checkpoint at step ${step}, going on without: ${reason(error)}`);
      this.#failing = true;
    }
    this.#lastEnd = this.#now();
    this.#lastCost = this.#lastEnd - begin;
  }

  /** Without times: it is a part of the result, the same bytes each time. */
  async handOver(step: number, write: (dir: string) => void | Promise<void>): Promise<void> {
    const about = { step, seconds: 0, history: this.#options.history.read() };
    await writeState(path.join(this.#options.outDir, 'state'), about, write);
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now() / 1000;
  }

  /** The newest whole one. Whatever is wrong with the others, there is always the beginning. */
  async #openOwn(begun: number): Promise<Checkpoint | undefined> {
    const { history, onWarning } = this.#options;
    const damaged: string[] = [];
    const steps = await listSteps(this.#folder).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT'))
        onWarning(`can't read the checkpoints, starting again: ${reason(error)}`);
      return [];
    });
    for (const step of steps) {
      const dir = stepDir(this.#folder, step);
      const state = await readState(dir);
      if (typeof state !== 'string' && state.step === step) {
        for (const message of damaged) onWarning(`${message}: going on from step ${step}`);
        history.replace(state.history);
        this.past = { resumedFrom: step, earlierSeconds: state.seconds };
        return { step, dir: state.dir, begun };
      }
      const why = typeof state === 'string' ? state : `it is of step ${state.step}`;
      damaged.push(`the checkpoint of step ${step} is damaged (${why})`);
      // Or it would count as one of the two that are kept.
      await fs.promises.rm(dir, { recursive: true, force: true }).catch(() => {});
    }
    for (const message of damaged) onWarning(`${message}: starting again`);
    return undefined;
  }

  async #openPrevious(dir: string): Promise<Checkpoint> {
    const state = await readState(path.join(dir, 'state'));
    if (typeof state === 'string') {
      throw new StageError(`the rung before, in ${dir}, left no state to resume from (${state})`);
    }
    this.#options.history.replace(state.history);
    return { step: state.step, dir: state.dir, begun: state.step };
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function stepDir(folder: string, step: number): string {
  return path.join(folder, `step-${step}`);
}

/** All but the newest, and what killed processes left half written. */
async function removeOld(folder: string): Promise<void> {
  const wanted = new Set((await listSteps(folder)).slice(0, kept).map((step) => `step-${step}`));
  for (const name of await fs.promises.readdir(folder)) {
    if (!wanted.has(name)) await fs.promises.rm(path.join(folder, name), { recursive: true, force: true });
  }
}
