import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Progress, StageContext, StageInput, StageResult } from '../../stage/contract.ts';
import type { Json } from '../../stage/json.ts';
import type { InputDescriptor, StageJob, TimedProgress, Work } from '../executors/executor.ts';
import { openCheckpoints } from './checkpoints.ts';
import { openHistory } from './history.ts';
import { atStep, openReported } from './reported.ts';

const progressInterval = 0.2; // seconds

/** The stage's view of a job, and what the framework does with it when `run` has resolved. */
export interface OpenContext {
  readonly context: StageContext;
  /** Sends the progress that thinning held back, writes `metrics.json`, closes files. */
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
  const started = performance.now();
  const history = openHistory(path.join(job.outDir, 'metrics.jsonl'));
  const saved = openCheckpoints({
    workDir: job.workDir,
    outDir: job.outDir,
    engine: job.engine.name,
    previousDir: inputs.previous?.dir,
    history,
    interval: options.checkpointSeconds,
    of: () => latest?.of,
    onWarning: options.onWarning,
  });
  const reported = openReported();
  let latest: TimedProgress | undefined;
  let sent: TimedProgress | undefined;
  let engine: string | undefined;

  function progress(update: Progress): void {
    reported.note(update.values ?? {}, update.step);
    latest = { ...update, seconds: (performance.now() - started) / 1000 };
    const due = sent === undefined || latest.seconds - sent.seconds >= progressInterval;
    if (due || update.step === update.of) sendLatest();
  }

  function sendLatest(): void {
    if (latest === undefined || latest === sent) return;
    sent = latest;
    options.onProgress(latest);
  }

  function refuseProblem(): void {
    const problem = reported.problem();
    if (problem !== undefined) throw new Error(problem);
  }

  const context: StageContext = {
    config: job.config,
    seed: job.seed,
    inputs,
    outDir: job.outDir,
    workDir: job.workDir,
    engine: {
      ...job.engine,
      onOpen(description) {
        engine = description;
      },
    },
    checkpoints: {
      ...saved.checkpoints,
      async save(step, write) {
        const problem = reported.problem();
        if (problem === undefined) await saved.checkpoints.save(step, write);
        else options.onWarning(`no checkpoint of step ${step}: ${problem}`);
      },
      async handOver(step, write) {
        refuseProblem();
        await saved.checkpoints.handOver(step, write);
      },
    },
    ...(job.until === undefined ? {} : { until: job.until }),
    signal: options.signal,
    progress,
    log(record) {
      reported.note(record, typeof record.step === 'number' ? record.step : undefined);
      history.append(`${JSON.stringify(record, nameNonFinite)}\n`);
    },
  };
  return {
    context,
    finish(result) {
      sendLatest();
      history.close();
      const { metrics = {}, about } = result ?? {};
      const text = formatMetrics(job.engine.name, metrics, {
        ...(latest === undefined ? {} : { step: latest.step }),
        ...(about === undefined ? {} : { about }),
      });
      refuseProblem();
      fs.writeFileSync(path.join(job.outDir, 'metrics.json'), text);
      return {
        images: latest?.images ?? 0,
        ...(engine === undefined ? {} : { engine }),
        ...saved.past(),
      };
    },
  };
}

/**
 * The text of `metrics.json`: names sorted, so that the same numbers are the same bytes.
 *
 * @param step that the stage had reached, for the message
 * @param about what the stage says of its result
 * @throws Error that names a metric which is no finite number: JSON has no NaN, and tables are made of these
 */
export function formatMetrics(
  engine: string,
  metrics: { readonly [name: string]: number },
  { step, about }: { readonly step?: number; readonly about?: string } = {},
): string {
  const sorted = Object.entries(metrics).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, value] of sorted) {
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw new Error(
        `metric "${name}" is ${String(value)}${atStep(step)}: a stage returns finite numbers, or leaves the metric out`,
      );
    }
  }
  if (about !== undefined && typeof about !== 'string')
    throw new Error(`\`about\` is ${JSON.stringify(about)}: a stage returns a text, or leaves it out`);
  const facts = { engine, ...(about === undefined ? {} : { about }), metrics: Object.fromEntries(sorted) };
  return `${JSON.stringify(facts, null, 2)}\n`;
}

/** JSON has no NaN and would write null; a diverged loss must stay visible in the history. */
function nameNonFinite(_key: string, value: Json): Json {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

function openInputs(job: StageJob): { readonly [name: string]: StageInput } {
  const open = new Map<string, StageInput>();
  function openInput(id: string): StageInput {
    const known = open.get(id);
    if (known) return known;
    const descriptor = job.descriptors[id]!;
    const input: StageInput = {
      kind: descriptor.kind,
      config: descriptor.config,
      dir: descriptor.dir,
      files: descriptor.files,
      inputs: mapValues(descriptor.inputs, openInput),
      load: <T>() => loadInput(descriptor, input) as Promise<T>,
    };
    open.set(id, input);
    return input;
  }
  return mapValues(job.inputs, openInput);
}

async function loadInput(descriptor: InputDescriptor, input: StageInput): Promise<unknown> {
  if (descriptor.load === undefined) {
    throw new Error(`input of kind "${descriptor.kind}" can't be loaded: its component has no load module`);
  }
  const module: { load?: unknown } = await import(pathToFileURL(descriptor.load).href);
  if (typeof module.load !== 'function') {
    throw new Error(`the load module of kind "${descriptor.kind}" exports no function \`load\``);
  }
  return module.load(input);
}

function mapValues<From, To>(
  record: { readonly [name: string]: From },
  convert: (value: From) => To,
): { readonly [name: string]: To } {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, convert(value)]));
}
