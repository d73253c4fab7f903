import fs from 'node:fs';
import type { ExecutionContext } from 'ava';
import { createRig, isAlive, processesIn, type Rig, until } from './rig.ts';

/** A place in a run, told by what can be seen from outside. */
export interface Moment {
  readonly name: string;
  /** Resolves when the run has come there, and the moment has not passed yet (or may just have). */
  reach(rig: Rig): Promise<unknown>;
  readonly setUp?: (rig: Rig) => void;
}

const stores = '.peco';

export const moments: readonly Moment[] = [
  { name: 'the run starts', reach: (rig) => until(() => fs.existsSync(rig.file(`${stores}/locks`))) },
  {
    name: 'a stage has started',
    setUp: (rig) => rig.command('beit-0', 'wait deaf'),
    reach: (rig) => rig.reached('beit-0'),
  },
  {
    name: 'a stage has started after others had finished',
    setUp: (rig) => rig.command('probe-beit-0', 'wait deaf'),
    reach: (rig) => rig.reached('probe-beit-0'),
  },
  {
    name: 'finished outputs are kept',
    reach: (rig) => until(() => isThere(rig, `${stores}/pending`)),
  },
  {
    name: 'an entry is being put together',
    reach: (rig) => until(() => list(rig, `${stores}/tmp`).some((name) => name.startsWith('entry-'))),
  },
  {
    name: 'the first entry is there',
    reach: (rig) => until(() => rig.entries().length > 0),
  },
  {
    name: 'all stages but the report are done',
    reach: (rig) => until(() => rig.entries().length >= 8),
  },
  {
    name: 'the report has started',
    reach: (rig) => until(() => ranAlready(rig).includes('report')),
  },
  {
    name: 'the results are being published',
    reach: (rig) => until(() => isThere(rig, 'results/rig')),
  },
];

function list(rig: Rig, folder: string): string[] {
  return fs.existsSync(rig.file(folder)) ? fs.readdirSync(rig.file(folder)) : [];
}

function isThere(rig: Rig, folder: string): boolean {
  return list(rig, folder).length > 0;
}

function ranAlready(rig: Rig): string[] {
  const file = rig.file('control/ran');
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n') : [];
}

/** Keys of whole entries and of kept outputs that the next run only has to store. */
function finishedWork(rig: Rig): number {
  const kept = list(rig, `${stores}/pending`).filter(
    (key) =>
      fs.existsSync(rig.file(`${stores}/pending/${key}/manifest.json`)) &&
      fs.existsSync(rig.file(`${stores}/pending/${key}/outputs`)),
  );
  return new Set([...rig.entries(), ...kept]).size;
}

/**
 * Kills a run at each of some moments, then gives the same command again: it must finish with the table of a run that
 * was not disturbed, and nothing that had finished may run again. Returns the moments' names.
 */
export async function killRuns(t: ExecutionContext, at: readonly Moment[]): Promise<readonly string[]> {
  const rig = createRig(t);
  await rig.peco('run', 'experiment.ts', '--store', 'calm', '--out', 'calm-results');
  const table = rig.read('calm-results/rig/ablation.md');
  const stages = rig.takeRan().length;
  rig.forget();
  for (const moment of at) {
    await killAt(rig, moment);
    const finished = finishedWork(rig);
    for (const name of list(rig, 'control/commands')) rig.release(name);
    rig.forget();

    const next = await rig.peco('run', 'experiment.ts');
    t.is(next.code, 0, `${moment.name}: ${next.stdout}${next.stderr}`);
    t.is(rig.takeRan().length, stages - finished, `${moment.name}: what had finished does not run again`);
    t.is(rig.read('results/rig/ablation.md'), table);
    t.is(rig.entries().length, stages);
    await rig.peco('gc', 'experiment.ts', '--work');
    for (const folder of ['tmp', 'locks', 'pending', 'work'])
      t.deepEqual(list(rig, `${stores}/${folder}`), [], `${moment.name}: ${folder}`);
    for (const folder of [stores, 'results']) fs.rmSync(rig.file(folder), { recursive: true });
    rig.forget();
  }
  return at.map(({ name }) => name);
}

async function killAt(rig: Rig, moment: Moment): Promise<void> {
  moment.setUp?.(rig);
  const run = rig.start('run', 'experiment.ts', '--jobs', '1');
  let ended = false;
  void run.done.then(() => {
    ended = true;
  });
  await Promise.race([moment.reach(rig), until(() => ended)]);
  run.process.kill('SIGKILL');
  await run.done;
  // Its stages notice that no process waits for them, also those that have not come to their command.
  await until(() => processesIn(rig.dir).length === 0);
  for (const name of list(rig, 'control/reached')) {
    const pid = Number(rig.read(`control/reached/${name}`));
    await until(() => !isAlive(pid));
  }
}
