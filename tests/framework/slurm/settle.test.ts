import test from 'ava';
import type { RunEvent } from '../../../framework/run/record/events.ts';
import type { StageOutcome } from '../../../framework/slurm/events.ts';
import { Resubmitter, type Round } from '../../../framework/slurm/resubmit.ts';
import { settleSeen } from '../../../framework/slurm/seen.ts';
import type { SubmitResult } from '../../../framework/slurm/submit.ts';
import { PecoError } from '../../../framework/stage/errors.ts';
import type { Entry } from '../../../framework/store/types.ts';
import { tasksOf } from '../run/support/fake-tasks.ts';

test('of a run that was left, what ended before counts as it does on this machine', async (t) => {
  // 0 is stored; 1 and 2 need it; 3 needs 1, 4 needs 2; 5 has told nothing; the report needs 3, 4 and 5.
  const { all } = tasksOf([[], [0], [0], [1], [2], []], [0]);
  const stored = { key: 'key of 1' } as Entry;
  const told = new Map<string, StageOutcome>([
    ['1', { type: 'stage-finished', stage: '1', origin: 'ran', contentKey: stored.key }],
    ['2', { type: 'stage-failed', stage: '2', failure: { message: 'no' }, tail: [] }],
  ]);
  const events: RunEvent[] = [];
  const store = { lookup: async (key: string) => (key === stored.key ? stored : undefined) };
  await settleSeen(all, { told, store, emit: (event) => events.push(event) });
  t.deepEqual(
    all.map(({ node, state }) => `${node.id} ${state}`),
    ['0 hit', '1 ran', '2 failed', '3 unstarted', '4 skipped', '5 unstarted', 'report unstarted'],
  );
  t.is(all[1]!.entry, stored);
  // What the tasks have told is not said twice.
  t.like(events, [
    { type: 'stage-finished', stage: '0', origin: 'hit' },
    { type: 'stage-skipped', stage: '4', because: '2' },
  ]);
  t.is(events.length, 2);
});

test('a stage whose task says that it ran has run, also where its result is not to be seen yet', async (t) => {
  const { all } = tasksOf([[], [0]]);
  const told = new Map<string, StageOutcome>([
    ['0', { type: 'stage-finished', stage: '0', origin: 'hit', contentKey: 'elsewhere' }],
    ['1', { type: 'stage-skipped', stage: '1', because: '0' }],
  ]);
  await settleSeen(all, { told, store: { lookup: async () => undefined }, emit: () => {} });
  t.deepEqual(
    all.map(({ state }) => state),
    ['ran', 'skipped', 'skipped'],
  );
  t.is(all[1]!.loss!.at, all[0]!.planned.node);
});

const steps = [
  { id: 'tok-a', upstream: [], tolerant: false },
  { id: 'tok-b', upstream: [], tolerant: false },
  { id: 'mim-a', upstream: ['tok-a'], tolerant: false },
  { id: 'mim-b', upstream: ['tok-b'], tolerant: false },
  { id: 'report', upstream: ['mim-a', 'mim-b'], tolerant: true },
];

/** What was submitted, each stage in a job of its own. */
function submitted(stages: readonly string[], more: Partial<SubmitResult> = {}): SubmitResult {
  const jobs = stages.map((name) => ({ job: '1', name, tasks: 1, stages: 1 }));
  return { jobs, submittedStages: stages, live: 0, liveStages: [], ...more };
}

const refused = { error: new PecoError('sbatch: AssocMaxSubmitJobLimit', { code: 'slurm' }), stages: 3 };

/** What is decided: `again` and `ended` as lists, and the rest of it where it says something. */
function decide(
  resubmitter: Resubmitter,
  result: SubmitResult,
  { told = [], short = [], unmet = [], cancelled = [] }: { readonly [what: string]: readonly string[] },
) {
  const isIn = (list: readonly string[]) => (stage: string) => list.includes(stage);
  const round: Round = {
    ...{ result, told: new Set(told), isShort: isIn(short), isUnmet: isIn(unmet) },
    isCancelled: isIn(cancelled),
  };
  const next = resubmitter.next(round);
  if (next === undefined) return undefined;
  const { retried, retry, again, ended, isFull } = next;
  return {
    ...{ again: [...again], ended: [...ended].sort() },
    ...(retried.length > 0 ? { retried, retry } : {}),
    ...(isFull ? { isFull } : {}),
  };
}

