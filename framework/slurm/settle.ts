import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Plan, PlannedStage } from '../plan/plan.ts';
import { mayRun } from '../plan/types.ts';
import { upstreamStages } from '../plan/walk.ts';
import { settleStages } from '../run/driver.ts';
import type { RunOptions } from '../run/options.ts';
import type { Emit, RunEvent } from '../run/record/events.ts';
import type { Task } from '../run/tasks.ts';
import type { InputKey } from '../stage/keys.ts';
import { acceptsMissing, isReport } from '../stage/roles.ts';
import { explainEnd, tailOf } from './ends.ts';
import type { StageOutcome } from './events.ts';
import { endedForMemory } from './grow.ts';
import { createOthers } from './others.ts';
import type { QueuedTask } from './queue.ts';
import { cancelFile, logOf, Records } from './records.ts';
import { settleSeen } from './seen.ts';
import type { SubmitResult } from './submit.ts';
import { usualPause, type WatchedStage, watchStages } from './watch.ts';

export interface SettleOptions {
  /** What was submitted just now. */
  readonly submitted: SubmitResult;
  /** Submits what is left, but for stages that have ended. */
  submit(ended: ReadonlySet<string>): Promise<SubmitResult>;
  /** Milliseconds between two questions to Slurm. */
  readonly pause?: number;
}

/**
 * Brings the stages of a plan to their end as `settleStages` does, with the same events, by the jobs that make them: emits
 * what they tell until all have ended, then takes what is stored. The report is made here if its job could not.
 */
export async function settleOnSlurm(
  plan: Plan,
  options: RunOptions,
  emit: Emit,
  { submitted, submit, pause }: SettleOptions,
): Promise<readonly Task[]> {
  const records = new Records(options.store.dir);
  const keys = await plan.inputKeys();
  const open = plan.stages.filter(mayRun).map(({ node }) => ({ stage: node.id, key: keys.get(node)! }));
  const told = new Map<string, StageOutcome>();
  const last = new Map<string, QueuedTask>();
  const { retries = 1 } = options;
  const silent = new Map<string, number>();
  let retry = 0;
  let warned = false;
  for (let result = submitted; ; ) {
    const left = open.filter(({ stage }) => !told.has(stage));
    const watching = { records, emit, stop: options.stop, ...(pause === undefined ? {} : { pause }) };
    const watched = await watchStages(left, watching);
    for (const [stage, outcome] of watched.told) told.set(stage, outcome);
    for (const [stage, task] of watched.last) last.set(stage, task);
    const wordless = wordlessOf(left, result, told);
    // `peco-exp cancel`: the user wants no more of it.
    if (options.stop.aborted || wordless.some((one) => isCancelled(one, records))) break;
    for (const { stage } of wordless) silent.set(stage, (silent.get(stage) ?? 0) + 1);
    const short =
      retry < retries ? left.filter((one) => !told.has(one.stage) && endedForMemory(one, records)) : [];
    if (short.length > 0) retry += 1;
    for (const { stage, key } of short)
      emit(retrying(stage, tailOfTask(key, records), { retry, of: retries }));
    if (short.length === 0 && result.refused === undefined) break;
    if (result.refused && short.length + result.jobs.length + result.live === 0) {
      // Jobs of others fill what Slurm lets wait.
      if (!warned) emit({ type: 'warning', message: waitingFor(result.refused.error) });
      warned = true;
      await sleep(6 * (pause ?? usualPause), undefined, { signal: options.stop }).catch(() => {});
      if (options.stop.aborted) break;
    }
    // The cluster has room again for what it refused. What took too much memory gets more; what waited for it is made, too.
    const again = withFollowers(
      plan,
      new Set(short.length > 0 ? [...short, ...unmet(wordless, last)].map(({ stage }) => stage) : []),
    );
    // Tasks shared with others have left these out, and said so.
    for (const stage of again) told.delete(stage);
    const lost = [...silent].filter(([, times]) => times > retries).map(([stage]) => stage);
    const ended = result.refused
      ? [...told.keys(), ...withFollowers(plan, new Set(lost), false)]
      : open.map(({ stage }) => stage);
    result = await submit(new Set(ended.filter((stage) => !again.has(stage))));
    if (result.refused === undefined && result.jobs.length + result.live === 0) break;
  }
  return takeResults(plan, { ...options, keys, records, told, last }, emit);
}

