import type { Dependency, Job, Place } from './jobs.ts';

export interface LaneOptions {
  /** Tasks that may run at once. */
  readonly most: number;
  /** Tasks of one array that may. */
  readonly atOnce?: number;
  /** Tasks of the experiment that are queued or running already. */
  readonly busy: readonly BusyTask[];
}

export interface BusyTask extends Place {
  /** Absent if it was submitted without a limit. */
  readonly lane?: number;
}

export interface LimitedJobs {
  readonly jobs: readonly Job[];
  /** Of each task of a job, by its index. */
  readonly lanes: ReadonlyMap<Job, ReadonlyMap<number, number>>;
}

/**
 * Lets at most so many tasks of all jobs run at once, by dependencies alone, so that no process has to count. Each task gets
 * one of so many lanes; in a lane, tasks run one after another, whatever becomes of them (`afterany`). Lanes follow the order
 * of the jobs, as all that jobs wait for does, so that no task waits for itself.
 *
 * A job waits for all that is before it in its lane, not only for the last: that may be cancelled while one before it runs.
 * Where no more tasks than that could ever run at once, the jobs stay as they are. Lanes keep their numbers for those that
 * are submitted later: a lane of theirs waits for all that is in this one, so that it stays one after another.
 *
 * @param jobs each behind those that it waits for
 */
export function limitJobs(jobs: readonly Job[], options: LaneOptions): LimitedJobs {
  const { atOnce: _atOnce, ...most } = options;
  const free = new Lanes(jobs, most);
  return free.areNeeded ? new Lanes(jobs, options).split(jobs) : { jobs, lanes: free.lanesOf(jobs) };
}

/** One task of a job. */
interface Task {
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

interface Lane {
  /** Undefined where it has none, or only tasks that were queued before. */
  last?: Task;
  readonly tasks: Task[];
  end: number;
  /** What was queued before. */
  readonly busy: Dependency[];
}

class Lanes {
  /** Whether a task has come behind one whose end it does not wait for anyway, whatever is cancelled. */
  areNeeded = false;
  readonly #lanes: readonly Lane[];
  readonly #tasks = new Map<Job, Map<number, Task>>();
  readonly #usual: number;
  readonly #atOnce: number;

