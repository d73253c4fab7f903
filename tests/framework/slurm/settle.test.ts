import test from 'ava';
import type { RunEvent } from '../../../framework/run/record/events.ts';
import type { StageOutcome } from '../../../framework/slurm/events.ts';
import { settleSeen } from '../../../framework/slurm/seen.ts';
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
