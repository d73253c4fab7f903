import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { mapStack, placesIn } from '../../code/frames.ts';
import { showPath } from '../../files/show-path.ts';
import type { Failure } from '../../stage/errors.ts';
import type { Executor, FromWorker, JobControl, JobResult, StageJob, ToWorker } from './executor.ts';

const tailLines = 20;
/** A grandchild may hold the pipes open after the stage's own process has ended: don't wait for it for ever. */
const drainMilliseconds = 1000;

export interface LocalOptions {
  /** Stacks of failures name the places in the sources: slower to load, so only for those who look at stacks. */
  readonly sourceMaps: boolean;
  /** Folder of the project, whose files failures point at. */
  readonly root: string;
  /** Files are shown relative to it. */
  readonly cwd: string;
}

/** Runs each job in a process of its own on this machine. `worker` is the built `worker.js`. */
export function localExecutor(worker: string, options: LocalOptions): Executor {
  const execArgv = options.sourceMaps ? ['--enable-source-maps'] : [];
  return async (job, control) => {
    const result = await runInProcess({ worker, execArgv }, job, control);
    if (result.type !== 'failed') return result;
    return { ...result, failure: withLocation(result.failure, job, options) };
  };
}

async function runInProcess(
  { worker, execArgv }: { readonly worker: string; readonly execArgv: string[] },
  job: StageJob,
  control: JobControl,
): Promise<JobResult> {
  if (control.stop.aborted) return { type: 'interrupted' };
  let child: ChildProcess;
  try {
    child = fork(worker, [job.stage], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv,
      env: environmentOf(job),
    });
  } catch (error) {
    return failed(`could not start a process: ${(error as Error).message}`, []);
  }
  const tail: string[] = [];
  let answer: Exclude<FromWorker, { type: 'progress' | 'warning' }> | undefined;
  let spawnError: Error | undefined;

  child.on('error', (error) => {
    spawnError = error;
  });
  child.on('message', (message: FromWorker) => {
    if (message.type === 'progress') control.onProgress(message.progress);
    else if (message.type === 'warning') control.onWarning(message.message);
    else answer = message;
  });
  const closed = Promise.all([
    forwardLines(child.stdout!, (line) => output('stdout', line)),
    forwardLines(child.stderr!, (line) => output('stderr', line)),
  ]);
  const ended = waitForEnd(child);
  const stop = () => tell(child, { type: 'stop' });
  const kill = () => void child.kill('SIGKILL');
  control.stop.addEventListener('abort', stop);
  control.kill.addEventListener('abort', kill);
  tell(child, { type: 'start', job });

  function output(stream: 'stdout' | 'stderr', line: string): void {
    tail.push(line);
    if (tail.length > tailLines) tail.shift();
    control.onOutput(stream, line);
  }

  try {
    const { code, signal } = await ended;
    await Promise.race([closed, drainTime()]);
    // An answer of `done` counts even if the process then crashed while it ended: the outputs are complete.
    if (answer?.type === 'failed') return { ...answer, tail };
    if (answer?.type === 'interrupted' && !control.stop.aborted)
      return failed('its process was asked to stop (SIGTERM)', tail);
    if (answer?.type === 'done') return answer;
    if (answer || control.stop.aborted) return { type: 'interrupted', tail };
    if (spawnError) return failed(`could not start a process: ${spawnError.message}`, tail);
    return diedSilently(code, signal, tail);
  } finally {
    control.stop.removeEventListener('abort', stop);
    control.kill.removeEventListener('abort', kill);
  }
}

/** Node reads and decodes in a pool of 4 threads, unless the environment says another number when it starts. */
function environmentOf({ engine }: StageJob): NodeJS.ProcessEnv {
  return { UV_THREADPOOL_SIZE: String(Math.max(4, engine.threads)), ...process.env };
}

/** Says where in the project a stage failed, if its stack passes through one of its files. */
function withLocation(failure: Failure, job: StageJob, { root, cwd }: LocalOptions): Failure {
  if (failure.stack === undefined) return failure;
  const loads = Object.values(job.descriptors).flatMap(({ load }) => load ?? []);
  const bundles = new Set([job.bundle, ...loads]);
  const mapped = { ...failure, stack: mapStack(failure.stack, bundles) };
  for (const place of placesIn(mapped.stack, bundles)) {
    const inside = path.relative(root, place.file).split(path.sep);
    if (inside[0] === '..' || path.isAbsolute(inside[0]!) || inside.includes('node_modules')) continue;
    return { ...mapped, location: { ...place, file: showPath(place.file, cwd) } };
  }
  return mapped;
}

function diedSilently(code: number | null, signal: string | null, tail: readonly string[]): JobResult {
  if (signal === 'SIGKILL') {
    const hint = 'most often the machine ran out of memory: try a smaller batch or --jobs 1';
    return { ...failed('its process was killed (SIGKILL)', tail, hint), crashed: true };
  }
  const how = signal === null ? `exit code ${code}` : signal;
  return { ...failed(`its process ended without a result (${how})`, tail), crashed: true };
}

function failed(message: string, tail: readonly string[], hint?: string) {
  return { type: 'failed' as const, failure: { message, ...(hint === undefined ? {} : { hint }) }, tail };
}

/** The exit, and the end of the channel: messages may still be in it when `exit` fires. */
async function waitForEnd(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  const disconnected = child.connected ? once(child, 'disconnect') : undefined;
  const exit = await new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    // A process that never started has no exit.
    child.once('error', () => child.pid === undefined && resolve({ code: null, signal: null }));
  });
  if (child.pid !== undefined) await disconnected;
  return exit;
}

/** Where this process itself was stopped for so long, what is in the pipes is read before the time is up. */
async function drainTime(): Promise<void> {
  await sleep(drainMilliseconds, undefined, { ref: false });
  await nextTurn();
}

function tell(child: ChildProcess, message: ToWorker): void {
  // The callback takes the error of a channel that closed meanwhile; the exit tells the rest.
  if (child.connected) child.send(message, () => {});
}

async function forwardLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on('line', onLine);
  await once(lines, 'close');
}
