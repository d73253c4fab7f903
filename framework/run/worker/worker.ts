/**
 * Entry of a stage's process: takes one job by IPC, calls the stage's `run`, says how it ended, and exits.
 * What the stage prints goes to pipes that the parent reads.
 */
import { pathToFileURL } from 'node:url';
import type { StageFunction } from '../../stage/contract.ts';
import type { FromWorker, StageJob, ToWorker } from '../executors/executor.ts';
import { checkpointSeconds } from './checkpoints.ts';
import { openContext } from './context.ts';
import { describeThrown } from './error.ts';
import { refuseMathRandom } from './math-random.ts';

// Between an error and the user's line, whose place is shown, there may be many calls of a library.
Error.stackTraceLimit = 50;

const stop = new AbortController();

function requestStop(): void {
  if (!stop.signal.aborted) stop.abort(new Error('interrupted'));
}

// The terminal sends Ctrl-C to the whole process group, and SIGHUP when it is closed. The parent decides what it means
// and says `stop`.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
process.on('SIGTERM', requestStop);
// The parent is gone (kill -9, for example): no process is left that would commit the result, so this one ends, too.
process.on('disconnect', () => process.exit(1));
process.on('message', (message: ToWorker) => {
  if (message.type === 'stop') requestStop();
  else void runJob(message.job).then(end, (error: unknown) => end(failureMessage(error)));
});
process.on('uncaughtException', (error) => end(failureMessage(error)));

async function runJob(job: StageJob): Promise<FromWorker> {
  const { context, finish } = openContext(job, {
    signal: stop.signal,
    checkpointSeconds: checkpointSeconds(process.env.PECO_CHECKPOINT_SECONDS),
    onProgress: (progress) => send({ type: 'progress', progress }),
    onWarning: (message) => send({ type: 'warning', message }),
  });
  const loaders = Object.values(job.descriptors).flatMap(({ load }) => load ?? []);
  refuseMathRandom([job.bundle, ...loaders]);
  const module: { run?: unknown } = await import(pathToFileURL(job.bundle).href);
  if (typeof module.run !== 'function')
    throw new Error('the implementation module exports no function `run`');
  const result = await (module.run as StageFunction)(context);
  return { type: 'done', ...finish(result), peakMemory: peakMemory() };
}

/** MiB of this process at its largest. */
function peakMemory(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}

function failureMessage(error: unknown): FromWorker {
  // Whatever a stage throws once it was asked to stop, it stopped because of that.
  if (stop.signal.aborted) return { type: 'interrupted' };
  return { type: 'failed', failure: describeThrown(error) };
}

function send(message: FromWorker, sent: () => void = () => {}): void {
  if (process.connected) process.send!(message, undefined, undefined, sent);
}

/** Exits even if the stage left timers or sockets open, but not before the message is out. */
function end(message: FromWorker): void {
  send(message, () => process.exit(0));
}
