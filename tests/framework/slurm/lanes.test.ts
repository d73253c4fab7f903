import test from 'ava';
import fc from 'fast-check';
import type { Dependency, Job, Place, Unit } from '../../../framework/slurm/jobs.ts';
import { type LimitedJobs, limitJobs } from '../../../framework/slurm/lanes.ts';
import type { BusyTask } from '../../../framework/slurm/open-lanes.ts';
import { partition } from '../../../framework/slurm/partition.ts';
import type { InputKey } from '../../../framework/stage/keys.ts';

function unit(id: string, upstream: readonly string[] = [], more: Partial<Unit> = {}): Unit {
  const resources = { args: [], setup: [], pack: 1 };
  return {
    id,
    key: id as InputKey,
    kind: id.replace(/-.*/, ''),
    resources,
    upstream,
    tolerant: false,
    ...more,
  };
}

const points = ['a', 'b', 'c', 'd', 'e'];
const sweep = [
  unit('net'),
  ...points.map((point) => unit(`tok-${point}`, ['net'])),
  ...points.map((point) => unit(`mim-${point}`, [`tok-${point}`])),
  unit('report', [...points.map((point) => `mim-${point}`)], { tolerant: true }),
];

function show({ jobs, lanes }: LimitedJobs) {
  const nameOf = (job: Job | string) => (typeof job === 'string' ? job : `#${jobs.indexOf(job)}`);
  return jobs.map((one) => {
    const { tasks, dependencies, atOnce } = one;
    const lane = [...new Set(lanes.get(one)!.values())].join(',');
    const rows = [...tasks].map(([index, some]) => `${index}: ${some.map(({ id }) => id).join(' ')}`);
    const waits = dependencies.map(
      ({ type, job, index }) => `${type}:${nameOf(job)}${index === undefined ? '' : `_${index}`}`,
    );
    return [`${lane} ${rows.join(', ')}${atOnce === undefined ? '' : ` %${atOnce}`}`, ...waits];
  });
}

test('where no more tasks could run at once than may, jobs stay as they are', (t) => {
  const jobs = partition(sweep, { live: new Map(), maxArraySize: 1001 });
  t.is(limitJobs(jobs, { most: 5, busy: [] }).jobs, jobs);
  t.not(limitJobs(jobs, { most: 4, busy: [] }).jobs, jobs);
  t.not(limitJobs(jobs, { most: 5, busy: [{ job: '7', index: 0 }] }).jobs, jobs);
});

test('tasks are dealt to lanes, and wait for all that is before them in theirs', (t) => {
  const jobs = partition(sweep, { live: new Map(), maxArraySize: 1001 });
  t.deepEqual(show(limitJobs(jobs, { most: 2, busy: [] })), [
    ['0 0: net'],
    ['0 0: tok-a, 2: tok-c, 4: tok-e %1', 'afterok:#0_0'],
    ['1 1: tok-b, 3: tok-d %1', 'afterok:#0_0'],
    ['1 0: mim-a', 'afterok:#1_0', 'afterany:#2'],
    ['1 1: mim-b, 3: mim-d %1', 'aftercorr:#2', 'afterany:#2', 'afterany:#3'],
    ['0 2: mim-c, 4: mim-e %1', 'aftercorr:#1', 'afterany:#0', 'afterany:#1'],
    ['0 0: report', 'afterany:#3', 'afterany:#4', 'afterany:#5', 'afterany:#0', 'afterany:#1'],
  ]);
});

test('a lane keeps its number, whichever of the earlier tasks are left', (t) => {
  const jobs = partition(
    ['a', 'b', 'c'].map((point) => unit(`tok-${point}`)),
    { live: new Map(), maxArraySize: 1001 },
  );
  const busy = [
    { job: '8', index: 0, lane: 1 },
    { job: '9', index: 0, lane: 0 },
    { job: '9', index: 1, lane: 1 },
  ];
  t.deepEqual(show(limitJobs(jobs, { most: 2, busy })), [
    ['0 0: tok-a, 1: tok-b %1', 'afterany:9_0'],
    ['1 2: tok-c', 'afterany:8', 'afterany:9_1'],
  ]);
});

