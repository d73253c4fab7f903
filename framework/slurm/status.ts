import type { StageProgress } from '../run/record/events.ts';
import type { Failure } from '../stage/errors.ts';
import type { Store } from '../store/types.ts';
import { explainEnd, findEnd, tailOf } from './ends.ts';
import { readStory, type TaskStory } from './events.ts';
import { tasksIn } from './live.ts';
import { isLive, type Queue, readQueue, taskName } from './queue.ts';
import {
  cancelFile,
  eventsOf,
  lockSubmissions,
  logOf,
  Records,
  type Submission,
  type Submitted,
} from './records.ts';
import { ask } from './tools.ts';
import type { WatchedStage } from './watch.ts';

/** Where a stage without a result is. `ended`: its task is over, and the next plan finds its result or its failure. */
export type StageStatus =
  | { readonly state: 'not submitted' }
  | { readonly state: 'waiting'; readonly task: string; readonly reason: string }
  | {
      readonly state: 'running';
      readonly task: string;
      readonly nodes: string;
      readonly log: string;
      readonly progress?: StageProgress;
    }
  | {
      readonly state: 'failed';
      readonly task: string;
      readonly failure: Failure;
      readonly tail: readonly string[];
      readonly log: string;
    }
  | { readonly state: 'skipped'; readonly because: string };

/** What became of stages, by id. One question to Slurm, and one more for each task that ended without a word. */
export async function readStatus(
  stages: readonly WatchedStage[],
  records: Records,
): Promise<ReadonlyMap<string, StageStatus>> {
  const found = new Map(stages.map(({ stage, key }) => [stage, records.find(key)] as const));
  const users = [...found.values()].flatMap((one) => (one ? [one.user] : []));
  const queue = await readQueue([process.getuid!(), ...users]);
  const stories = new Map<string, TaskStory>();
  const statuses = new Map<string, StageStatus>();
  for (const [stage, submitted] of found) {
    const job = submitted && (submitted.job ?? queue.jobOf(submitted.submission));
    if (submitted === undefined || job === undefined) statuses.set(stage, { state: 'not submitted' });
    else statuses.set(stage, await statusOf(stage, { ...submitted, job }, { queue, records, stories }));
  }
  return statuses;
}

interface Known {
  readonly queue: Queue;
  readonly records: Records;
  /** By file: stages may share a task. */
  readonly stories: Map<string, TaskStory>;
}

/** Of one stage that was submitted. */
export async function statusOf(
  stage: string,
  submitted: Submitted & { readonly job: string },
  { queue, records, stories }: Known,
): Promise<StageStatus> {
  const dir = records.dirOf(submitted.submission);
  const file = eventsOf(dir, submitted.index);
  const story = stories.get(file) ?? readStory(file);
  stories.set(file, story);
  const log = logOf(dir, submitted.index);
  const task = taskName(submitted);
  const outcome = story.outcomes.get(stage);
  if (outcome?.type === 'stage-failed')
    return { state: 'failed', task, failure: outcome.failure, tail: outcome.tail, log };
  if (outcome?.type === 'stage-skipped') return { state: 'skipped', because: outcome.because };
  const queued = queue.task(submitted);
  if (queued && isLive(queued)) {
    if (queued.nodes === '') return { state: 'waiting', task, reason: queued.reason };
    const progress = story.events.findLast(
      (event) => event.type === 'stage-progress' && event.stage === stage,
    ) as StageProgress | undefined;
    return { state: 'running', task, nodes: queued.nodes, log, ...(progress ? { progress } : {}) };
  }
  if (queued?.reason === 'DependencyNeverSatisfied')
    return { state: 'skipped', because: 'a stage that it needs' };
  const tail = tailOf(log);
  const failure = explainEnd(await findEnd(queued, task), tail);
  return { state: 'failed', task, failure, tail, log };
}

/** Milliseconds after which a job that can't be asked about counts as ended. */
const longestJob = 60 * 24 * 3600 * 1000;

/**
 * Since when jobs that are queued or running may have used the store, in milliseconds since 1970; undefined without any.
 * Where Slurm doesn't answer, all may be there that were submitted in the last 60 days.
 */
export async function findUse(records: Records, now = Date.now()): Promise<number | undefined> {
  const recent = records.all().filter(({ submitted }) => now - Date.parse(submitted) < longestJob);
  if (recent.length === 0) return undefined;
  const queue = await readQueue(recent.map(({ user }) => user)).catch(() => undefined);
  const isUsing = (submission: Submission): boolean => {
    const job = records.jobOf(submission.id, queue);
    if (queue === undefined || job === undefined) return queue === undefined;
    return Object.keys(submission.tasks).some((index) => isLive(queue.task({ job, index: Number(index) })));
  };
  const using = recent.filter(isUsing).map(({ submitted }) => Date.parse(submitted));
  return using.length === 0 ? undefined : Math.min(...using);
}

/** Names a call of scancel takes at once: command lines have an end. */
const mostNames = 500;

/**
 * Ends all tasks of an experiment's file that are queued or running. Those that run save and stop, and don't go back into
 * the queue.
 *
 * @param file absolute, without links
 * @returns names of the tasks
 */
export async function cancelJobs(
  file: string,
  store: Pick<Store, 'dir' | 'lock'>,
): Promise<readonly string[]> {
  const isOf = (one: Submission) => one.file === file;
  if (!new Records(store.dir).all().some(isOf)) return [];
  // One that submits comes to its end first: what it would submit afterwards is ended, too.
  const unlock = await lockSubmissions(store);
  try {
    const records = new Records(store.dir);
    return await cancelTasks(records.all().filter(isOf), records);
  } finally {
    await unlock();
  }
}

async function cancelTasks(submissions: readonly Submission[], records: Records): Promise<readonly string[]> {
  const queue = await readQueue([process.getuid!(), ...submissions.map(({ user }) => user)]);
  const live = tasksIn(queue, submissions, records);
  for (const { submission, index } of live) records.note(cancelFile(records.dirOf(submission), index));
  const names = live.map(taskName);
  for (let from = 0; from < names.length; from += mostNames)
    await ask('scancel', names.slice(from, from + mostNames));
  return names;
}
