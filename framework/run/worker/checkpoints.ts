import fs from 'node:fs';
import path from 'node:path';
import type { Checkpoint, Checkpoints } from '../../stage/contract.ts';
import { continueWith, type EngineSpan, parseEngines, spansBefore } from '../../stage/engines.ts';
import { StageError } from '../../stage/stage-error.ts';
import type { History } from './history.ts';
import { checkpointFolder, listCheckpoints, listEngines, listNames, readCheckpoint } from './resume.ts';
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
  /** That computes the steps of this attempt. */
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
 * them. A stage resumes from the newest, whichever engine saved it: a state is the same tensors on each.
 */
export class StageCheckpoints implements Checkpoints {
  /** What the stage had done by the latest checkpoint, once it has asked for that. */
  past: Past = {};
  readonly #options: CheckpointOptions;
  readonly #folder: string;
  readonly #started: number;
  /** Who computed what this attempt goes on from, and how many steps that is. */
  #earlier: readonly EngineSpan[] = [];
  #begun = 0;
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
    const found = own ?? previous;
    if (found) this.#sayIfOther(found.step);
    return found;
  }

  /** Who computes the steps of this stage, this attempt included. */
  get engines(): readonly EngineSpan[] {
    return continueWith(this.#earlier, this.#options.engine, this.#begun);
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
      const engines = spansBefore(this.engines, step);
      const about = {
        step,
        seconds,
        engines,
        history: history.read(),
        ...(all === undefined ? {} : { of: all }),
      };
      await writeState(path.join(this.#folder, `step-${step}`), about, write);
      await removeOld(this.#options);
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
    const engines = spansBefore(this.engines, step);
    const about = { step, seconds: 0, engines, history: this.#options.history.read() };
    await writeState(path.join(this.#options.outDir, 'state'), about, write);
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now() / 1000;
  }

  /** The newest whole one. Whatever is wrong with the others, there is always the beginning. */
  async #openOwn(begun: number): Promise<Checkpoint | undefined> {
    const { history, onWarning, workDir, engine } = this.#options;
    const damaged: string[] = [];
    const all = await listCheckpoints(workDir, engine).catch((error: unknown) => {
      onWarning(`can't read the checkpoints, starting again: ${reason(error)}`);
      return [];
    });
    for (const saved of all) {
      const state = await readCheckpoint(saved);
      const { step } = saved;
      if (typeof state !== 'string') {
        for (const message of damaged) onWarning(`${message}: going on from step ${step}`);
        history.replace(state.history);
        this.past = { resumedFrom: step, earlierSeconds: state.seconds };
        this.#goOn(step, state.engines);
        return { step, dir: state.dir, begun };
      }
      damaged.push(`the checkpoint of step ${step} is damaged (${state})`);
      // Or it would count as one of the two that are kept.
      await fs.promises.rm(saved.dir, { recursive: true, force: true }).catch(() => {});
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
    this.#goOn(state.step, state.engines ?? (await enginesOf(dir)));
    return { step: state.step, dir: state.dir, begun: state.step };
  }

  #goOn(step: number, engines: readonly EngineSpan[]): void {
    this.#earlier = engines;
    this.#begun = step;
  }

  /** Numbers then are those of no engine alone: that must not pass unsaid. */
  #sayIfOther(step: number): void {
    const { engine, onWarning } = this.#options;
    const last = spansBefore(this.#earlier, step).at(-1)?.engine;
    if (last === undefined || last === engine) return;
    onWarning(`resumes at step ${step}, computed by ${last}, with ${engine}: its results will say so`);
  }
}

/** Of a rung that was stored before states said it: its result does. */
async function enginesOf(dir: string): Promise<readonly EngineSpan[]> {
  const text = await fs.promises.readFile(path.join(dir, 'metrics.json'), 'utf8').catch(() => '{}');
  const { engine } = JSON.parse(text) as { readonly engine?: string };
  return parseEngines([{ engine: engine ?? '', from: 0 }]) ?? [];
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** All but the newest, whichever engine saved them, and what killed processes left half written. */
async function removeOld({ workDir, engine }: CheckpointOptions): Promise<void> {
  const wanted = new Set((await listCheckpoints(workDir, engine)).slice(0, kept).map(({ dir }) => dir));
  for (const name of await listEngines(workDir)) {
    const folder = checkpointFolder(workDir, name);
    const all = (await listNames(folder)).map((each) => path.join(folder, each));
    const isEmptied = !all.some((each) => wanted.has(each));
    for (const each of isEmptied ? [folder] : all.filter((one) => !wanted.has(one)))
      await fs.promises.rm(each, { recursive: true, force: true });
  }
}
