import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Emit, RunEvent } from '../run/record/events.ts';
import type { TimedEvent } from '../run/record/records.ts';
import type { InputKey } from '../stage/keys.ts';
import { isOutcome, type StageOutcome } from './events.ts';
import type { Place } from './jobs.ts';
import { isLive, type Queue, type QueuedTask, readQueue, taskName } from './queue.ts';
import { eventsOf, type Records } from './records.ts';

export interface WatchedStage {
  readonly stage: string;
  readonly key: InputKey;
}

export interface WatchOptions {
  readonly records: Records;
  readonly emit: Emit;
  /** Aborted by Ctrl-C: the watching ends, the jobs go on. */
  readonly stop: AbortSignal;
  /** Milliseconds between two questions to Slurm. */
  readonly pause?: number;
}

/** What all users of a cluster ask its controller adds up. */
export const usualPause = 5000;
/** Questions in a row without an answer, before that is said. */
const patience = 3;

/** What was seen of a stage. */
interface Seen {
  readonly place: Place;
  readonly user: number;
  readonly file: string;
  readonly stages: ReadonlySet<string>;
  /** Bytes of its events that were read. */
  read: number;
}

/** What watching has learnt. */
export interface Watched {
  /** How stages ended, by id, as their tasks say; the same events were emitted. */
  readonly told: ReadonlyMap<string, StageOutcome>;
  /** Of each stage, how its task was last seen. */
  readonly last: ReadonlyMap<string, QueuedTask>;
}

/**
 * Emits what the tasks tell of some stages, as they run, until all of these tasks have ended. One question to Slurm for all
 * of them, every few seconds; what stages do is in files of the store.
 */
export async function watchStages(stages: readonly WatchedStage[], options: WatchOptions): Promise<Watched> {
  const { records, emit, stop, pause = usualPause } = options;
  const seen = findTasks(stages, records);
  const told = new Map<string, StageOutcome>();
  const last = new Map<string, QueuedTask>();
  const wanted = new Set(stages.map(({ stage }) => stage));
  let silent = 0;
  for (let open = [...seen.values()]; open.length > 0; ) {
    let queue: Queue | undefined;
    try {
      queue = await readQueue(open.map(({ user }) => user));
      silent = 0;
    } catch (error) {
      silent += 1;
      // Its jobs go on without the controller, and so do we.
      if (silent === patience)
        emit({ type: 'warning', message: `${(error as Error).message}; asking again` });
    }
    for (const task of open) {
      for (const event of readNew(task)) if (isFor(event, wanted)) tell(event, told, emit);
      const now = queue?.task(task.place);
      if (now) for (const stage of task.stages) last.set(stage, now);
    }
    // What a task wrote last is read once more after it was seen to have ended.
    if (queue) open = open.filter(({ place }) => isLive(queue.task(place)));
    if (stop.aborted || open.length === 0) break;
    await sleep(pause, undefined, { signal: stop }).catch(() => {}); // stopped meanwhile
  }
  for (const task of seen.values())
    for (const event of readNew(task)) if (isFor(event, wanted)) tell(event, told, emit);
  return { told, last };
}

/** Their tasks, each once: several stages may share one. */
function findTasks(stages: readonly WatchedStage[], records: Records): Map<string, Seen> {
  const tasks = new Map<string, Seen & { readonly stages: Set<string> }>();
  for (const { stage, key } of stages) {
    const submitted = records.find(key);
    if (submitted?.job === undefined) continue;
    const { job, index, submission, user } = submitted;
    const place = { job, index };
    const file = eventsOf(records.dirOf(submission), index);
    const known = tasks.get(taskName(place)) ?? { place, user, file, stages: new Set<string>(), read: 0 };
    known.stages.add(stage);
    tasks.set(taskName(place), known);
  }
  return tasks;
}

/** The events of a task since the last call; a line that is being written is left for the next. */
function readNew(task: Seen): TimedEvent[] {
  let file: number | undefined;
  try {
    file = fs.openSync(task.file, 'r');
    const { size } = fs.fstatSync(file);
    if (size <= task.read) return [];
    const bytes = Buffer.alloc(size - task.read);
    const length = fs.readSync(file, bytes, 0, bytes.length, task.read);
    const end = bytes.subarray(0, length).lastIndexOf('\n') + 1;
    task.read += end;
    return bytes
      .subarray(0, end)
      .toString('utf8')
      .split('\n')
      .flatMap((line) => parse(line));
  } catch {
    return []; // it hasn't begun
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
}

function parse(line: string): TimedEvent[] {
  try {
    return line === '' ? [] : [JSON.parse(line) as TimedEvent];
  } catch {
    return [];
  }
}

function isFor(event: RunEvent, wanted: ReadonlySet<string>): boolean {
  return 'stage' in event && event.stage !== undefined && wanted.has(event.stage);
}

function tell({ time: _time, ...event }: TimedEvent, told: Map<string, StageOutcome>, emit: Emit): void {
  if (!('stage' in event) || event.stage === undefined || told.has(event.stage)) return;
  if (isOutcome(event)) told.set(event.stage, event);
  emit(event);
}
