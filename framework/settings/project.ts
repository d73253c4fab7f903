import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { hasCode } from '../files/files.ts';
import { explainMakeError, makeFolders } from '../files/make-folders.ts';
import { parseDuration } from '../stage/duration.ts';
import { PecoError } from '../stage/errors.ts';
import { suggest } from '../stage/issues.ts';
import type { SlurmOptions } from '../stage/slurm.ts';
import { inspectStore } from '../store/marker.ts';
import { findProjectFolder, folderSetting, loadSettings, notBlank, pick, type Setting } from './settings.ts';

/** What can be set in several ways. Precedence: flag, environment, settings file, default. */
export interface ProjectFlags {
  readonly store?: string;
  readonly out?: string;
  readonly engine?: string;
  readonly jobs?: number;
  readonly retries?: number;
  readonly timeout?: string;
  readonly executor?: string;
}

/** Where an experiment is at home, and how its stages run there. All paths are absolute. */
export interface Project {
  readonly root: string;
  readonly store: string;
  readonly results: string;
  readonly engine: string;
  readonly jobs: number;
  /** How often a stage is started again whose process died. */
  readonly retries: number;
  /** Seconds that a stage may run; absent: no limit. */
  readonly timeout?: number;
  /** Who runs stages: this machine, or the jobs of a cluster. */
  readonly executor: ExecutorName;
  /** What the settings say of Slurm. */
  readonly slurm?: SlurmOptions;
}

/** The same with the origin of each value. */
export interface ProjectSettings {
  readonly root: string;
  readonly store: Setting<string>;
  readonly results: Setting<string>;
  readonly engine: Setting<string>;
  readonly jobs: Setting<number>;
  readonly retries: Setting<number>;
  /** As it was given, or `none`. */
  readonly timeout: Setting<string>;
  readonly executor: Setting<ExecutorName>;
  readonly slurm?: SlurmOptions;
}

export const executors = ['local', 'slurm'] as const;
export type ExecutorName = (typeof executors)[number];

export interface ProjectOptions {
  readonly flags: ProjectFlags;
  readonly env: { readonly [name: string]: string | undefined };
  readonly cwd: string;
}

/** Those of components/engine; the last is resolved to one of the others before anything runs. */
export const engines: readonly string[] = ['onnx', 'reference', 'wasm', 'tensorflow', 'auto'];
/** Ways of two of them: on what WebGPU finds; compiled by XLA, products in bfloat16, or both. */
export const engineModes: readonly string[] = [
  'onnx:webgpu',
  'tensorflow:xla',
  'tensorflow:bf16',
  'tensorflow:xla+bf16',
];
const mostDefaultJobs = 4;

/**
 * Finds the project of an experiment file: the nearest folder above it with a package.json, or else `cwd`.
 * Paths in flags and environment are relative to `cwd`, those in a settings file to that file.
 *
 * @throws PecoError `invalid-settings` for a value that is none of the possible
 */
export async function findProject(file: string, options: ProjectOptions): Promise<Project> {
  const folder = path.dirname(path.resolve(options.cwd, file));
  const settings = await findSettings(folder, options);
  await checkStore(settings.store);
  const { root, store, results, engine, jobs, retries, executor, slurm } = settings;
  const timeout = parseDuration(settings.timeout.value);
  return {
    root,
    store: store.value,
    results: results.value,
    engine: engine.value,
    jobs: jobs.value,
    retries: retries.value,
    executor: executor.value,
    ...(slurm === undefined ? {} : { slurm }),
    ...(timeout === undefined ? {} : { timeout }),
  };
}

/**
 * What is no store, and where none can ever be. What makes folders in a store relies on this: Node's recursive mkdir doesn't end where
 * making one fails with ENOENT although its parent exists, as in /proc.
 *
 * @throws PecoError `invalid-settings`, or as `inspectStore`
 */
async function checkStore({ value, from }: Setting<string>): Promise<void> {
  inspectStore(value, from);
  if (fs.existsSync(value)) return;
  try {
    await makeFolders(value);
  } catch (error) {
    // Without permission stored results can't be there, but plans can be made; the first write reports the rest.
    if (!hasCode(error, 'ENOENT', 'EEXIST')) return;
    throw new PecoError(`there can't be a store at ${value} (${from}): ${explainMakeError(error)}`, {
      code: 'invalid-settings',
      hint: 'choose another with --store',
      cause: error,
    });
  }
}

