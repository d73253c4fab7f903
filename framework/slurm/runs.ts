import path from 'node:path';
import type { RunEvent, RunStatus, StageState } from '../run/record/events.ts';
import { endRecord } from '../run/record/log.ts';
import { listRuns, type RecordedRun, readEvents, type TimedEvent } from '../run/record/records.ts';
import { isOutcome, readStory, type StageOutcome, type TaskStory } from './events.ts';
import { isLive, isStuck, type Queue, readQueue } from './queue.ts';
import { eventsOf, Records, type Submission, wasCancelled } from './records.ts';
import { statusOf } from './status.ts';

/** A run whose process has gone before its jobs, as far as these have come. */
interface Followed {
  /** Absent while jobs of it are queued or running, or may be. */
  readonly status?: RunStatus;
  readonly seconds: number;
  readonly counts: { readonly [state in StageState]: number };
  readonly events: readonly TimedEvent[];
  /** Stages whose tasks ended without a word. */
  readonly silent: readonly Place[];
}

/** Where a stage is made. */
interface Place {
  readonly stage: string;
  readonly submission: Submission;
  readonly index: number;
}

interface Known {
  readonly records: Records;
  readonly submissions: readonly Submission[];
  /** Undefined where Slurm doesn't answer: then what has not ended may be running. */
  readonly queue: Queue | undefined;
}

/**
 * All runs of a store, the oldest first, as `listRuns` has them. Of those that left their stages to jobs of Slurm, the jobs
 * say how far they are. One question to Slurm, and only if there are such runs.
 */
export async function listAllRuns(store: string): Promise<readonly RecordedRun[]> {
  const runs = listRuns(store);
  if (!runs.some(isLeft)) return runs;
  const known = readKnown(store);
  const told = runs.map((run) => (isLeft(run) ? follow(run, known) : undefined));
  const isAnyOpen = told.some((followed) => followed && followed.status === undefined);
  const queue = isAnyOpen ? await askQueue(known.submissions) : undefined;
  return runs.map((run, at) => {
    const followed = told[at];
    if (followed === undefined) return run;
    const isSettled = followed.status !== undefined || queue === undefined;
    const { status, seconds, counts } = isSettled ? followed : follow(run, { ...known, queue });
    if (status === undefined) return { ...run, status: 'running' };
    return { ...run, status, record: { ...run.record, status, seconds, counts } };
  });
}

/** The events of a run in their order; with those of its jobs, where they went on without it. */
export async function readAllEvents(run: RecordedRun): Promise<readonly TimedEvent[]> {
  const { executor, left } = run.record;
  const own = readEvents(run.dir);
  const end = own.findLast((event) => event.type === 'run-finished');
  const stayed = end?.type === 'run-finished' && end.status !== 'interrupted';
  if (executor !== 'slurm' || (stayed && !left)) return own;
  let known = readKnown(storeOf(run.dir));
  if (follow(run, known).status === undefined) known = { ...known, queue: await askQueue(known.submissions) };
  const { status, seconds, counts, events, silent } = follow(run, known);
  if (status === undefined) return events;
  const time = events.at(-1)?.time ?? run.record.started;
  const explained = await Promise.all(silent.map((place) => explain(place, known)));
  const last = { type: 'run-finished', status, seconds, counts, files: [] } as const;
  return [...events, ...explained.flat().map((event) => ({ time, ...event })), { time, ...last }];
}

/** Notes how a run ended, once the last of its jobs has. */
export function endRun(store: string, id: string): void {
  const run = listRuns(store).find(({ record }) => record.id === id);
  if (run === undefined || !isLeft(run)) return;
  const { status, seconds, counts } = follow(run, readKnown(store));
  if (status !== undefined) endRecord(run.dir, { status, seconds, counts });
}

/** Its process has gone; the jobs may not have. */
function isLeft({ record, status }: RecordedRun): boolean {
  if (record.executor !== 'slurm' || status === 'done' || status === 'failed') return false;
  return record.left === true || status !== 'running';
}

function storeOf(dir: string): string {
  return path.dirname(path.dirname(dir));
}

/** Without Slurm: most runs have ended, and their jobs say so. */
function readKnown(store: string): Known {
  const records = new Records(store);
  return { records, submissions: records.all(), queue: undefined };
}

async function askQueue(submissions: readonly Submission[]): Promise<Queue | undefined> {
  return readQueue([process.getuid!(), ...submissions.map(({ user }) => user)]).catch(() => undefined);
}