test('what takes long by estimate has a lane to itself; an array keeps its own limit', (t) => {
  const units = points.map((point, at) => unit(`tok-${point}`, [], { seconds: at === 0 ? 100 : 10 }));
  const jobs = partition(units, { live: new Map(), maxArraySize: 1001 });
  t.deepEqual(show(limitJobs(jobs, { most: 2, busy: [] })), [
    ['0 0: tok-a'],
    ['1 1: tok-b, 2: tok-c, 3: tok-d, 4: tok-e %1'],
  ]);
  const lanes = limitJobs(jobs, { most: 3, atOnce: 2, busy: [{ job: '7', index: 1, lane: 2 }] });
  t.deepEqual(show(lanes), [['0 0: tok-a'], ['1 1: tok-b, 2: tok-c, 3: tok-d, 4: tok-e %1']]);
});

test('where lanes would make many arrays, they are joined: arrays of a wide lane have a limit, and follow each other', (t) => {
  const jobs = partition(sweep, { live: new Map(), maxArraySize: 1001 });
  const limited = limitJobs(jobs, { most: 4, busy: [], mostJobs: 6 });
  // Lanes 0 and 1 are one of two tasks at once, and so are 2 and 3.
  t.deepEqual(show(limited), [
    ['0 0: net'],
    ['0 0: tok-a, 2: tok-c, 4: tok-e %2', 'afterok:#0_0'],
    ['2 1: tok-b, 3: tok-d', 'afterok:#0_0'],
    ['0 0: mim-a, 2: mim-c, 4: mim-e %2', 'aftercorr:#1', 'afterany:#0', 'afterany:#1'],
    ['2 1: mim-b, 3: mim-d', 'aftercorr:#2', 'afterany:#2'],
    ['0 0: report', 'afterany:#3', 'afterany:#4', 'afterany:#0', 'afterany:#1'],
  ]);
  t.deepEqual([...limited.widths.values()], [2, 2, 2, 2, 2, 2]);
});

test('what comes later waits for all of a wide lane that has one of its numbers', (t) => {
  const jobs = partition(
    ['a', 'b', 'c'].map((point) => unit(`tok-${point}`)),
    { live: new Map(), maxArraySize: 1001 },
  );
  const busy = [
    { job: '8', index: 0, lane: 0, width: 2 },
    { job: '8', index: 1, lane: 0, width: 2 },
    { job: '9', index: 0, lane: 2 },
  ];
  t.deepEqual(show(limitJobs(jobs, { most: 3, busy })), [
    ['2 0: tok-a', 'afterany:9'],
    ['0 1: tok-b', 'afterany:8'],
    ['1 2: tok-c', 'afterany:8'],
  ]);
});

/** How Slurm runs jobs: what may run does, one after another ends as `choose` says, and what waits in vain is cancelled. */
class FakeSlurm {
  most = 0;
  readonly #jobs: {
    readonly job: Job;
    readonly number: string;
    readonly states: Map<number, State>;
    readonly lanes: ReadonlyMap<number, number>;
    readonly width: number;
  }[] = [];
  readonly #numbers = new Map<Job, string>();

  submit({ jobs, lanes, widths }: LimitedJobs): void {
    for (const job of jobs) {
      const number = String(100 + this.#jobs.length);
      this.#numbers.set(job, number);
      const states = new Map([...job.tasks.keys()].map((index) => [index, 'waiting' as State]));
      this.#jobs.push({ job, number, states, lanes: lanes.get(job)!, width: widths.get(job) ?? 1 });
    }
  }

  /** Lets tasks run until so many have ended, or none is left. */
  run(ends: number, choose: (most: number) => number): void {
    for (let ended = 0; ended < ends; ended++) {
      this.#start();
      const running = this.#all().filter(({ state }) => state === 'running');
      this.most = Math.max(this.most, running.length);
      if (running.length === 0) return;
      const { states, index } = running[choose(running.length)]!;
      // One in five goes back into the queue, one in five fails.
      states.set(index, (['ok', 'ok', 'ok', 'failed', 'waiting'] as const)[choose(5)]!);
    }
  }

  count(state: State): number {
    return this.#all().filter((one) => one.state === state).length;
  }

  busy(): BusyTask[] {
    return this.#all().flatMap(({ state, number, index, lanes, width }) =>
      state === 'waiting' || state === 'running'
        ? [{ job: number, index, lane: lanes.get(index)!, width }]
        : [],
    );
  }

  /** Where stages are that have not ended, by id. */
  places(): Map<string, Place> {
    const live = this.#all().filter(({ state }) => state === 'waiting' || state === 'running');
    return new Map(
      live.flatMap(({ job, number, index }) =>
        job.tasks.get(index)!.map(({ id }) => [id, { job: number, index }] as const),
      ),
    );
  }

  #all() {
    return this.#jobs.flatMap((one) => [...one.states].map(([index, state]) => ({ ...one, index, state })));
  }

  #start(): void {
    for (let before = ''; ; ) {
      for (const { job, states, index, state } of this.#all()) {
        if (state !== 'waiting') continue;
        const verdicts = job.dependencies.map((one) => this.#isMet(one, index));
        const running = [...states.values()].filter((one) => one === 'running').length;
        if (verdicts.includes('never')) states.set(index, 'cancelled');
        else if (verdicts.every((one) => one === 'met') && running < (job.atOnce ?? 1000))
          states.set(index, 'running');
      }
      const now = JSON.stringify(this.#all().map(({ state }) => state));
      if (now === before) return;
      before = now;
    }
  }

  #isMet({ type, job, index }: Dependency, own: number): 'met' | 'not yet' | 'never' {
    const number = typeof job === 'string' ? job : this.#numbers.get(job);
    const other = this.#jobs.find((one) => one.number === number)!;
    const at = type === 'aftercorr' ? own : index;
    const states = at === undefined ? [...other.states.values()] : [other.states.get(at)!];
    if (states.some((state) => state === 'waiting' || state === 'running')) return 'not yet';
    return type === 'afterany' || states.every((state) => state === 'ok') ? 'met' : 'never';
  }
}

