import fs from 'node:fs';
import path from 'node:path';
import { isPecoError } from '../../../../framework/stage/errors.ts';
import type { Entry } from '../../../../framework/store/types.ts';
import {
  checkEntry,
  commit,
  files,
  key,
  makeFolder,
  openFresh,
  otherFiles,
  otherKey,
  readTree,
} from './bench.ts';
import { type Fault, faults, type Injected, inject } from './inject.ts';
import { finished, prepareStore, type Scenario } from './scenarios.ts';

/** What a fault at one call led to. */
export interface CaseOutcome {
  /** Whether the result was in the store afterwards. */
  readonly found: 'hit' | 'miss';
  /** `silent`: done in spite of the fault; `error`: it said so; `killed`. */
  readonly told: 'silent' | 'error' | 'killed';
  /** Only for commits that ended with an error. */
  readonly kept: boolean;
}

/** A scenario that was prepared once, to be copied for each case. */
export interface Bench {
  readonly scenario: Scenario;
  /** Of an undisturbed run. */
  readonly calls: readonly string[];
  run(at: number, fault: Fault): Promise<CaseOutcome>;
  close(): void;
}

const patience = 30_000; // milliseconds: a case that takes longer hangs

export async function openMatrix(scenario: Scenario): Promise<Bench> {
  const folder = makeFolder();
  const template = path.join(folder, 'template');
  await prepareStore(template, scenario);
  let number = 0;
  const copy = (): string => {
    const dir = path.join(folder, `case-${number++}`);
    copyTree(template, dir);
    return dir;
  };
  const calm = copy();
  const undisturbed = await inject({ root: calm }, () => scenario.act(calm));
  if (undisturbed.result.type !== 'done')
    throw undisturbed.result.type === 'failed' ? undisturbed.result.error : new Error('killed');
  const collected = openFresh(calm);
  const otherStays = (await collected.store.lookup(otherKey)) !== undefined;
  return {
    scenario,
    calls: undisturbed.calls,
    async run(at, fault) {
      const dir = copy();
      const injected = await withPatience(inject({ root: dir, at, fault }, () => scenario.act(dir)));
      const outcome = await withPatience(judge(dir, scenario, injected, otherStays));
      fs.rmSync(dir, { recursive: true, force: true });
      return outcome;
    },
    close: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}

/** Everything that must be true after a fault, whatever it was. Throws if it isn't. */
async function judge(
  dir: string,
  scenario: Scenario,
  { result }: Injected<unknown>,
  otherStays: boolean,
): Promise<CaseOutcome> {
  // An error is one clear message. (A wrong hit of the victim itself is no such error.)
  if (result.type === 'failed' && !(isPecoError(result.error) && result.error.code === 'store-write'))
    throw result.error;
  if (result.type === 'done' && scenario.looks) checkEntry(result.value as Entry | undefined, files);
  const keptFirst = readTree(path.join(dir, 'pending', key, 'outputs'));
  const inPlace = readTree(path.join(dir, finished));
  const { store } = openFresh(dir);
  const found = checkEntry(await store.lookup(key), files);
  // The other entry is as it was, or went as a whole where it was to be collected.
  const other = checkEntry(await store.lookup(otherKey), otherFiles);
  if (otherStays && other === 'miss') throw new Error('the other entry is gone');
  const told = result.type === 'killed' ? 'killed' : result.type === 'failed' ? 'error' : 'silent';
  const kept = [keptFirst, inPlace].some(
    (tree) => tree !== undefined && JSON.stringify(tree) === JSON.stringify(sort(files)),
  );
  if (scenario.commits && told !== 'killed' && found === 'miss' && !kept)
    throw new Error('finished work is lost');
  // Everything works again, at once.
  const mended: Entry = await commit(openFresh(dir).store);
  if (checkEntry(mended, files) === 'miss') throw new Error('a new commit has no entry');
  const again = openFresh(dir);
  if (checkEntry(await again.store.lookup(key), files) === 'miss')
    throw new Error('a new commit is not found');
  if (again.warnings.length > 0) throw new Error(`after a new commit: ${again.warnings[0]!.message}`);
  const release = await again.store.lock(key);
  await release();
  await (await again.store.enter())();
  await again.store.collect({ keep: [key, otherKey] });
  for (const name of ['tmp', 'locks', 'pending']) {
    const left = fs.existsSync(path.join(dir, name)) ? fs.readdirSync(path.join(dir, name)) : [];
    const others = left.filter((one) => one !== path.basename(finished));
    if (others.length > 0) throw new Error(`left in ${name}: ${others.join()}`);
  }
  return { found, told, kept: told === 'error' && kept };
}

function sort(tree: { readonly [name: string]: string }): object {
  return Object.fromEntries(Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function withPatience<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('hangs')), patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Files that are one on the disk stay one. */
function copyTree(from: string, to: string): void {
  const copied = new Map<number, string>();
  const visit = (source: string, target: string): void => {
    fs.mkdirSync(target);
    for (const item of fs.readdirSync(source, { withFileTypes: true })) {
      const [a, b] = [path.join(source, item.name), path.join(target, item.name)];
      if (item.isDirectory()) {
        visit(a, b);
        continue;
      }
      const { ino, mode } = fs.lstatSync(a);
      const known = copied.get(ino);
      if (known === undefined) {
        fs.writeFileSync(b, fs.readFileSync(a), { mode });
        copied.set(ino, b);
      } else fs.linkSync(known, b);
    }
  };
  visit(from, to);
}

/** Counts of outcomes, one row a fault. */
export interface Row {
  readonly scenario: string;
  readonly fault: Fault;
  readonly cases: number;
  readonly hits: number;
  readonly silent: number;
  readonly errors: number;
  readonly kept: number;
}

/** Every fault at every call, or at every `stride`th; throws with the call's name at the first that is wrong. */
export async function runMatrix(scenario: Scenario, stride = 1): Promise<readonly Row[]> {
  const bench = await openMatrix(scenario);
  try {
    const rows: Row[] = [];
    for (const [offset, fault] of faults.entries()) {
      const outcomes: CaseOutcome[] = [];
      for (let at = 1 + (offset % stride); at <= bench.calls.length; at += stride) {
        try {
          outcomes.push(await bench.run(at, fault));
        } catch (cause) {
          const where = `${scenario.name}, ${fault} at call ${at} (${bench.calls[at - 1]})`;
          throw new Error(`${where}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
        }
      }
      const count = (is: (outcome: CaseOutcome) => boolean): number => outcomes.filter(is).length;
      rows.push({
        scenario: scenario.name,
        fault,
        cases: outcomes.length,
        hits: count(({ found }) => found === 'hit'),
        silent: count(({ told }) => told === 'silent'),
        errors: count(({ told }) => told === 'error'),
        kept: count(({ kept }) => kept),
      });
    }
    return rows;
  } finally {
    bench.close();
  }
}