/** @throws PecoError `usage` if there is no folder that could be the store */
export function requireStore({ value }: Setting<string>): void {
  if (fs.existsSync(value)) return;
  throw new PecoError(`there is no store in ${value}`, {
    code: 'usage',
    hint: 'say where it is with --store',
  });
}

/** The settings of the project at a folder, as `findProject` finds them, with their origins. Throws as that does. */
export async function findSettings(folder: string, options: ProjectOptions): Promise<ProjectSettings> {
  const { flags, env, cwd } = options;
  const root = findProjectFolder(folder) ?? cwd;
  const loaded = await loadSettings(root);
  const { settings, file } = loaded;
  const shownFile = file === undefined ? '' : path.relative(cwd, file);
  const same = <T>(value: T) => value;
  return {
    root,
    store: folderSetting('store', flags.store, { root, loaded, env, cwd }),
    results: folderSetting('results', flags.out, { root, loaded, env, cwd }),
    engine: pick('onnx', [
      [flags.engine, checkEngine, '--engine'],
      [notBlank(env.PECO_ENGINE, 'PECO_ENGINE'), checkEngine, 'PECO_ENGINE'],
      [settings.engine, checkEngine, shownFile],
    ]),
    jobs: pick(Math.min(os.availableParallelism(), mostDefaultJobs), [
      [flags.jobs, same, '--jobs'],
      [countFrom('PECO_JOBS', env, 1), same, 'PECO_JOBS'],
      [settings.jobs, same, shownFile],
    ]),
    retries: pick(1, [
      [flags.retries, same, '--retries'],
      [countFrom('PECO_RETRIES', env, 0), same, 'PECO_RETRIES'],
      [settings.retries, same, shownFile],
    ]),
    timeout: pick('none', [
      [flags.timeout, checkLimit('--timeout'), '--timeout'],
      [notBlank(env.PECO_TIMEOUT, 'PECO_TIMEOUT'), checkLimit('PECO_TIMEOUT'), 'PECO_TIMEOUT'],
      [settings.timeout, checkLimit(`timeout in ${shownFile}`), shownFile],
    ]),
    executor: pick<string>('local', [
      [flags.executor, checkExecutor, '--executor'],
      [notBlank(env.PECO_EXECUTOR, 'PECO_EXECUTOR'), checkExecutor, 'PECO_EXECUTOR'],
      [settings.executor, checkExecutor, shownFile],
    ]) as Setting<ExecutorName>,
    ...(settings.slurm === undefined ? {} : { slurm: settings.slurm }),
  };
}

function countFrom(variable: string, env: ProjectOptions['env'], least: number): number | undefined {
  const value = notBlank(env[variable], variable);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (Number.isInteger(number) && number >= least) return number;
  throw new PecoError(`${variable} is "${value}"`, {
    code: 'invalid-settings',
    hint: `give a whole number from ${least} up`,
  });
}

/** A time limit, or `none` against one that a settings file has. */
function checkLimit(name: string): (value: string) => string {
  return (value) => {
    if (value === 'none' || parseDuration(value) !== undefined) return value;
    throw new PecoError(`${name} is "${value}"`, {
      code: 'invalid-settings',
      hint: 'give a time such as 90s, 10m or 2h, at most 500h; or none',
    });
  };
}

function checkExecutor(name: string): ExecutorName {
  const found = executors.find((one) => one === name);
  if (found !== undefined) return found;
  throw new PecoError(`there is no executor "${name}"`, {
    code: 'invalid-settings',
    hint: suggest(name, executors)!,
  });
}

function checkEngine(name: string): string {
  if (engines.includes(name) || engineModes.includes(name)) return name;
  const hint = suggest(name, [...engines, ...engineModes]);
  throw new PecoError(`there is no engine "${name}"`, {
    code: 'invalid-settings',
    ...(hint === undefined ? {} : { hint }),
  });
}
