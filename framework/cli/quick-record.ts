import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadBundles, type StoredBundle } from '../experiment/modules.ts';
import { settingsFiles } from '../experiment/settings.ts';
import { bundleImplementation } from '../plan/code.ts';
import { implementationsOfAll } from '../plan/implementations.ts';
import { packageTree } from '../plan/packages.ts';
import type { ContentKey } from '../plan/types.ts';
import { writeDisposable } from '../store/disposable.ts';
import { folderMemoryFile } from '../store/folders.ts';
import { settledAt } from '../store/racy.ts';
import type { Prepared } from './prepare.ts';
import { type FileStamp, ownVariables, type QuickRecord, quickRecordFile, stampOf } from './quick.ts';

/** What a finished run knows of itself. */
export interface FinishedRun {
  readonly prepared: Prepared;
  readonly args: readonly string[];
  /** Entries of all stages. */
  readonly keys: readonly ContentKey[];
  /** Published files, absolute. */
  readonly results: readonly string[];
  /** What the same command prints when everything is stored, before and after its time. */
  readonly before: string;
  readonly after: string;
}

// As long as a run waits for its files to be old enough to be trusted, in milliseconds.
const longestWait = 100;

/**
 * Records a run for the quick path. Every file is looked at first and proven afterwards to be what the run used, so
 * that an edit at any moment in between makes the record one that is never current. Does nothing where something can't
 * be proven, or isn't a project with a cache.
 */
export async function recordQuickRun(run: FinishedRun): Promise<void> {
  const { prepared, args } = run;
  const target = quickRecordFile(process.cwd(), args);
  if (target === undefined) return;
  const { loaded, plan, store } = prepared;
  const modules = [...implementationsOfAll(plan.stages.map(({ node }) => node))].map((url) =>
    fileURLToPath(url),
  );
  const closures = await loadBundles([loaded.file, ...modules], prepared.project.root);
  if (!dependsOnItsSourcesOnly(closures.get(loaded.file)!)) return;
  const settings = settingsFiles(prepared.project.root);
  if (settings.present.some(isModule)) return; // it may import and read whatever it likes
  const resolutions = [...closures.values()].map(({ resolution }) => resolution);
  const resolved = resolutions.flatMap(({ files }) => Object.entries(files));
  const links = Object.entries(Object.assign({}, ...resolutions.map(({ links }) => links)) as Links);
  const watched = new Set<string>([
    ...[...closures.values()].flatMap(({ sources, packages }) => [
      ...Object.keys(sources),
      ...[...packageTree(Object.values(packages)).keys()].map((dir) => path.join(dir, 'package.json')),
    ]),
    ...resolved.flatMap(([file, digest]) => (digest === null ? [] : [file])),
    ...settings.present,
    ...builtFiles(),
    ...run.results,
  ]);
  const folders: QuickRecord['folders'][number][] = [];
  for (const [file, digest] of plan.data) {
    if (fs.statSync(file).isDirectory())
      folders.push({ folder: file, memory: folderMemoryFile(path.join(store.dir, 'cache'), file), digest });
    else watched.add(file);
  }
  for (const key of run.keys) for (const file of entryFiles(store.dir, key)) watched.add(file);
  const files = await stampAll(watched);
  if (!files || !(await isProven(run, modules))) return;
  const environment = Object.fromEntries(
    [...ownVariables(process.env), ...Object.keys(loaded.environment), ...loaded.unset].map((name) => [
      name,
      process.env[name] ?? null,
    ]),
  );
  const record: QuickRecord = {
    format: 1,
    at: Date.now(),
    node: process.version,
    cwd: process.cwd(),
    args,
    environment,
    files,
    absent: [
      ...new Set([
        ...settings.absent,
        ...foldersBetween(loaded.file, prepared.project.root).map((dir) => path.join(dir, 'package.json')),
        ...resolved.flatMap(([file, digest]) => (digest === null ? [file] : [])),
        ...links.flatMap(([place, real]) => (real === null ? [place] : [])),
      ]),
    ],
    links: [
      [loaded.asked, loaded.file],
      ...links.filter((link): link is [string, string] => link[1] !== null),
    ],
    folders,
    before: run.before,
    after: run.after,
  };
  await writeDisposable(target, JSON.stringify(record));
}