function retrying(
  stage: string,
  tail: readonly string[],
  times: { readonly retry: number; readonly of: number },
): RunEvent {
  const { message } = explainEnd({ state: 'OUT_OF_MEMORY' });
  return { type: 'stage-retrying', stage, failure: { message }, tail, ...times };
}

function tailOfTask(key: InputKey, records: Records): readonly string[] {
  const last = records.find(key);
  return last === undefined ? [] : tailOf(logOf(records.dirOf(last.submission), last.index));
}

/** Stages that were in Slurm and are there no more, and that no task has told the end of. */
function wordlessOf(
  left: readonly WatchedStage[],
  { liveStages, submittedStages }: SubmitResult,
  told: ReadonlyMap<string, StageOutcome>,
): readonly WatchedStage[] {
  const there = new Set([...liveStages, ...submittedStages]);
  return left.filter(({ stage }) => there.has(stage) && !told.has(stage));
}

/** Those that Slurm has cancelled because a task failed that they waited for; it may have been shared with what they don't need. */
function unmet(
  stages: readonly WatchedStage[],
  last: ReadonlyMap<string, QueuedTask>,
): readonly WatchedStage[] {
  return stages.filter(({ stage }) => last.get(stage)?.reason === 'DependencyNeverSatisfied');
}

function isCancelled({ key }: WatchedStage, records: Records): boolean {
  const last = records.find(key);
  return last !== undefined && fs.existsSync(cancelFile(records.dirOf(last.submission), last.index));
}

/** Stages, and all that depend on them; without `tolerant`, those left out that are made of what is there. */
function withFollowers(plan: Plan, stages: ReadonlySet<string>, tolerant = true): ReadonlySet<string> {
  const found = new Set(stages);
  for (const { node } of plan.stages) {
    if (!tolerant && acceptsMissing(node.component)) continue;
    if (upstreamStages(node).some(({ id }) => found.has(id))) found.add(node.id);
  }
  return found;
}

function waitingFor({ message }: Error): string {
  return `no job of this run is in Slurm, and it takes no more now: ${message}; asking again`;
}

interface Ended extends RunOptions {
  readonly keys: ReadonlyMap<PlannedStage['node'], InputKey>;
  readonly records: Records;
  readonly told: ReadonlyMap<string, StageOutcome>;
  readonly last: ReadonlyMap<string, QueuedTask>;
}

/** The jobs have stored what they made: what is looked up now is theirs. */
async function takeResults(plan: Plan, ended: Ended, emit: Emit): Promise<readonly Task[]> {
  const { keys, records, told, last, ...options } = ended;
  const own = new Set(plan.stages.flatMap(({ node }) => (isReport(node.component) ? [node.id] : [])));
  const others = createOthers({ keys, records, store: options.store, own, last });
  const open = new Set(plan.stages.filter(mayRun).map(({ node }) => node.id));
  const tasks = await settleStages(plan, { ...options, others }, (event) => {
    const stage = 'stage' in event ? event.stage : undefined;
    if (stage !== undefined && told.has(stage)) return;
    const isTheirs = event.type === 'stage-finished' && event.origin === 'hit' && open.has(event.stage);
    emit(isTheirs ? { ...event, origin: 'ran' } : event);
  });
  for (const task of tasks) if (task.state === 'hit' && open.has(task.planned.node.id)) task.state = 'ran';
  if (options.stop.aborted) await settleSeen(tasks, { told, store: options.store, emit });
  return tasks;
}
