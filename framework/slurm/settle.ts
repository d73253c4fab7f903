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
import { logOf, Records, wasCancelled } from './records.ts';
import { Resubmitter, type Step } from './resubmit.ts';
import { settleSeen } from './seen.ts';
import type { SubmitResult } from './submit.ts';
import { usualPause, watchStages } from './watch.ts';

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
  { submitted, submit, pause = usualPause }: SettleOptions,
): Promise<readonly Task[]> {
  const records = new Records(options.store.dir);
  const keys = await plan.inputKeys();
  const open = plan.stages.filter(mayRun).map(({ node }) => ({ stage: node.id, key: keys.get(node)! }));
  const keyOf = new Map(open.map(({ stage, key }) => [stage, key]));
  const told = new Map<string, StageOutcome>();
  const last = new Map<string, QueuedTask>();
  const { stop, retries = 1 } = options;
  const resubmitter = new Resubmitter(stepsOf(plan), retries);
  let warned = false;
  for (let result = submitted; ; ) {
    const left = open.filter(({ stage }) => !told.has(stage));
    const watched = await watchStages(left, { records, emit, stop, pause });
    for (const [stage, outcome] of watched.told) told.set(stage, outcome);
    for (const [stage, task] of watched.last) last.set(stage, task);
    const next = stop.aborted
      ? undefined
      : resubmitter.next({
          ...{ result, told },
          isShort: (stage) => endedForMemory({ stage, key: keyOf.get(stage)! }, records),
          isUnmet: (stage) => last.get(stage)?.reason === 'DependencyNeverSatisfied',
          isCancelled: (stage) => isCancelled(keyOf.get(stage)!, records),
        });
    if (next === undefined) break;
    for (const stage of next.retried)
      emit(retrying(stage, tailOfTask(keyOf.get(stage)!, records), { retry: next.retry, of: retries }));
    if (next.isFull) {
      // Jobs of others fill what Slurm lets wait.
      if (!warned) emit({ type: 'warning', message: waitingFor(result.refused!.error) });
      warned = true;
      await sleep(6 * pause, undefined, { signal: stop }).catch(() => {});
      if (stop.aborted) break;
    }
    // Tasks shared with others have left these out, and said so.
    for (const stage of next.again) told.delete(stage);
    result = await submit(next.ended);
    if (result.refused === undefined && result.jobs.length + result.live === 0) break;
  }
  return takeResults(plan, { ...options, keys, records, told, last }, emit);
}

function stepsOf(plan: Plan): readonly Step[] {
  return plan.stages.filter(mayRun).map(({ node }) => ({
    id: node.id,
    upstream: upstreamStages(node).map(({ id }) => id),
    tolerant: acceptsMissing(node.component),
  }));
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

function isCancelled(key: InputKey, records: Records): boolean {
  const last = records.find(key);
  return last !== undefined && wasCancelled(records.dirOf(last.submission), last.index);
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
