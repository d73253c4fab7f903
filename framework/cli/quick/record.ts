import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openProjectCache } from '../../code/cache.ts';
import { readManifest } from '../../code/package-root.ts';
import { lookAtPackages } from '../../code/packages.ts';
import type { StoredBundle } from '../../code/stored-bundles.ts';
import type { LoadedExperiment } from '../../experiment/types.ts';
import { openLags } from '../../files/clock.ts';
import { writeDisposable } from '../../files/disposable.ts';
import { type Plan, planRun } from '../../plan/plan.ts';
import { findProjectFolder, findSettingsFile, readsOtherFiles } from '../../settings/settings.ts';
import type { ContentKey } from '../../stage/keys.ts';
import { bundlesOf, type Planned } from '../bundles.ts';
import type { Prepared } from '../prepare.ts';
import { collectLooks, isAsSeen, type Ledger } from './ledger.ts';
import { ownVariables, type QuickRecord, quickLook, quickRecordFile, recordFormat } from './quick.ts';
import { watchStore } from './watched-store.ts';

/** What a finished run knows of itself. */
export interface FinishedRun {
  readonly prepared: Planned & Pick<Prepared, 'store'>;
  readonly args: readonly string[];
  /** Where the command was given. */
  readonly cwd: string;
  /** Entries of all stages. */
  readonly keys: readonly ContentKey[];
  /** Published files, absolute. */
  readonly results: readonly string[];
  /** What the same command prints when everything is stored, before and after its time. */
  readonly before: string;
  readonly after: string;
}

/** Records a run for the quick path; see `describeQuickRun`. Does nothing outside a project with a cache. */
export async function recordQuickRun(run: FinishedRun): Promise<void> {
  const target = quickRecordFile(run.cwd, run.args);
  if (target === undefined) return;
  const record = await describeQuickRun(run);
  if (record !== undefined) await writeDisposable(target, JSON.stringify(record));
}

/**
 * Plans a finished run once more and lists everything that this looks at. An edit at any moment since the run began
 * makes the record one that is never current, or none. Undefined too for an experiment or settings that may look at what
 * no list has.
 */
export async function describeQuickRun(
  run: FinishedRun,
  now?: () => number,
): Promise<QuickRecord | undefined> {
  const { loaded } = run.prepared;
  const lagOf = openLags(openProjectCache(run.prepared.project.root).dir);
  const looked = await collectLooks((ledger) => lookAgain(run, ledger, lagOf), lagOf, now);
  if (looked === undefined) return undefined;
  const names = [
    ...ownVariables(process.env),
    ...nodeVariables,
    ...Object.keys(loaded.environment),
    ...loaded.consulted,
  ];
  return {
    format: recordFormat,
    at: Date.now(),
    node: process.version,
    cwd: run.cwd,
    args: run.args,
    look: quickLook(),
    environment: Object.fromEntries(names.map((name) => [name, process.env[name] ?? null])),
    ...looked,
    before: run.before,
    after: run.after,
  };
}

/** Node finds and loads other code by them. */
const nodeVariables = ['NODE_OPTIONS', 'NODE_PATH'];

async function lookAgain(run: FinishedRun, ledger: Ledger, lagOf: (place: string) => number): Promise<void> {
  const { loaded, plan, store, project } = run.prepared;
  for (const file of [...builtFiles(), ...run.results]) ledger.found(file);
  lookAtSettings(run, ledger);
  const bundles = await bundlesOf(run.prepared);
  for (const bundle of bundles.values()) lookAtBundle(bundle, ledger);
  lookAtExperiment(loaded, bundles.get(loaded.file)!, ledger, lagOf);
  const again = await planRun(plan.graph, { store: watchStore(store, ledger), root: project.root });
  if (!isSamePlan(plan, again, run.keys)) ledger.spoil();
}

/** The settings that hold, and those that would win if they were there. */
function lookAtSettings({ prepared, cwd }: FinishedRun, ledger: Ledger): void {
  const folder = findProjectFolder(path.dirname(prepared.loaded.file), ledger.look) ?? cwd;
  const file = findSettingsFile(folder, ledger.look);
  if (file !== undefined && readsOtherFiles(file)) ledger.spoil();
}

/** Everything in a bundle is named here, so that a field that is added doesn't compile before it is thought of. */
function lookAtBundle(bundle: StoredBundle, ledger: Ledger): void {
  const { sources, resolution, packages, ...rest } = bundle;
  const { path: _made, digest: _ofIt, aliases: _inSources, builtins: _ofExperiments, ...unknown } = rest;
  unknown satisfies { readonly [name: string]: never };
  const { files, links, absent, ...others } = resolution;
  others satisfies { readonly [name: string]: never };
  for (const source of Object.keys(sources)) ledger.found(source);
  for (const file of Object.keys(files)) ledger.found(file);
  for (const place of Object.keys(links)) {
    ledger.look(place);
    ledger.link(place);
  }
  for (const place of absent) ledger.look(place);
  lookAtPackages(
    packages.map(({ dir }) => dir),
    ledger.look,
  );
}

function lookAtExperiment(
  loaded: LoadedExperiment,
  now: StoredBundle,
  ledger: Ledger,
  lagOf: (place: string) => number,
): void {
  ledger.link(loaded.asked);
  if (now.path !== loaded.bundle || loaded.unbounded || !dependsOnItsSourcesOnly(now)) ledger.spoil();
  for (const [place, look] of loaded.looks) {
    if (!isAsSeen(place, look, lagOf(place))) ledger.spoil();
    ledger.list(place);
  }
}

/** Modules that give the same results whenever they are asked, and packages of which we know that. */
const harmlessBuiltins = new Set(['assert', 'buffer', 'path', 'url', 'util', 'zlib']);
const harmlessPackages = new Set(['zod', 'fastest-levenshtein']);

/** An experiment file that may read other files when it is evaluated has to be evaluated every time. */
function dependsOnItsSourcesOnly({ builtins, packages }: StoredBundle): boolean {
  return (
    builtins.every((name) => harmlessBuiltins.has(name)) &&
    packages.every(({ dir }) => harmlessPackages.has(readManifest(dir)?.name ?? ''))
  );
}

/** True if all that the run found or made is found, and its data has the bytes that it had. */
function isSamePlan(plan: Plan, again: Plan, keys: readonly ContentKey[]): boolean {
  const made = new Set<string>(keys);
  return (
    again.stages.every(({ status, contentKey }) => status === 'hit' && made.has(contentKey!)) &&
    [...plan.data].every(([place, digest]) => again.data.get(place) === digest)
  );
}

/** The command line itself, and in a clone the sources that it was built from. */
function builtFiles(): string[] {
  const dist = path.dirname(fileURLToPath(import.meta.url));
  const record = path.join(dist, 'build.json');
  if (!fs.existsSync(record)) return [fileURLToPath(import.meta.url)];
  const { inputs } = JSON.parse(fs.readFileSync(record, 'utf8')) as { inputs: { [file: string]: string } };
  return [record, ...Object.keys(inputs).map((file) => path.join(dist, '..', file))];
}
