import fs from 'node:fs';
import path from 'node:path';
import { type Past, StageCheckpoints } from '../../framework/run/worker/checkpoints.ts';
import { openHistory } from '../../framework/run/worker/history.ts';
import type { Progress, StageContext, StageFunction, StageInput } from '../../framework/stage/contract.ts';
import type { EngineSpan } from '../../framework/stage/engines.ts';
import type { JsonObject } from '../../framework/stage/json.ts';

export interface Attempt {
  readonly dir: string;
  readonly name: string;
  readonly config: JsonObject;
  readonly inputs: { readonly [name: string]: StageInput };
  readonly seed?: number;
  readonly until?: number;
  /** Tells it to stop once it has shown this step. */
  readonly stopAt?: number;
  /** Seconds between checkpoints; none but at a stop unless said. */
  readonly interval?: number;
  /** `onnx` unless said. */
  readonly engine?: string;
  /** Throws unless said. */
  onWarning?(message: string): void;
}

export interface AttemptOutcome {
  /** `stopped` if it was asked to, whatever it threw then. */
  readonly end: 'done' | 'stopped';
  /** Every file that it put out, as hex. Empty if it was stopped. */
  readonly files: { readonly [name: string]: string };
  readonly metrics: { readonly [name: string]: number };
  readonly past: Past;
  /** Who computed its steps. */
  readonly engines: readonly EngineSpan[];
  readonly shown: readonly Progress[];
}

/** Runs a stage in this process, with the framework's checkpoints in `dir`, one attempt. */
export async function attemptStage(
  run: StageFunction<never, never>,
  attempt: Attempt,
): Promise<AttemptOutcome> {
  const { engine = 'onnx' } = attempt;
  const outDir = path.join(attempt.dir, `out-${attempt.name}`);
  const workDir = path.join(attempt.dir, `work-${attempt.name}`);
  fs.rmSync(outDir, { recursive: true, force: true });
  for (const folder of [outDir, workDir]) fs.mkdirSync(folder, { recursive: true });
  const history = openHistory(path.join(outDir, 'metrics.jsonl'));
  const checkpoints = new StageCheckpoints({
    workDir,
    outDir,
    engine,
    previousDir: attempt.inputs.previous?.dir,
    history,
    interval: attempt.interval ?? 1e9,
    onWarning:
      attempt.onWarning ??
      ((message) => {
        throw new Error(message);
      }),
  });
  const about = () => ({ past: checkpoints.past, engines: checkpoints.engines });
  const stop = new AbortController();
  const shown: Progress[] = [];
  const context: StageContext = {
    config: attempt.config,
    seed: attempt.seed ?? 0,
    inputs: attempt.inputs,
    files: {},
    outDir,
    workDir,
    checkpoints,
    ...(attempt.until === undefined ? {} : { until: attempt.until }),
    engine: { name: engine, threads: 1 },
    signal: stop.signal,
    progress(update) {
      shown.push(update);
      if (update.step === attempt.stopAt) stop.abort(new Error('asked to stop'));
    },
    log: (record) => history.append(`${JSON.stringify(record)}\n`),
  };
  try {
    const { metrics = {} } = await run(context as never);
    return { end: 'done', files: readFiles(outDir), metrics, ...about(), shown };
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return { end: 'stopped', files: {}, metrics: {}, ...about(), shown };
  } finally {
    history.close();
  }
}

/** Paths and bytes (hex) of all files below a folder. */
function readFiles(dir: string): { [name: string]: string } {
  const names = fs.readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();
  const plain = names.filter((name) => fs.statSync(path.join(dir, name)).isFile());
  return Object.fromEntries(plain.map((name) => [name, fs.readFileSync(path.join(dir, name), 'hex')]));
}
