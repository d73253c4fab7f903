import test from 'ava';
import { killRuns, moments } from '../support/kills.ts';

// All moments: tests/long/faults.long.ts.
const some = ['an entry is being put together', 'the report has started'];

test('after kill -9 of a run the same command finishes it, and nothing that had finished runs again', async (t) => {
  const names = await killRuns(
    t,
    moments.filter(({ name }) => some.includes(name)),
  );
  t.deepEqual(names, some);
});
