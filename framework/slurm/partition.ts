import type { SlurmResources } from '../stage/slurm.ts';
import type { Dependency, Job, Place, Unit } from './jobs.ts';
import { hasRoom, packsOf } from './packs.ts';

export interface PartitionOptions {
  /** Stages that are queued or running already, by id. */
  readonly live: ReadonlyMap<string, Place>;
  /** Indices of an array are below it. */
  readonly maxArraySize: number;
}

/**
 * Jobs for stages, each after those that it waits for. Stages of one kind with equal resources that stand equally far from
 * the beginning are tasks of one array. Where each waits for the task of the same index in other arrays, the array does
 * so as a whole (`aftercorr`), so that a task that fails holds up its own followers only.
 *
 * @param units in topological order
 */
export function partition(units: readonly Unit[], options: PartitionOptions): readonly Job[] {
  const partitioner = new Partitioner(options);
  for (const level of levelsOf(units)) partitioner.add(level);
  return partitioner.jobs;
}

class Draft implements Job {
  readonly tasks = new Map<number, Unit[]>();
  readonly kind: string;
  readonly resources: SlurmResources;
  readonly dependencies: readonly Dependency[];

  constructor({ kind, resources }: Unit, dependencies: readonly Dependency[]) {
    this.kind = kind;
    this.resources = resources;
    this.dependencies = dependencies;
  }
}

type Where = Place<Draft | string>;

class Partitioner {
  readonly jobs: Draft[] = [];
  readonly #places = new Map<string, Where>();
  readonly #most: number;
  readonly #ids = new Map<Draft | string, number>();

  constructor({ live, maxArraySize }: PartitionOptions) {
    this.#most = Math.max(1, maxArraySize);
    for (const [id, place] of live) this.#places.set(id, place);
  }

  /** Stages that don't wait for each other; all that they wait for has a place. */
  add(level: readonly Unit[]): void {
    for (const unit of level.filter(({ tolerant }) => tolerant)) this.#addTolerant(unit);
    const others = level.filter(({ tolerant }) => !tolerant);
    for (const like of groupBy(others, (unit) => this.#likeness(unit))) this.#addLike(like);
  }

  /** It waits for the end of whole jobs: one word each, however many tasks they have. */
  #addTolerant(unit: Unit): void {
    const jobs = new Set(this.#waitsFor(unit).map(({ job }) => job));
    const job = this.#open(
      unit,
      [...jobs].map((one) => ({ type: 'afterany', job: one })),
    );
    this.#put(unit, job, 0);
  }

  /** Stages of one kind that wait for tasks of the same jobs. */
  #addLike(units: readonly Unit[]): void {
    const aligned = units.map((unit) => this.#alignment(unit));
    const exact = groupBy(units, (unit) => this.#nameOf(this.#waitsFor(unit)));
    if (units[0]!.resources.pack !== 1) this.#addPacks(units, aligned, exact);
    else if (exact.length === 1) this.#addRow(units);
    else {
      // Arrays of corresponding tasks, or one array for each task that they wait for: what makes fewer jobs.
      const layers = Math.max(...groupBy(aligned, String).map((same) => same.length));
      if (aligned.includes(undefined) || layers > exact.length) for (const same of exact) this.#addRow(same);
      else this.#addCorresponding(units);
    }
  }

  /** An array whose tasks wait for the same, each of a pack. */
  #addRow(units: readonly Unit[]): void {
    const packs = packsOf(units);
    for (let from = 0; from < packs.length; from += this.#most) {
      const job = this.#open(units[0]!, this.#exactly(units[0]!));
      for (const [index, pack] of packs.slice(from, from + this.#most).entries())
        for (const unit of pack) this.#put(unit, job, index);
    }
  }

  /** Each stage is in the task that has the index of the one that it waits for. */
  #addCorresponding(units: readonly Unit[]): void {
    const opened: Draft[] = [];
    for (const unit of units) {
      const index = this.#alignment(unit)!;
      let job = opened.find(({ tasks }) => hasRoom(tasks.get(index) ?? [], unit));
      if (job === undefined) {
        job = this.#open(unit, this.#correspondingly(unit));
        opened.push(job);
      }
      this.#put(unit, job, index);
    }
  }

  /**
   * Stages that share tasks. Behind tasks that are shared, too, they follow these. Otherwise a pack may wait for several
   * tasks: it runs when all have ended, whichever failed, and leaves out what can't be made.
   */
  #addPacks(
    units: readonly Unit[],
    aligned: readonly (number | undefined)[],
    exact: readonly (readonly Unit[])[],
  ): void {
    const behindPacks = this.#waitsFor(units[0]!).some(({ job }) => typeof job !== 'string' && isPacked(job));
    if (exact.length === 1) this.#addRow(units);
    else if (behindPacks && !aligned.includes(undefined)) this.#addCorresponding(units);
    else {
      for (const some of packsOf(units)) {
        const places = some.flatMap((unit) => this.#waitsFor(unit));
        const all = distinct(places, (one) => this.#nameOf([one]));
        const job = this.#open(
          some[0]!,
          all.map((one) => ({ type: 'afterany', ...one })),
        );
        for (const unit of some) this.#put(unit, job, 0);
      }
    }
  }

  #open(unit: Unit, dependencies: readonly Dependency[]): Draft {
    const job = new Draft(unit, dependencies);
    this.jobs.push(job);
    return job;
  }

  #put(unit: Unit, job: Draft, index: number): void {
    job.tasks.set(index, [...(job.tasks.get(index) ?? []), unit]);
    this.#places.set(unit.id, { job, index });
  }

