import type { Dependency, Job } from './jobs.ts';
import { type BusyTask, type Lane, openLanes, type Task } from './open-lanes.ts';

export interface LaneOptions {
  /** Tasks that may run at once. */
  readonly most: number;
  /** Tasks of one array that may. */
  readonly atOnce?: number;
  /** Tasks of the experiment that are queued or running already. */
  readonly busy: readonly BusyTask[];
  /** Calls of sbatch beyond which lanes become wider. */
  readonly mostJobs?: number;
}

export interface LimitedJobs {
  readonly jobs: readonly Job[];
  /** Of each task of a job, by its index. */
  readonly lanes: ReadonlyMap<Job, ReadonlyMap<number, number>>;
  /** Of jobs whose lanes let more than one task run at once. */
  readonly widths: ReadonlyMap<Job, number>;
}

/** A call takes some 10 ms of a processor, and on a busy cluster as much of its controller. */
const usualMostJobs = 32;

/**
 * Lets at most so many tasks of all jobs run at once, by dependencies alone, so that no process has to count. Each task gets
 * one of so many lanes; in a lane, tasks run one after another, whatever becomes of them (`afterany`). Lanes follow the order
 * of the jobs, as all that jobs wait for does, so that no task waits for itself.
 *
 * A job waits for all that is before it in its lane, not only for the last: that may be cancelled while one before it runs.
 * Where no more tasks than that could ever run at once, the jobs stay as they are. Lanes keep their numbers for those that
 * are submitted later: a lane of theirs waits for all that is in this one, so that it stays one after another.
 *
 * That makes an array for each lane of each kind of stage, and a call of sbatch for each. Where those are many, lanes are
 * joined: in a lane of a width so many tasks of one array run at once (`%`), and arrays one after another. A task then waits
 * for all of the array before its own; so lanes are no wider than it takes. Slurm has nothing finer: `aftercorr` waits for the
 * success of the task with the same index, there is no such word for its end, and alternatives (`?`) can't be joined with what
 * a stage needs.
 *
 * @param jobs each behind those that it waits for
 */
export function limitJobs(jobs: readonly Job[], options: LaneOptions): LimitedJobs {
  const { most, mostJobs = usualMostJobs, busy } = options;
  const free = new Lanes(jobs, { most, busy }, most);
  if (!free.areNeeded) return { jobs, lanes: free.lanesOf(jobs), widths: new Map() };
  for (let lanes = most; ; lanes = Math.ceil(lanes / 2)) {
    const limited = new Lanes(jobs, options, lanes).split(jobs);
    if (limited.jobs.length <= mostJobs || lanes === 1) return limited;
  }
}

/** A task that has no lane yet. */
interface Waiting extends Pick<Task, 'job' | 'index' | 'waitsFor'> {
  /** In the simulation, in seconds. */
  readonly ready: number;
}

class Lanes {
  /** Whether a task has come behind one whose end it does not wait for anyway, whatever is cancelled. */
  areNeeded = false;
  readonly #lanes: readonly Lane[];
  readonly #tasks = new Map<Job, Map<number, Task>>();
  /** What the lanes of a job together let run at once beyond what its own limit allows. */
  readonly #spare = new Map<Job, number>();
  readonly #usual: number;
  readonly #atOnce: number;

  /** @param wanted how many lanes; they share what may run at once */
  constructor(
    jobs: readonly Job[],
    { most, atOnce = Number.POSITIVE_INFINITY, busy }: LaneOptions,
    wanted: number,
  ) {
    this.#usual = usualSeconds(jobs);
    this.#atOnce = atOnce;
    const tasks = jobs.reduce((sum, job) => sum + job.tasks.size, busy.length);
    this.#lanes = openLanes(busy, { most, tasks, wanted, usual: this.#usual });
    for (const job of jobs) this.#add(job);
  }