type Links = { readonly [place: string]: string | null };

function isModule(file: string): boolean {
  return /\.[cm]?[jt]s$/.test(file);
}

/** Folders from that of a file up to the root, without the root. */
function foldersBetween(file: string, root: string): string[] {
  const folders: string[] = [];
  for (let dir = path.dirname(file); dir !== root && dir !== path.dirname(dir); dir = path.dirname(dir))
    folders.push(dir);
  return folders;
}

/** Modules that give the same results whenever they are asked, and packages of which we know that. */
const harmlessBuiltins = new Set(['assert', 'buffer', 'path', 'url', 'util']);
const harmlessPackages = new Set(['zod', 'fastest-levenshtein']);

/** An experiment file that may read other files when it is evaluated has to be evaluated every time. */
function dependsOnItsSourcesOnly({ builtins, packages }: StoredBundle): boolean {
  return (
    builtins.every((name) => harmlessBuiltins.has(name)) &&
    Object.keys(packages).every((name) => harmlessPackages.has(name))
  );
}

/** Undefined if one is missing or was written by a clock ahead of ours. Waits until none is too young to be trusted. */
async function stampAll(watched: ReadonlySet<string>): Promise<FileStamp[] | undefined> {
  const settled = (stamps: readonly FileStamp[]) =>
    stamps.reduce(
      (latest, [, , mtimeMs, ctimeMs]) => Math.max(latest, settledAt(mtimeMs), settledAt(ctimeMs)),
      0,
    );
  const take = () => [...watched].map(stampOf);
  const first = take();
  if (first.includes(undefined)) return undefined;
  const wait = settled(first as FileStamp[]) - Date.now();
  if (wait < 0) return first as FileStamp[];
  if (wait > longestWait) return undefined;
  await sleep(wait + 1);
  const second = take();
  if (second.includes(undefined) || settled(second as FileStamp[]) >= Date.now()) return undefined;
  return second as FileStamp[];
}

/** After the stamps were taken: what they are of is what the run used. */
async function isProven(run: FinishedRun, modules: readonly string[]): Promise<boolean> {
  const { loaded, plan, store, project } = run.prepared;
  const now = await loadBundles([loaded.file, ...modules], project.root);
  if (now.get(loaded.file)?.path !== loaded.bundle) return false;
  for (const module of modules) {
    const used = await bundleImplementation(new URL(`file://${module}`).href, { root: project.root });
    if (now.get(module)?.path !== used.path) return false;
    if (JSON.stringify(used.packages) !== JSON.stringify(used.currentPackages())) return false;
  }
  for (const [file, digest] of plan.data) if ((await store.digestPath(file)).digest !== digest) return false;
  for (const key of run.keys) if (!(await store.lookup(key))) return false;
  return true;
}

function entryFiles(storeDir: string, key: ContentKey): string[] {
  const dir = path.join(storeDir, 'entries', key);
  const manifest = path.join(dir, 'manifest.json');
  const { outputs } = JSON.parse(fs.readFileSync(manifest, 'utf8')) as { outputs: { path: string }[] };
  return [manifest, ...outputs.map((output) => path.join(dir, 'outputs', output.path))];
}

/** The command line itself, and in a clone the sources that it was built from. */
function builtFiles(): string[] {
  const dist = path.dirname(fileURLToPath(import.meta.url));
  const record = path.join(dist, 'build.json');
  if (!fs.existsSync(record)) return [fileURLToPath(import.meta.url)];
  const { inputs } = JSON.parse(fs.readFileSync(record, 'utf8')) as { inputs: { [file: string]: string } };
  return [record, ...Object.keys(inputs).map((file) => path.join(dist, '..', file))];
}