type State = 'waiting' | 'running' | 'ok' | 'failed' | 'cancelled';

const stage = fc.record({
  kind: fc.constantFrom('a', 'b'),
  pack: fc.constantFrom(1, 1, 2),
  seconds: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  needs: fc.array(fc.nat(), { maxLength: 2 }),
  tolerant: fc.boolean(),
});

test('whatever fails, is requeued or submitted later: never more tasks at once than may, and all come to an end', (t) => {
  const property = fc.property(
    fc.array(stage, { minLength: 1, maxLength: 24 }),
    fc.record({ parts: fc.tuple(fc.nat(24), fc.nat(24)), ends: fc.tuple(fc.nat(12), fc.nat(12)) }),
    fc.record({
      most: fc.integer({ min: 1, max: 5 }),
      more: fc.tuple(fc.nat(1), fc.nat(1)),
      mostJobs: fc.constantFrom(1, 3, 6, 64),
      atOnce: fc.constantFrom(undefined, undefined, 1, 2, 3),
    }),
    fc.infiniteStream(fc.nat()),
    (stages, { parts, ends }, { most, more, mostJobs, atOnce }, chances) => {
      const units = stages.map(({ kind, pack, seconds, needs, tolerant }, at) => {
        const upstream = at === 0 ? [] : [...new Set(needs.map((one) => String(one % at)))];
        const resources = { args: [], setup: [], pack };
        const more = { kind, tolerant, resources, ...(seconds === undefined ? {} : { seconds }) };
        return unit(String(at), upstream, more);
      });
      const choose = (many: number) => chances.next().value! % many;
      const slurm = new FakeSlurm();
      const submit = (some: readonly Unit[], limit: number) => {
        const jobs = partition(some, { live: slurm.places(), maxArraySize: 4 });
        const own = atOnce === undefined ? {} : { atOnce };
        slurm.submit(limitJobs(jobs, { most: limit, busy: slurm.busy(), mostJobs, ...own }));
      };
      // Some first; more while they run, and more again, with limits that grow.
      const [first, second] = [...parts].sort((a, b) => a - b) as [number, number];
      const limits = [most, most + more[0], most + more[0] + more[1]] as const;
      submit(units.slice(0, first), limits[0]);
      slurm.run(ends[0], choose);
      t.true(slurm.most <= limits[0]);
      submit(units.slice(first, second), limits[1]);
      slurm.run(ends[1], choose);
      t.true(slurm.most <= limits[1]);
      submit(units.slice(second), limits[2]);
      slurm.run(1000, choose);
      t.true(slurm.most <= limits[2]);
      t.is(slurm.count('waiting') + slurm.count('running'), 0, 'all came to an end');
    },
  );
  fc.assert(property, { numRuns: 200 });
});