  constructor(jobs: readonly Job[], { most, atOnce = Number.POSITIVE_INFINITY, busy }: LaneOptions) {
    this.#usual = usualSeconds(jobs);
    this.#atOnce = atOnce;
    const tasks = jobs.reduce((sum, job) => sum + job.tasks.size, busy.length);
    const named = Math.max(0, ...busy.map(({ lane = -1 }) => lane + 1));
    this.#lanes = Array.from({ length: Math.min(most, Math.max(tasks, named)) }, () => ({
      tasks: [],
      end: 0,
      busy: [],
    }));
    this.#takeBusy(busy);
    for (const job of jobs) this.#add(job);
  }

  /** Tasks without a lane each go where the fewest are. */
  #takeBusy(busy: readonly BusyTask[]): void {
    const lanes = this.#lanes;
    const places = new Map<string, { readonly index: number; readonly lane: Lane }[]>();
    const sorted = [
      ...busy.filter(({ lane }) => lane !== undefined),
      ...busy.filter((one) => one.lane === undefined),
    ];
    for (const { job, index, lane: name } of sorted) {
      const shortest = lanes.reduce((best, one) => (one.end < best.end ? one : best), lanes[0]!);
      const lane = name === undefined ? shortest : lanes[name % lanes.length]!;
      lane.end += this.#usual;
      places.set(job, [...(places.get(job) ?? []), { index, lane }]);
    }
    for (const [job, tasks] of places) {
      const { lane } = tasks[0]!;
      if (tasks.every((one) => one.lane === lane)) lane.busy.push({ type: 'afterany', job });
      else for (const one of tasks) one.lane.busy.push({ type: 'afterany', job, index: one.index });
    }
  }

  lanesOf(jobs: readonly Job[]): ReadonlyMap<Job, ReadonlyMap<number, number>> {
    return new Map(
      jobs.map((job) => [job, new Map([...this.#tasks.get(job)!].map(([index, { lane }]) => [index, lane]))]),
    );
  }

  #add(job: Job): void {
    const tasks = new Map<number, Task>();
    this.#tasks.set(job, tasks);
    const used = new Set<number>();
    for (const [index, units] of job.tasks) {
      const waitsFor = this.#waitsFor(job, index);
      const ready = Math.max(0, ...waitsFor.map(({ end }) => end));
      const open = used.size < this.#atOnce ? this.#lanes.keys() : used.values();
      const lane = this.#choose([...open], waitsFor, ready);
      const seconds = units.reduce((sum, unit) => sum + (unit.seconds ?? this.#usual), 0);
      const chosen = this.#lanes[lane]!;
      const end = Math.max(ready, chosen.end) + seconds;
      const task: Task = { job, index, waitsFor, lane, end, ...endsOf(job, waitsFor) };
      if (chosen.busy.length > 0 || chosen.tasks.some((one) => !task.before.has(one))) this.areNeeded = true;
      chosen.last = task;
      chosen.tasks.push(task);
      chosen.end = task.end;
      used.add(lane);
      tasks.set(index, task);
    }
  }

  /** The lane of a task that it waits for, an empty one, or the one in which it begins first. */
  #choose(open: readonly number[], waitsFor: readonly Task[], ready: number): number {
    const lanes = this.#lanes;
    const own = open.find((lane) => lanes[lane]!.last !== undefined && waitsFor.includes(lanes[lane]!.last!));
    if (own !== undefined) return own;
    const empty = open.find((lane) => lanes[lane]!.last === undefined && lanes[lane]!.busy.length === 0);
    if (empty !== undefined) return empty;
    const start = (lane: number) => Math.max(ready, lanes[lane]!.end);
    const first = Math.min(...open.map(start));
    const near = new Set(waitsFor.map(({ lane }) => lane));
    const soon = open.filter((lane) => start(lane) === first);
    return soon.find((lane) => near.has(lane)) ?? soon[0]!;
  }

  #waitsFor(job: Job, index: number): readonly Task[] {
    return job.dependencies.flatMap((dependency) => {
      if (typeof dependency.job === 'string') return [];
      const tasks = this.#tasks.get(dependency.job)!;
      if (dependency.type === 'aftercorr') return tasks.get(index) ?? [];
      if (dependency.index !== undefined) return tasks.get(dependency.index) ?? [];
      return [...tasks.values()];
    });
  }

  /** A job for the tasks of each lane; indices stay. */
  split(jobs: readonly Job[]): LimitedJobs {
    const before = this.#lanes.map(({ busy }): Dependency[] => [...busy]);
    const parts = new Map<Job, Map<number, Job>>();
    const lanes = new Map<Job, ReadonlyMap<number, number>>();
    for (const job of jobs) {
      const own = new Map<number, Job>();
      parts.set(job, own);
      for (const [lane, indices] of this.#groupsOf(job, parts)) {
        const waits = follow(job.dependencies, indices, parts);
        const dependencies = [...waits, ...before[lane]!.filter((one) => !isImplied(one, waits))];
        const tasks = new Map(indices.map((index) => [index, job.tasks.get(index)!]));
        const atOnce = indices.length > 1 ? { atOnce: 1 } : {};
        const { kind, resources } = job;
        const part: Job = { kind, resources, tasks, dependencies, ...atOnce };
        before[lane]!.push({ type: 'afterany', job: part });
        for (const index of indices) own.set(index, part);
        lanes.set(part, new Map(indices.map((index) => [index, lane])));
      }
    }
    return { jobs: [...lanes.keys()], lanes };
  }

  /** Indices of a job's tasks that can be one array: of one lane, and behind one array each. */
  #groupsOf(job: Job, parts: ReadonlyMap<Job, ReadonlyMap<number, Job>>): [number, number[]][] {
    const groups: {
      readonly lane: number;
      readonly behind: readonly unknown[];
      readonly indices: number[];
    }[] = [];
    for (const [index, { lane }] of this.#tasks.get(job)!) {
      const behind = job.dependencies.map(({ type, job: other }) =>
        type === 'aftercorr' && typeof other !== 'string' ? parts.get(other)!.get(index) : undefined,
      );
      const like = groups.find(
        (one) => one.lane === lane && one.behind.every((part, at) => part === behind[at]),
      );
      if (like) like.indices.push(index);
      else groups.push({ lane, behind, indices: [index] });
    }
    return groups.map(({ lane, indices }) => [lane, indices]);
  }
}

/**
 * A task that waits for success is cancelled as soon as one of those that it waits for has failed, while others of them may
 * be running: what follows it then, whatever became of it, begins beside them.
 */
function endsOf({ dependencies }: Job, waitsFor: readonly Task[]): Pick<Task, 'before' | 'after'> {
  const isTolerant = dependencies.every(({ type }) => type === 'afterany');
  const before = new Set(waitsFor.flatMap((one) => [...(isTolerant ? one.after : one.before), one]));
  if (isTolerant) return { before, after: before };
  const isKnown = dependencies.every(({ job }) => typeof job !== 'string');
  const [first, ...others] = waitsFor.map((one) => new Set([...one.after, one]));
  const shared = isKnown ? [...(first ?? [])].filter((task) => others.every((one) => one.has(task))) : [];
  return { before, after: new Set(shared) };
}

/** What some tasks of a job wait for, once that is split. */
function follow(
  dependencies: readonly Dependency[],
  indices: readonly number[],
  parts: ReadonlyMap<Job, ReadonlyMap<number, Job>>,
): Dependency[] {
  return dependencies.flatMap((dependency): Dependency[] => {
    const { type, job, index } = dependency;
    if (typeof job === 'string') return [dependency];
    const own = parts.get(job)!;
    if (type === 'aftercorr') {
      const [first, ...others] = indices;
      const part = own.get(first!)!;
      return [others.length > 0 ? { type, job: part } : { type: 'afterok', job: part, index: first! }];
    }
    if (index !== undefined) return [{ type, job: own.get(index)!, index }];
    return [...new Set(own.values())].map((part) => ({ type, job: part }));
  });
}

/** Whether a job that waits for some waits for the end of all of another one's tasks anyway. */
function isImplied({ job }: Dependency, waits: readonly Dependency[]): boolean {
  return waits.some((one) => {
    if (one.job !== job || typeof job === 'string') return false;
    return job.tasks.size === 1 || (one.type === 'afterany' && one.index === undefined);
  });
}

/** Of a stage that nothing is known of: the mean of the others. */
function usualSeconds(jobs: readonly Job[]): number {
  const known = jobs.flatMap(({ tasks }) =>
    [...tasks.values()].flat().flatMap(({ seconds }) => seconds ?? []),
  );
  return known.length === 0 ? 1 : known.reduce((sum, one) => sum + one, 0) / known.length;
}
