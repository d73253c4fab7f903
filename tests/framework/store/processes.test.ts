import test from 'ava';
import { openProcesses } from './support/processes.ts';

// All calls, and many more races: tests/long/faults.long.ts.
test('processes that are killed while they commit, and processes that commit at once', async (t) => {
  const processes = await openProcesses();
  t.teardown(processes.close);
  const calls = await processes.countCalls();
  for (let at = 5; at <= calls; at += 17) await processes.kill(at, at % 2 === 0 ? 'before' : 'after');
  t.is(await processes.race([0, 0]), 'hit');
  t.is(await processes.race([2, 0, 1], { at: Math.floor(calls / 2) }), 'hit');
});
