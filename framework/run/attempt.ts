import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Difference } from '../plan/differences.ts';
import type { StageNode } from '../plan/types.ts';
import type { Failure } from '../stage/errors.ts';
import { formatError } from '../stage/errors.ts';
import { historyFile } from '../stage/history.ts';
import type { ContentKey, Fingerprint } from '../stage/keys.ts';
import type { Document } from '../store/documents.ts';
import type { Entry, Store } from '../store/types.ts';
import type { Executor, JobResult, Work } from './executors/executor.ts';
import { type BundleModule, describeJob, type JobDescription } from './job.ts';
import { describeTimeout, type Limit, startLimit, type Timer } from './limit.ts';
import type { Emit } from './record/events.ts';
import { createRateMeter } from './record/pace.ts';
import type { Making, Provenance } from './record/provenance.ts';
import { findResumePoint, type ResumePoint } from './worker/resume.ts';

/** A stage whose key is known and that the store doesn't have. */
export interface Attempt {
  readonly node: StageNode;
  readonly contentKey: ContentKey;
  readonly fingerprint: Fingerprint;
  /** What the digests in the fingerprint stand for. */
  readonly documents: ReadonlyMap<string, Document>;
  entryOf(stage: StageNode): Entry;
}

/** What attempts of one run have in common. */
export interface Workshop {
  readonly store: Store;
  readonly engine: string;
  readonly executor: Executor;
  readonly bundleModule: BundleModule;
  /** Inputs of a stage that are no longer what its key says. */
  readonly findChangedInputs: (attempt: Attempt) => Promise<readonly Difference[]>;
  readonly writeProvenance: (making: Making) => Promise<Provenance>;
  readonly stop: AbortSignal;
  readonly kill: AbortSignal;
  /** How often a stage is started again whose process died. */
  readonly retries: number;
  /** Seconds that a stage may run, all tries together. */
  readonly timeout?: number;
  readonly timer: Timer;
  readonly emit: Emit;
}

export type AttemptResult =
  | { readonly type: 'finished'; readonly origin: 'ran' | 'shared'; readonly entry: Entry }
  | { readonly type: 'failed'; readonly failure: Failure; readonly tail: readonly string[] }
  | { readonly type: 'interrupted'; readonly tail?: readonly string[]; readonly saved?: ResumePoint };

/** The right to run a process, as the scheduler hands it out. */
export interface Slot {
  /** Gives it back while the attempt waits for another run. */
  release(): void;
  /** Waits for a free one; resolves to the threads that the stage may use. */
  acquire(): Promise<number>;
}

/**
 * Makes the result of one stage, or takes that of another run which made it at the same time: the run that holds the
 * lock of the key makes it, and the others find it in the store afterwards. Never throws.
 */
export async function attemptStage(
  attempt: Attempt,
  slot: Slot,
  threads: number,
  shop: Workshop,
): Promise<AttemptResult> {
  const { store, stop, emit } = shop;
  let waited = false;
  let unlock: (() => Promise<void>) | undefined;
  try {
    unlock = await store.lock(attempt.contentKey, {
      signal: stop,
      onWait() {
        waited = true;
        slot.release();
        emit({ type: 'stage-waiting', stage: attempt.node.id });
      },
    });
    // It may have been committed between the scheduler's look and this lock.
    const entry = await store.lookup(attempt.contentKey);
    if (entry) return { type: 'finished', origin: 'shared', entry };
    const granted = waited ? await slot.acquire() : threads;
    if (stop.aborted) return { type: 'interrupted' };
    return await runLocked(attempt, granted, shop);
  } catch (error) {
    if (stop.aborted) return { type: 'interrupted' };
    return { type: 'failed', failure: describeFailure(error), tail: [] };
  } finally {
    await unlock?.();
  }
}

async function runLocked(attempt: Attempt, threads: number, shop: Workshop): Promise<AttemptResult> {
  const { store, emit } = shop;
  emit({ type: 'stage-started', stage: attempt.node.id, threads });
  const startedAt = new Date();
  const described = await describeJob(attempt.node, attempt.entryOf, shop.bundleModule);
  const limit = startLimit(shop.timeout, shop, shop.timer);
  try {
    for (let tries = 1; ; tries++) {
      // Each try gets a new one: what a process wrote that died is no output, but its work folder is worth keeping.
      const outDir = await store.newOutDir();
      try {
        const result = await runOnce({ attempt, described, outDir, threads, startedAt, tries, limit }, shop);
        if (result) return result;
      } finally {
        // What a process still has open can't go on every file system; a later run clears it away.
        await fs.rm(outDir, { recursive: true, force: true }).catch(() => {});
      }
    }
  } finally {
    limit.end();
  }
}

/** What a process has logged that left no result stays in the work folder, for those who draw its curves. */
async function keepHistory(
  { node, contentKey }: Attempt,
  outDir: string,
  { store, emit }: Workshop,
): Promise<void> {
  const left = path.join(outDir, historyFile);
  if (!existsSync(left)) return;
  try {
    const file = path.join(await store.workDir(contentKey), historyFile);
    await fs.rename(left, file);
    emit({ type: 'stage-logging', stage: node.id, file });
  } catch {
    // A full disk, say: what was read of it until now is all there is.
  }
}

