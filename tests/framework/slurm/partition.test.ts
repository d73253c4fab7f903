import test from 'ava';
import fc from 'fast-check';
import type { Job, Place, Unit } from '../../../framework/slurm/jobs.ts';
import { partition } from '../../../framework/slurm/partition.ts';
import type { InputKey } from '../../../framework/stage/keys.ts';
import type { SlurmResources } from '../../../framework/stage/slurm.ts';

const plain: SlurmResources = { args: [], setup: [], pack: 1 };

function unit(id: string, upstream: readonly string[] = [], more: Partial<Unit> = {}): Unit {
  const kind = id.replace(/[-/].*/, '');
  return { id, key: id as InputKey, kind, resources: plain, upstream, tolerant: false, ...more };
}

function jobsOf(units: readonly Unit[], live: { readonly [id: string]: Place } = {}, maxArraySize = 1001) {
  const jobs = partition(units, { live: new Map(Object.entries(live)), maxArraySize });
  const nameOf = (job: Job | string) => (typeof job === 'string' ? job : `#${jobs.indexOf(job)}`);
  return jobs.map(({ tasks, dependencies }) => {
    const rows = [...tasks].map(([index, some]) => `${index}: ${some.map(({ id }) => id).join(' ')}`);
    const waits = dependencies.map(
      ({ type, job, index }) => `${type}:${nameOf(job)}${index === undefined ? '' : `_${index}`}`,
    );
    return [rows.join(', '), ...waits];
  });
}

test('points of a sweep are arrays; each task waits for the one of its index, the report for the end of all', (t) => {
  const points = ['a', 'b', 'c'];
  const units = [
    unit('net'),
    ...points.map((point) => unit(`tok-${point}`, ['net'])),
    ...points.map((point) => unit(`mim-${point}`, [`tok-${point}`])),
    ...points.map((point) => unit(`probe-${point}`, [`mim-${point}`])),
    unit(
      'report',
      points.map((point) => `probe-${point}`),
      { tolerant: true },
    ),
  ];
  t.deepEqual(jobsOf(units), [
    ['0: net'],
    ['0: tok-a, 1: tok-b, 2: tok-c', 'afterok:#0_0'],
    ['0: mim-a, 1: mim-b, 2: mim-c', 'aftercorr:#1'],
    ['0: probe-a, 1: probe-b, 2: probe-c', 'aftercorr:#2'],
    ['0: report', 'afterany:#3'],
  ]);
});

test('several stages behind one task are further arrays, or one for each task, whichever are fewer', (t) => {
  const tokenizers = [unit('tok-0'), unit('tok-1'), unit('tok-2')];
  const behind = (many: number) =>
    [0, 1, 2].flatMap((index) =>
      Array.from({ length: many }, (_, at) => unit(`mim-${index}-${at}`, [`tok-${index}`])),
    );
  t.deepEqual(jobsOf([...tokenizers, ...behind(2)]).slice(1), [
    ['0: mim-0-0, 1: mim-1-0, 2: mim-2-0', 'aftercorr:#0'],
    ['0: mim-0-1, 1: mim-1-1, 2: mim-2-1', 'aftercorr:#0'],
  ]);
  t.deepEqual(jobsOf([...tokenizers, ...behind(4)]).slice(1), [
    ['0: mim-0-0, 1: mim-0-1, 2: mim-0-2, 3: mim-0-3', 'afterok:#0_0'],
    ['0: mim-1-0, 1: mim-1-1, 2: mim-1-2, 3: mim-1-3', 'afterok:#0_1'],
    ['0: mim-2-0, 1: mim-2-1, 2: mim-2-2, 3: mim-2-3', 'afterok:#0_2'],
  ]);
});

test('a stage that waits for tasks of several indices waits for each of them', (t) => {
  const units = [unit('tok-0'), unit('tok-1'), unit('both', ['tok-0', 'tok-1']), unit('other', ['tok-1'])];
  t.deepEqual(jobsOf(units).slice(1), [
    ['0: both', 'afterok:#0_0', 'afterok:#0_1'],
    ['0: other', 'afterok:#0_1'],
  ]);
});

test('arrays are no longer than the cluster lets, and what follows has the same cuts', (t) => {
  const five = [0, 1, 2, 3, 4];
  const units = [...five.map((n) => unit(`tok-${n}`)), ...five.map((n) => unit(`mim-${n}`, [`tok-${n}`]))];
  t.deepEqual(jobsOf(units, {}, 2), [
    ['0: tok-0, 1: tok-1'],
    ['0: tok-2, 1: tok-3'],
    ['0: tok-4'],
    ['0: mim-0, 1: mim-1', 'aftercorr:#0'],
    ['0: mim-2, 1: mim-3', 'aftercorr:#1'],
    ['0: mim-4', 'afterok:#2_0'],
  ]);
});

test('stages with other resources or of another kind are other jobs', (t) => {
  const large = { ...plain, cpus: 8 };
  const units = [unit('tok-0'), unit('tok-1', [], { resources: large }), unit('eval-0')];
  t.deepEqual(jobsOf(units), [['0: tok-0'], ['0: tok-1'], ['0: eval-0']]);
});

