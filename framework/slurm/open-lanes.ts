import type { Dependency, Job, Place } from './jobs.ts';

export interface BusyTask extends Place {
  /** Absent if it was submitted without a limit. */
  readonly lane?: number;
  /** Tasks of its lane that run at once; absent: 1. */
  readonly width?: number;
}

/** One task of a job. */
export interface Task {
  readonly job: Job;
  readonly index: number;
  /** Of this submission. */
  readonly waitsFor: readonly Task[];
  /** In the simulation, in seconds. */
  readonly end: number;
  readonly lane: number;
  /** What has ended for certain when it begins, and when it ends itself, be it cancelled. */
  readonly before: ReadonlySet<Task>;
  readonly after: ReadonlySet<Task>;
}

/** Tasks that run one after another, or so many at once. */
export interface Lane {
  /** Its number: the first of those that it was joined from. */
  readonly first: number;
  /** Of how many. So many of its tasks run at once. */
  readonly width: number;
  /** Undefined where it has none, or only tasks that were queued before. */
  last?: Task;
  readonly tasks: Task[];
  /** When all of it has ended. */
  end: number;
  /** Of the last job in it: when each of those that run at once has ended. */
  slots: number[];
  /** What was queued before. */
  readonly busy: Dependency[];
}

/** How many lanes there are. */
export interface LaneCount {
  /** Tasks that may run at once. */
  readonly most: number;
  /** Tasks that want to run. */
  readonly tasks: number;
  /** Lanes: they share what may run at once. */
  readonly wanted: number;
  /** Seconds of a task of which nothing is known. */
  readonly usual: number;
}

/** Lanes with what is queued or running already; tasks of it without a lane each go where the fewest are. */
export function openLanes(
  busy: readonly BusyTask[],
  { most, tasks, wanted, usual }: LaneCount,
): readonly Lane[] {
  const named = Math.max(0, ...busy.map(({ lane = -1, width = 1 }) => lane + width));
  const needed = Math.min(most, Math.max(tasks, named));
  const count = Math.min(wanted, needed);
  const lanes = Array.from({ length: count }, (_, n): Lane => {
    const [first, end] = [Math.floor((n * needed) / count), Math.floor(((n + 1) * needed) / count)];
    return { first, width: end - first, tasks: [], end: 0, slots: [], busy: [] };
  });
  takeBusy(lanes, busy, usual);
  return lanes;
}

function takeBusy(lanes: readonly Lane[], busy: readonly BusyTask[], usual: number): void {
  const jobs = new Map<string, (readonly [index: number, lanes: ReadonlySet<Lane>])[]>();
  const sorted = [
    ...busy.filter(({ lane }) => lane !== undefined),
    ...busy.filter((one) => one.lane === undefined),
  ];
  for (const task of sorted) {
    const own = lanesOfBusy(lanes, task);
    for (const lane of own) lane.end += usual / lane.width;
    jobs.set(task.job, [...(jobs.get(task.job) ?? []), [task.index, own]]);
  }
  for (const [job, tasks] of jobs) {
    for (const lane of lanes) {
      const own = tasks.filter(([, all]) => all.has(lane));
      if (own.length === tasks.length) lane.busy.push({ type: 'afterany', job });
      else for (const [index] of own) lane.busy.push({ type: 'afterany', job, index });
    }
  }
}

/** All lanes that have a number of its own. */
function lanesOfBusy(lanes: readonly Lane[], { lane, width = 1 }: BusyTask): ReadonlySet<Lane> {
  if (lane === undefined) return new Set([lanes.reduce((best, one) => (one.end < best.end ? one : best))]);
  const { first, width: last } = lanes.at(-1)!;
  const numbers = Array.from({ length: width }, (_, n) => (lane + n) % (first + last));
  return new Set(
    numbers.map((number) => lanes.find((one) => number >= one.first && number < one.first + one.width)!),
  );
}