const all = steps.map(({ id }) => id);

test('where Slurm took everything, nothing is submitted once more, however stages ended', (t) => {
  const resubmitter = new Resubmitter(steps, 1);
  t.is(decide(resubmitter, submitted(all), { told: all }), undefined);
  t.is(decide(resubmitter, submitted(all), { told: ['tok-a'] }), undefined);
});

test('what Slurm refused is submitted once more, without what has ended', (t) => {
  const resubmitter = new Resubmitter(steps, 1);
  const some = submitted(['tok-a', 'tok-b'], { refused });
  t.deepEqual(decide(resubmitter, some, { told: ['tok-a', 'tok-b'] }), {
    again: [],
    ended: ['tok-a', 'tok-b'],
  });
  const told = ['tok-a', 'tok-b', 'mim-a'];
  const none = submitted([], { refused });
  t.deepEqual(decide(resubmitter, none, { told }), { again: [], ended: told.sort(), isFull: true });
  const others = submitted([], { refused, live: 1, liveStages: ['mim-a'] });
  t.deepEqual(decide(resubmitter, others, { told }), { again: [], ended: told.sort() });
});

test('a stage that ends without a word again and again is lost with what needs it, but for the report', (t) => {
  const resubmitter = new Resubmitter(steps, 1);
  const result = submitted(['tok-a', 'tok-b'], { refused });
  t.deepEqual(decide(resubmitter, result, { told: ['tok-b'] }), { again: [], ended: ['tok-b'] });
  const mine = submitted(['tok-a'], { refused });
  t.deepEqual(decide(resubmitter, mine, { told: ['tok-b'] }), {
    again: [],
    ended: ['mim-a', 'tok-a', 'tok-b'],
  });
});

test('what took too much memory is made with what waited for it, and the report once more, as often as retries', (t) => {
  const resubmitter = new Resubmitter(steps, 1);
  const told = ['tok-b', 'mim-b', 'report'];
  const short = ['tok-a'];
  t.deepEqual(decide(resubmitter, submitted(all), { told, short, unmet: ['mim-a'] }), {
    ...{ retried: ['tok-a'], retry: 1 },
    again: ['tok-a', 'mim-a', 'report'],
    ended: ['mim-b', 'tok-b'],
  });
  t.is(decide(resubmitter, submitted(all), { told, short, unmet: ['mim-a'] }), undefined);
  t.is(decide(new Resubmitter(steps, 0), submitted(all), { told, short }), undefined);
});

test('a task that ended for its memory is made with those that waited for another stage in it', (t) => {
  // Both tokenizers shared a task: it was `tok-a` that took too much.
  const resubmitter = new Resubmitter(steps, 2);
  const told = ['tok-b', 'report'];
  const round = { told, short: ['tok-a'], unmet: ['mim-a', 'mim-b'] };
  t.deepEqual(decide(resubmitter, submitted(all), round), {
    ...{ retried: ['tok-a'], retry: 1 },
    again: ['tok-a', 'mim-a', 'mim-b', 'report'],
    ended: ['tok-b'],
  });
  // Nothing of it is in Slurm, and there is no room for it.
  const some = submitted([], { refused });
  t.like(decide(resubmitter, some, { told: ['tok-b'], short: ['tok-a'] }), { retry: 2, ended: ['tok-b'] });
});

test('after a cancellation nothing is submitted once more', (t) => {
  const result = submitted(['tok-a'], { refused });
  t.is(
    decide(new Resubmitter(steps, 1), result, { short: ['tok-a'], cancelled: ['tok-a', 'tok-b'] }),
    undefined,
  );
  // Of a stage that was not in Slurm the mark is of an earlier run.
  t.deepEqual(decide(new Resubmitter(steps, 1), result, { told: ['tok-a'], cancelled: ['tok-b'] }), {
    again: [],
    ended: ['tok-a'],
  });
});
