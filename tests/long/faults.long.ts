import test from 'ava';
import { openMatrix, runMatrix } from '../framework/store/support/matrix.ts';
import { openProcesses } from '../framework/store/support/processes.ts';
import { scenarios } from '../framework/store/support/scenarios.ts';
import {
  checkSection,
  formatCalls,
  formatTable,
  type ScenarioResult,
} from '../framework/store/support/table.ts';
import { killRuns, moments } from '../support/kills.ts';

test.serial('every fault at every call of the file system', async (t) => {
  const results: ScenarioResult[] = [];
  for (const scenario of scenarios) {
    const bench = await openMatrix(scenario);
    bench.close();
    results.push({ name: scenario.name, calls: bench.calls.length, rows: await runMatrix(scenario) });
  }
  checkSection(t, 'calls', formatCalls(results));
});

test.serial('kill -9 at every call of a process that commits, and races of processes', async (t) => {
  const processes = await openProcesses();
  t.teardown(processes.close);
  const calls = await processes.countCalls();
  const rows: (readonly (string | number)[])[] = [];
  for (const when of ['before', 'after'] as const) {
    let hits = 0;
    for (let at = 1; at <= calls; at++) if ((await processes.kill(at, when)) === 'hit') hits += 1;
    rows.push([`killed ${when} one of ${calls} calls`, calls, hits, calls - hits]);
  }
  const random = createRandom(1);
  const races = 60;
  for (const [name, many, killed] of [
    ['two at once', 2, false],
    ['four at once', 4, false],
    ['three at once, one of them killed', 3, true],
  ] as const) {
    for (let race = 0; race < races; race++) {
      const delays = Array.from({ length: many }, () => random(20));
      const found = await processes.race(delays, killed ? { at: 1 + random(calls) } : undefined);
      t.is(found, 'hit');
    }
    rows.push([name, races, races, 0]);
  }
  checkSection(t, 'processes', formatTable(['what', 'cases', 'found after', 'not found after'], rows));
});

test.serial('kill -9 of a run at any of its events', async (t) => {
  const names = await killRuns(t, moments);
  const rows = names.map((name) => [name, 'finished, same table, nothing ran twice']);
  checkSection(t, 'runs', formatTable(['killed when', 'the same command again'], rows));
});

/** Whole numbers from 0 to below `limit`, the same for the same seed. */
function createRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