  /** Tasks that it waits for, each once. */
  #waitsFor({ upstream }: Unit): readonly Where[] {
    const places = upstream.flatMap((id) => this.#places.get(id) ?? []);
    return distinct(places, (one) => this.#nameOf([one]));
  }

  /** Of those that it waits for in arrays; undefined if they have several, or it waits for none. */
  #alignment(unit: Unit): number | undefined {
    const indices = new Set(
      this.#waitsFor(unit).flatMap(({ job, index }) => (this.#isArray(job) ? [index] : [])),
    );
    return indices.size === 1 ? [...indices][0] : undefined;
  }

  #exactly(unit: Unit): Dependency[] {
    return this.#waitsFor(unit).map((one) => ({ type: 'afterok', ...one }));
  }

  #correspondingly(unit: Unit): Dependency[] {
    return this.#waitsFor(unit).map((one) =>
      this.#isArray(one.job) ? { type: 'aftercorr', job: one.job } : { type: 'afterok', ...one },
    );
  }

  /** What was submitted before may be one. */
  #isArray(job: Draft | string): boolean {
    return typeof job === 'string' || job.tasks.size > 1;
  }

  /** Equal for stages that can be tasks of one array, as far as their jobs tell. */
  #likeness(unit: Unit): string {
    const jobs = new Set(this.#waitsFor(unit).map(({ job }) => this.#idOf(job)));
    return JSON.stringify([unit.kind, unit.resources, [...jobs].sort((a, b) => a - b)]);
  }

  #nameOf(places: readonly Where[]): string {
    return places
      .map(({ job, index }) => `${this.#idOf(job)}_${index}`)
      .sort()
      .join(' ');
  }

  #idOf(job: Draft | string): number {
    const known = this.#ids.get(job);
    if (known !== undefined) return known;
    this.#ids.set(job, this.#ids.size);
    return this.#ids.size - 1;
  }
}

function isPacked(job: Draft): boolean {
  return [...job.tasks.values()].some((units) => units.length > 1);
}

/** By the longest way from a stage that waits for none. */
function levelsOf(units: readonly Unit[]): Unit[][] {
  const levels = new Map<string, number>();
  const sorted: Unit[][] = [];
  for (const unit of units) {
    const level = Math.max(0, ...unit.upstream.map((id) => (levels.get(id) ?? -1) + 1));
    levels.set(unit.id, level);
    const there = sorted[level] ?? [];
    there.push(unit);
    sorted[level] = there;
  }
  return sorted;
}

/** In the order of their first members. */
function groupBy<T>(values: readonly T[], nameOf: (value: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const name = nameOf(value);
    groups.set(name, [...(groups.get(name) ?? []), value]);
  }
  return [...groups.values()];
}

function distinct<T>(values: readonly T[], nameOf: (value: T) => string): T[] {
  return [...new Map(values.map((value) => [nameOf(value), value])).values()];
}
