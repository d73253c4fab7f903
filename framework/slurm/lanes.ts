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
  /** Of its job; absent if that was submitted without a limit. */
  readonly lane?: number;
}

/**
 * Lets at most so many tasks of all jobs run at once, by dependencies alone, so that no process has to count. Each task gets
 * one of so many lanes; in a lane, tasks run one after another, whatever becomes of them (`afterany`). Lanes follow the order
 * of the jobs, as all that jobs wait for does, so that no task waits for itself.
 *
 * A job waits for all that is before it in its lane, not only for the last: that may be cancelled while one before it runs.
 * Where no more tasks than that could ever run at once, the jobs stay as they are.
 *
 * @param jobs each behind those that it waits for
 */
export function limitJobs(jobs: readonly Job[], options: LaneOptions): readonly Job[] {
  const { atOnce: _atOnce, ...most } = options;
  const free = new Lanes(jobs, most);
  return free.areNeeded ? new Lanes(jobs, options).split(jobs) : jobs;
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
}

interface Lane {
  /** Undefined where it has none, or only tasks that were queued before. */
  last?: Task;
  end: number;
  /** What was queued before. */
  readonly busy: Dependency[];
}

class Lanes {
  /** Whether a task has come behind one that it does not wait for anyway. */
  areNeeded = false;
  readonly #lanes: readonly Lane[];
  readonly #tasks = new Map<Job, Map<number, Task>>();
  readonly #usual: number;
  readonly #atOnce: number;

  constructor(jobs: readonly Job[], { most, atOnce = Number.POSITIVE_INFINITY, busy }: LaneOptions) {
    this.#usual = usualSeconds(jobs);
    this.#atOnce = atOnce;
    const tasks = jobs.reduce((sum, job) => sum + job.tasks.size, busy.length);
    this.#lanes = Array.from({ length: Math.min(most, tasks) }, () => ({ end: 0, busy: [] }));
    const known = new Map<string | number, Lane>();
    for (const { job, index, lane } of busy) {
      const name = lane ?? `${job}_${index}`;
      const there = known.get(name) ?? this.#lanes[known.size % this.#lanes.length]!;
      known.set(name, there);
      there.end += this.#usual;
      // All tasks of an array that has a lane are in that lane.
      const dependency = { type: 'afterany', job, ...(lane === undefined ? { index } : {}) } as const;
      if (!there.busy.some((one) => one.job === job && one.index === dependency.index))
        there.busy.push(dependency);
    }
    for (const job of jobs) this.#add(job);
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
      const task = { job, index, waitsFor, lane, end: Math.max(ready, chosen.end) + seconds };
      if (chosen.busy.length > 0 || (chosen.last && !waitsFor.includes(chosen.last))) this.areNeeded = true;
      chosen.last = task;
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
  split(jobs: readonly Job[]): readonly Job[] {
    const before = this.#lanes.map(({ busy }): Dependency[] => [...busy]);
    const parts = new Map<Job, Map<number, Job>>();
    const split: Job[] = [];
    for (const job of jobs) {
      const own = new Map<number, Job>();
      parts.set(job, own);
      for (const [lane, indices] of this.#groupsOf(job, parts)) {
        const waits = follow(job.dependencies, indices, parts);
        const dependencies = [...waits, ...before[lane]!.filter((one) => !isImplied(one, waits))];
        const tasks = new Map(indices.map((index) => [index, job.tasks.get(index)!]));
        const atOnce = indices.length > 1 ? { atOnce: 1 } : {};
        const { kind, resources } = job;
        const part: Job = { kind, resources, tasks, dependencies, lane, ...atOnce };
        before[lane]!.push({ type: 'afterany', job: part });
        for (const index of indices) own.set(index, part);
        split.push(part);
      }
    }
    return split;
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