test('small stages are packed; behind packs they follow these, behind single tasks they wait for all of theirs', (t) => {
  const packed = { resources: { ...plain, pack: 2 } };
  const three = [0, 1, 2];
  const rows = [
    ...three.map((n) => unit(`tok-${n}`, [], packed)),
    ...three.map((n) => unit(`eval-${n}`, [`tok-${n}`], packed)),
  ];
  t.deepEqual(jobsOf(rows), [['0: tok-0 tok-1, 1: tok-2'], ['0: eval-0 eval-1, 1: eval-2', 'aftercorr:#0']]);
  const alone = [
    ...three.map((n) => unit(`tok-${n}`)),
    ...three.map((n) => unit(`eval-${n}`, [`tok-${n}`], packed)),
  ];
  t.deepEqual(jobsOf(alone), [
    ['0: tok-0, 1: tok-1, 2: tok-2'],
    ['0: eval-0 eval-1', 'afterany:#0_0', 'afterany:#0_1'],
    ['0: eval-2', 'afterany:#0_2'],
  ]);
});

test('stages share a job as long as they are estimated to take its time; one that nothing is known of is alone', (t) => {
  const ten = { resources: { ...plain, pack: { seconds: 600 } } };
  const seconds: { readonly [id: string]: number } = { a: 300, b: 400, d: 250, e: 601, f: 200, g: 50 };
  const units = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id) =>
    unit(`eval-${id}`, ['net'], { ...ten, ...(id in seconds ? { seconds: seconds[id]! } : {}) }),
  );
  t.deepEqual(jobsOf([unit('net'), ...units]).slice(1), [
    ['0: eval-a eval-d eval-g, 1: eval-b eval-f, 2: eval-c, 3: eval-e', 'afterok:#0_0'],
  ]);
  // Behind tasks of an array: those of a pack wait for all of theirs.
  const alone = ['a', 'b', 'd'].flatMap((id) => [
    unit(`tok-${id}`),
    unit(`eval-${id}`, [`tok-${id}`], { ...ten, seconds: seconds[id]! }),
  ]);
  t.deepEqual(jobsOf(alone).slice(1), [
    ['0: eval-a eval-d', 'afterany:#0_0', 'afterany:#0_2'],
    ['0: eval-b', 'afterany:#0_1'],
  ]);
});

test('stages that are queued already are waited for by their numbers', (t) => {
  const live = {
    'tok-0': { job: '77', index: 4 },
    'tok-1': { job: '77', index: 5 },
    net: { job: '70', index: 0 },
  };
  const units = [
    unit('mim-0', ['tok-0']),
    unit('mim-1', ['tok-1']),
    unit('mim-2', ['net']),
    unit('report', ['mim-0', 'mim-1', 'mim-2', 'tok-0'], { tolerant: true }),
  ];
  t.deepEqual(jobsOf(units, live), [
    ['4: mim-0, 5: mim-1', 'aftercorr:77'],
    ['0: mim-2', 'afterok:70_0'],
    ['0: report', 'afterany:#0', 'afterany:#1', 'afterany:77'],
  ]);
});

test('whatever the graph: each stage is in one task, and waits for the end of all that it needs', (t) => {
  const stage = fc.record({
    kind: fc.constantFrom('a', 'b'),
    pack: fc.constantFrom<SlurmResources['pack']>(1, 1, 3, { seconds: 10 }),
    seconds: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
    needs: fc.array(fc.nat(), { maxLength: 3 }),
    tolerant: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(stage, { minLength: 1, maxLength: 25 }),
      fc.integer({ min: 1, max: 5 }),
      (stages, most) => {
        const units = stages.map(({ kind, pack, seconds, needs, tolerant }, at) => {
          const upstream = at === 0 ? [] : [...new Set(needs.map((one) => String(one % at)))];
          const more = { kind, tolerant, resources: { ...plain, pack } };
          return unit(String(at), upstream, seconds === undefined ? more : { ...more, seconds });
        });
        const jobs = partition(units, { live: new Map(), maxArraySize: most });
        const placed = jobs.flatMap((job) =>
          [...job.tasks].flatMap(([index, some]) => some.map((one) => ({ job, index, one }))),
        );
        t.deepEqual(placed.map(({ one }) => one.id).sort(), units.map(({ id }) => id).sort());
        for (const { job, index, one } of placed) {
          t.true(index < most);
          for (const id of one.upstream) {
            const before = placed.find((other) => other.one.id === id)!;
            t.true(jobs.indexOf(before.job) < jobs.indexOf(job), 'submitted before');
            const waits = job.dependencies.some(
              ({ type, job: other, index: its }) =>
                other === before.job &&
                (type === 'aftercorr' ? before.index === index : (its ?? before.index) === before.index),
            );
            t.true(waits, `${one.id} waits for ${id}`);
          }
        }
      },
    ),
    { numRuns: 100 },
  );
});
