import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadSettings } from '../experiment/settings.ts';
import { PecoError } from '../stage/errors.ts';
import { suggest } from '../stage/issues.ts';

/** What can be set in several ways. Precedence: flag, environment, settings file, default. */
export interface ProjectFlags {
  readonly store?: string;
  readonly out?: string;
  readonly engine?: string;
  readonly jobs?: number;
}

/** Where an experiment is at home, and how its stages run there. All paths are absolute. */
export interface Project {
  readonly root: string;
  readonly store: string;
  readonly results: string;
  readonly engine: string;
  readonly jobs: number;
}

const engines = ['onnx', 'reference'];
const mostDefaultJobs = 4;

/**
 * Finds the project of an experiment file: the nearest folder above it with a package.json, or else `cwd`.
 * Paths in flags and environment are relative to `cwd`, those in a settings file to that file.
 *
 * @throws PecoError `invalid-settings` for a value that is none of the possible
 */
export async function findProject(
  file: string,
  options: {
    readonly flags: ProjectFlags;
    readonly env: { readonly [name: string]: string | undefined };
    readonly cwd: string;
  },
): Promise<Project> {
  const { flags, env, cwd } = options;
  const root = nearestPackage(path.dirname(path.resolve(cwd, file))) ?? cwd;
  const { settings, file: settingsFile } = await loadSettings(root);
  const place = (flag?: string, variable?: string, setting?: string) => {
    const given = flag ?? variable;
    if (given !== undefined) return path.resolve(cwd, given);
    return setting === undefined ? undefined : path.resolve(path.dirname(settingsFile!), setting);
  };
  return {
    root,
    store: place(flags.store, nonEmpty(env.PECO_STORE), settings.store) ?? path.join(root, '.peco'),
    results: place(flags.out, nonEmpty(env.PECO_RESULTS), settings.results) ?? path.join(root, 'results'),
    engine: checkEngine(flags.engine ?? nonEmpty(env.PECO_ENGINE) ?? settings.engine ?? 'onnx'),
    jobs:
      flags.jobs ??
      jobsFrom(nonEmpty(env.PECO_JOBS)) ??
      settings.jobs ??
      Math.min(os.availableParallelism(), mostDefaultJobs),
  };
}

function jobsFrom(variable: string | undefined): number | undefined {
  if (variable === undefined) return undefined;
  const jobs = Number(variable);
  if (Number.isInteger(jobs) && jobs > 0) return jobs;
  throw new PecoError(`PECO_JOBS is "${variable}"`, {
    code: 'invalid-settings',
    hint: 'give a whole number from 1 up',
  });
}

function checkEngine(name: string): string {
  if (engines.includes(name)) return name;
  const hint = suggest(name, engines);
  throw new PecoError(`there is no engine "${name}"`, {
    code: 'invalid-settings',
    ...(hint === undefined ? {} : { hint }),
  });
}

function nearestPackage(folder: string): string | undefined {
  for (let dir = folder; ; dir = path.dirname(dir)) {
    if (fs.existsSync(path.join(dir, 'package.json'))) return dir;
    if (path.dirname(dir) === dir) return undefined;
  }
}

/** A variable that is set to nothing counts as not set. */
function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