  lanesOf(jobs: readonly Job[]): ReadonlyMap<Job, ReadonlyMap<number, number>> {
    const first = (lane: number) => this.#lanes[lane]!.first;
    return new Map(
      jobs.map((job) => [
        job,
        new Map([...this.#tasks.get(job)!].map(([index, { lane }]) => [index, first(lane)])),
      ]),
    );
  }

  #add(job: Job): void {
    const tasks = new Map<number, Task>();
    this.#tasks.set(job, tasks);
    const used = new Set<number>();
    let room = this.#atOnce;
    for (const [index, units] of job.tasks) {
      const waitsFor = this.#waitsFor(job, index);
      const ready = Math.max(0, ...waitsFor.map(({ end }) => end));
      const open = room > 0 ? this.#lanes.keys() : used.values();
      const lane = this.#choose([...open], { job, index, waitsFor, ready });
      const seconds = units.reduce((sum, unit) => sum + (unit.seconds ?? this.#usual), 0);
      const chosen = this.#lanes[lane]!;
      if (chosen.last?.job !== job) chosen.slots = Array.from({ length: chosen.width }, () => chosen.end);
      if (!used.has(lane)) room -= chosen.width;
      const slot = chosen.slots.indexOf(Math.min(...chosen.slots));
      const end = Math.max(ready, chosen.slots[slot]!) + seconds;
      const task: Task = { job, index, waitsFor, lane, end, ...endsOf(job, waitsFor) };
      if (chosen.busy.length > 0 || chosen.tasks.some((one) => !task.before.has(one))) this.areNeeded = true;
      chosen.last = task;
      chosen.tasks.push(task);
      chosen.slots[slot] = end;
      chosen.end = Math.max(chosen.end, end);
      used.add(lane);
      tasks.set(index, task);
    }
    this.#spare.set(job, Math.max(0, -room));
  }

  /** The lane of a task that it waits for, an empty one, or the one in which it begins first. */
  #choose(open: readonly number[], { job, index, waitsFor, ready }: Waiting): number {
    const lanes = this.#lanes;
    // The tasks of an array follow those of the array before in the same wide lane, so that they stay one array.
    const before = this.#laneBefore(job, index);
    if (before !== undefined && lanes[before]!.width > 1 && open.includes(before)) return before;
    const own = open.find((lane) => lanes[lane]!.last !== undefined && waitsFor.includes(lanes[lane]!.last!));
    if (own !== undefined) return own;
    const empty = open.find((lane) => lanes[lane]!.last === undefined && lanes[lane]!.busy.length === 0);
    if (empty !== undefined) return empty;
    const start = (lane: number) => {
      const { last, slots, end } = lanes[lane]!;
      return Math.max(ready, last?.job === job ? Math.min(...slots) : end);
    };
    const first = Math.min(...open.map(start));
    const near = new Set(waitsFor.map(({ lane }) => lane));
    const soon = open.filter((lane) => start(lane) === first);
    return soon.find((lane) => near.has(lane)) ?? soon[0]!;
  }

  /** The lane of the task with the same index that it waits for. */
  #laneBefore({ dependencies }: Job, index: number): number | undefined {
    for (const { type, job } of dependencies)
      if (type === 'aftercorr' && typeof job !== 'string') return this.#tasks.get(job)!.get(index)?.lane;
    return undefined;
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
    const widths = new Map<Job, number>();
    for (const job of jobs) {
      const own = new Map<number, Job>();
      parts.set(job, own);
      for (const [lane, indices] of this.#groupsOf(job, parts)) {
        const waits = follow(job.dependencies, indices, parts);
        const dependencies = [...waits, ...before[lane]!.filter((one) => !isImplied(one, waits))];
        const tasks = new Map(indices.map((index) => [index, job.tasks.get(index)!]));
        const { first, width } = this.#lanes[lane]!;
        const most = Math.max(1, width - this.#spare.get(job)!);
        const atOnce = indices.length > most ? { atOnce: most } : {};
        const { kind, resources } = job;
        const part: Job = { kind, resources, tasks, dependencies, ...atOnce };
        before[lane]!.push({ type: 'afterany', job: part });
        for (const index of indices) own.set(index, part);
        lanes.set(part, new Map(indices.map((index) => [index, first])));
        if (width > 1) widths.set(part, width);
      }
    }
    return { jobs: [...lanes.keys()], lanes, widths };
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
