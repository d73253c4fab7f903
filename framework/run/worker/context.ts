import fs from 'node:fs';
import path from 'node:path';
import type { Checkpoints, Progress, StageContext, StageResult } from '../../stage/contract.ts';
import { formatEngines } from '../../stage/engines.ts';
import { historyFile } from '../../stage/history.ts';
import type { Json } from '../../stage/json.ts';
import { StageError } from '../../stage/stage-error.ts';
import type { StageJob, TimedProgress, Work } from '../executors/executor.ts';
import { StageCheckpoints } from './checkpoints.ts';
import { show } from './error.ts';
import { openHistory } from './history.ts';
import { openInputs } from './inputs.ts';
import { formatPerImage, formatResampled } from './per-image.ts';
import { atStep, openReported, type Reported } from './reported.ts';

const progressInterval = 0.2; // seconds

/** The stage's view of a job, and what the framework does with it when `run` has resolved. */
export interface OpenContext {
  readonly context: StageContext;
  /** Sends the progress that thinning held back, writes `metrics.json`, `per-image.json` and `resampled.json`, closes files. */
  finish(result: StageResult): Work;
}

export interface ContextOptions {
  readonly signal: AbortSignal;
  /** Between two checkpoints, at least; 0: one a step, whatever it costs. */
  readonly checkpointSeconds: number;
  onProgress(progress: TimedProgress): void;
  onWarning(message: string): void;
}

/** Turns a job into the context that is handed to a stage's `run`. */
export function openContext(job: StageJob, options: ContextOptions): OpenContext {
  const inputs = openInputs(job);
  const history = openHistory(path.join(job.outDir, historyFile));
  const reported = openReported();
  const progress = new ProgressSender(options.onProgress);
  const saved = new StageCheckpoints({
    workDir: job.workDir,
    outDir: job.outDir,
    engine: job.engine.name,
    previousDir: inputs.previous?.dir,
    history,
    interval: options.checkpointSeconds,
    of: () => progress.latest?.of,
    onWarning: options.onWarning,
  });
  let engine: string | undefined;
  const context: StageContext = {
    config: job.config,
    seed: job.seed,
    inputs,
    files: job.files,
    outDir: job.outDir,
    workDir: job.workDir,
    engine: {
      ...job.engine,
      onOpen(description) {
        engine = description;
      },
    },
    checkpoints: finiteOnly(saved, reported, options.onWarning),
    ...(job.until === undefined ? {} : { until: job.until }),
    signal: options.signal,
    progress(update) {
      reported.note(update.values ?? {}, update.step);
      progress.note(update);
    },
    warn: options.onWarning,
    log(record) {
      reported.note(record, typeof record.step === 'number' ? record.step : undefined);
      history.append(`${JSON.stringify(record, nameNonFinite)}\n`);
    },
  };
  return {
    context,
    finish(result) {
      progress.flush();
      history.close();
      const { metrics = {}, about, perImage, resampled } = result ?? {};
      const { step, images = 0, waiting } = progress.latest ?? {};
      const facts = { ...(step === undefined ? {} : { step }), ...(about === undefined ? {} : { about }) };
      const text = formatMetrics(formatEngines(saved.engines), metrics, facts);
      refuseProblem(reported);
      fs.writeFileSync(path.join(job.outDir, 'metrics.json'), text);
      if (perImage !== undefined)
        fs.writeFileSync(path.join(job.outDir, 'per-image.json'), formatPerImage(perImage, metrics));
      if (resampled !== undefined)
        fs.writeFileSync(path.join(job.outDir, 'resampled.json'), formatResampled(resampled, metrics));
      return {
        images,
        engines: saved.engines,
        ...(engine === undefined ? {} : { engine }),
        ...(waiting === undefined ? {} : { waiting }),
        ...saved.past,
      };
    },
  };
}

/** Sends progress no more often than people can see it, and always the last. */
class ProgressSender {
  latest: TimedProgress | undefined;
  #sent: TimedProgress | undefined;
  readonly #started = performance.now();
  readonly #send: (progress: TimedProgress) => void;

  constructor(send: (progress: TimedProgress) => void) {
    this.#send = send;
  }

  note(update: Progress): void {
    this.latest = { ...update, seconds: (performance.now() - this.#started) / 1000 };
    const due =
      this.#sent === undefined ||
      this.#sent.phase !== update.phase ||
      this.latest.seconds - this.#sent.seconds >= progressInterval;
    if (due || update.step === update.of) this.flush();
  }

  flush(): void {
    if (this.latest === undefined || this.latest === this.#sent) return;
    this.#sent = this.latest;
    this.#send(this.latest);
  }
}

/** Saves and hands over no state after a number that isn't finite. */
function finiteOnly(
  checkpoints: Checkpoints,
  reported: Reported,
  onWarning: (message: string) => void,
): Checkpoints {
  return {
    latest: () => checkpoints.latest(),
    isDue: () => checkpoints.isDue(),
    async save(step, write) {
      const problem = reported.problem();
      if (problem === undefined) await checkpoints.save(step, write);
      else onWarning(`no checkpoint of step ${step}: ${problem.message} (${problem.hint})`);
    },
    async handOver(step, write) {
      refuseProblem(reported);
      await checkpoints.handOver(step, write);
    },
  };
}

function refuseProblem(reported: Reported): void {
  const problem = reported.problem();
  if (problem !== undefined) throw problem;
}

/**
 * The text of `metrics.json`: names sorted, so that the same numbers are the same bytes.
 *
 * @param engine whichever computed it; see `formatEngines`
 * @param step that the stage had reached, for the message
 * @param about what the stage says of its result
 * @throws StageError that names a metric which is no finite number: JSON has no NaN, and tables are made of these
 */
export function formatMetrics(
  engine: string,
  metrics: { readonly [name: string]: number },
  { step, about }: { readonly step?: number; readonly about?: string } = {},
): string {
  const sorted = Object.entries(metrics).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, value] of sorted as [string, unknown][]) {
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      const hint =
        value instanceof Promise
          ? 'await it: a stage returns finite numbers'
          : 'a stage returns finite numbers, or leaves the metric out';
      throw new StageError(`metric "${name}" is ${show(value)}${atStep(step)}`, { hint });
    }
  }
  if (about !== undefined && typeof about !== 'string')
    throw new StageError(`\`about\` is ${JSON.stringify(about)}`, {
      hint: 'a stage returns a text, or leaves it out',
    });
  const facts = { engine, ...(about === undefined ? {} : { about }), metrics: Object.fromEntries(sorted) };
  return `${JSON.stringify(facts, null, 2)}\n`;
}

/** JSON has no NaN and would write null; a diverged loss must stay visible in the history. */
function nameNonFinite(_key: string, value: Json): Json {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