/** One process of a stage. */
interface Try {
  readonly attempt: Attempt;
  readonly described: JobDescription;
  readonly outDir: string;
  readonly threads: number;
  /** When the first one started. */
  readonly startedAt: Date;
  /** From 1. */
  readonly tries: number;
  readonly limit: Limit;
}

/** Undefined if the process died and may be tried again. */
async function runOnce(one: Try, shop: Workshop): Promise<AttemptResult | undefined> {
  const { attempt, described, outDir, threads, tries, limit } = one;
  const stage = attempt.node.id;
  const clock = performance.now();
  const engine = { name: shop.engine, threads };
  const workDir = await shop.store.workDir(attempt.contentKey);
  shop.emit({ type: 'stage-logging', stage, file: path.join(outDir, historyFile) });
  const result = await execute({ ...described.job, outDir, workDir, engine }, limit, shop);
  if (result.type === 'done') return keepResult(one, result, (performance.now() - clock) / 1000, shop);
  await keepHistory(attempt, outDir, shop);
  const crashed = result.type === 'failed' && result.crashed === true;
  if ((result.type === 'interrupted' || crashed) && limit.expired()) {
    return { type: 'failed', failure: describeTimeout(shop.timeout!), tail: result.tail ?? [] };
  }
  if (crashed && tries <= shop.retries && !limit.stop.aborted) {
    const { failure, tail } = result;
    shop.emit({ type: 'stage-retrying', stage, failure, tail, retry: tries, of: shop.retries });
    return undefined;
  }
  await forgetIfChanged(attempt, shop);
  if (result.type === 'failed') return result;
  const saved = await findResumePoint(workDir, shop.engine);
  return { ...result, ...(saved ? { saved } : {}) };
}

/** Commits the outputs of a process, if its inputs are still what the key says. */
async function keepResult(one: Try, work: Work, seconds: number, shop: Workshop): Promise<AttemptResult> {
  const { attempt, described, outDir, threads, startedAt, tries } = one;
  const { store } = shop;
  const changed = await shop.findChangedInputs(attempt);
  if (changed.length > 0) {
    await store.clearWork(attempt.contentKey);
    return await withhold(attempt.node.id, outDir, changed, store);
  }
  const provenance = await shop.writeProvenance({
    node: attempt.node,
    startedAt,
    seconds: (work.earlierSeconds ?? 0) + seconds,
    resumedFrom: work.resumedFrom,
    tries,
    images: work.images,
    engines: work.engines ?? [{ engine: shop.engine, from: 0 }],
    engineDescription: work.engine,
    peakMemory: work.peakMemory,
    waiting: work.waiting,
    threads,
    packages: described.packages,
  });
  store.documents.save(attempt.documents);
  const { contentKey, fingerprint } = attempt;
  const entry = await store.commit(contentKey, { outDir, fingerprint, provenance });
  await store.clearWork(contentKey);
  return { type: 'finished', origin: 'ran', entry };
}

/** Removes checkpoints that come from other inputs than their key says. */
async function forgetIfChanged(attempt: Attempt, shop: Workshop): Promise<void> {
  const changed = await shop.findChangedInputs(attempt).catch(() => undefined);
  if (changed === undefined || changed.length > 0) await shop.store.clearWork(attempt.contentKey);
}

/** A result whose inputs changed under it belongs to no key: it is kept for the user, but not stored. */
async function withhold(
  stage: string,
  outDir: string,
  changed: readonly Difference[],
  store: Store,
): Promise<AttemptResult> {
  const aside = path.join(store.dir, 'uncommitted', `${stage.replaceAll('/', '-')}-${path.basename(outDir)}`);
  await fs.mkdir(path.dirname(aside), { recursive: true });
  await fs.rename(outDir, aside);
  const shown = changed
    .slice(0, 3)
    .map(({ path: file, input }) => `${file}${input ? ` (input ${input})` : ''}`);
  const more = changed.length > shown.length ? ` and ${changed.length - shown.length} more` : '';
  const failure = {
    message: `its inputs changed while it ran: ${shown.join(', ')}${more}. The result is in ${aside}, and not stored`,
    hint: 'run again: it starts from the inputs as they are now',
  };
  return { type: 'failed', failure, tail: [] };
}

function execute(job: Parameters<Executor>[0], { stop, kill }: Limit, shop: Workshop): Promise<JobResult> {
  const { stage } = job;
  const measureRate = createRateMeter();
  return shop.executor(job, {
    stop,
    kill,
    onProgress: (progress) =>
      shop.emit({ type: 'stage-progress', stage, ...progress, ...measureRate(progress) }),
    onOutput: (stream, text) => shop.emit({ type: 'log', stage, stream, text }),
    onWarning: (message) => shop.emit({ type: 'warning', stage, message }),
  });
}

/** An error of the framework itself around a stage: a full disk, a module that can't be bundled. */
export function describeFailure(error: unknown): Failure {
  const message = formatError(error);
  return error instanceof Error && error.stack !== undefined ? { message, stack: error.stack } : { message };
}
