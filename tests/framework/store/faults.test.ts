import test from 'ava';
import { openMatrix, runMatrix } from './support/matrix.ts';
import { scenarios } from './support/scenarios.ts';
import { readSection } from './support/table.ts';

// All of them are tests/long/faults.long.ts: a prime stride meets other calls for each fault.
const stride = 13;

for (const scenario of scenarios) {
  test.serial(`faults at some calls of the file system: ${scenario.name}`, async (t) => {
    const rows = await runMatrix(scenario, stride);
    t.true(rows.every(({ cases }) => cases > 0));
  });
}

test.serial('faults.md knows how many calls there are', async (t) => {
  const { text } = readSection('calls');
  for (const scenario of scenarios) {
    const bench = await openMatrix(scenario);
    bench.close();
    const row = `| ${scenario.name} | ${bench.calls.length} |`;
    t.true(
      text.includes(row),
      `UPDATE=1 npx ava --config ava.long.config.js tests/long/faults.long.ts: ${row}`,
    );
  }
});