function follow(run: RecordedRun, known: Known): Followed {
  const own = readEvents(run.dir).filter(({ type }) => type !== 'run-finished');
  const told = new Map(own.flatMap((event) => (isOutcome(event) ? [[event.stage, event] as const] : [])));
  const { places, stories } = placesOf(run, known);
  const counts: { [state in StageState]: number } = {
    ...{ hit: 0, ran: 0, shared: 0, failed: 0, skipped: 0, dropped: 0, interrupted: 0, unstarted: 0 },
  };
  const silent: Place[] = [];
  let live = false;
  for (const [stage, planned] of plannedStages(own, [...places.keys()])) {
    const place = places.get(stage);
    const outcome = told.get(stage) ?? (place && stories.get(place)?.outcomes.get(stage));
    const state = outcome
      ? stateOf(outcome, place !== undefined)
      : place
        ? endOf(place, known)
        : planned.state;
    if (state === 'live') live = true;
    else counts[state] += 1;
    if (outcome === undefined && state === 'failed') silent.push(place!);
  }
  const theirs = [...new Set(stories.values())].flatMap(({ events }) => events);
  const events = [...own, ...theirs.filter((event) => isOfTask(event, told))];
  events.sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
  const last = Date.parse(events.at(-1)?.time ?? run.record.started);
  const seconds = Math.max(0, (last - Date.parse(run.record.started)) / 1000);
  return { ...(live ? {} : { status: statusBy(counts) }), seconds, counts, events, silent };
}

/** Every stage of the plan, and what is known of one that no job of this run makes. A run that was cut off says nothing. */
function plannedStages(own: readonly TimedEvent[], submitted: readonly string[]) {
  const start = own.find((event) => event.type === 'run-started');
  const shared = new Set(own.flatMap((event) => (event.type === 'stage-waiting' ? [event.stage] : [])));
  const unplanned = submitted.map((stage) => ({ stage, status: 'run' as const }));
  const stages = start?.type === 'run-started' ? start.stages : unplanned;
  return stages.map(({ stage, status }): readonly [string, { readonly state: StageState }] => {
    if (status === 'hit' || status === 'dropped') return [stage, { state: status }];
    return [stage, { state: shared.has(stage) ? 'shared' : 'unstarted' }];
  });
}

/** Of each stage its last place, since a run may submit one again; and what the tasks tell. */
function placesOf({ record }: RecordedRun, { records, submissions }: Known) {
  const places = new Map<string, Place>();
  const stories = new Map<Place, TaskStory>();
  for (const submission of submissions) {
    if (submission.run !== record.id) continue;
    for (const [index, stages] of Object.entries(submission.tasks)) {
      const story = readStory(eventsOf(records.dirOf(submission.id), Number(index)));
      for (const { stage } of stages) {
        const place = { stage, submission, index: Number(index) };
        places.set(stage, place);
        stories.set(place, story);
      }
    }
  }
  return { places, stories };
}

/** How a stage ended of which its task says nothing. */
function endOf({ submission, index }: Place, { records, queue }: Known): StageState | 'live' {
  if (queue === undefined) return 'live';
  const job = records.jobOf(submission.id, queue);
  if (job === undefined) return 'unstarted';
  const task = queue.task({ job, index });
  if (isLive(task)) return 'live';
  if (task !== undefined && (isStuck(task) || task.reason === 'DependencyNeverSatisfied')) return 'skipped';
  const cancelled = task?.state === 'CANCELLED' || wasCancelled(records.dirOf(submission.id), index);
  return cancelled ? 'interrupted' : 'failed';
}

const states: { readonly [type in StageOutcome['type']]: StageState } = {
  'stage-finished': 'ran',
  'stage-failed': 'failed',
  'stage-skipped': 'skipped',
  'stage-dropped': 'dropped',
};

/** A task that was requeued finds what it made before. */
function stateOf(outcome: StageOutcome, submitted: boolean): StageState {
  if (outcome.type !== 'stage-finished') return states[outcome.type];
  return outcome.origin === 'hit' && submitted ? 'ran' : outcome.origin;
}

/** An event of a task that the run itself has not told. */
function isOfTask(event: TimedEvent, told: ReadonlyMap<string, unknown>): boolean {
  if (event.type === 'run-started' || event.type === 'run-finished') return false;
  return !('stage' in event && event.stage !== undefined && told.has(event.stage));
}

function statusBy(counts: Followed['counts']): RunStatus {
  if (counts.failed > 0) return 'failed';
  return counts.interrupted + counts.unstarted > 0 ? 'interrupted' : 'done';
}

async function explain({ stage, submission, index }: Place, { records, queue }: Known): Promise<RunEvent[]> {
  const job = records.jobOf(submission.id, queue);
  if (queue === undefined || job === undefined) return [];
  const submitted = { submission: submission.id, index, user: submission.user, job };
  const status = await statusOf(stage, submitted, { queue, records, stories: new Map() });
  if (status.state !== 'failed') return [];
  const { failure, tail } = status;
  return [{ type: 'stage-failed', stage, failure, tail }];
}
