import fs from 'node:fs';
import path from 'node:path';
import { openProjectCache } from '../code/cache.ts';
import { evaluateBundle } from '../code/evaluate.ts';
import { loadBundles, type StoredBundle } from '../code/stored-bundles.ts';
import { showPath } from '../files/show-path.ts';
import { forgetLooks } from '../stage/disk.ts';
import { PecoError } from '../stage/errors.ts';
import { suggest } from '../stage/issues.ts';
import { keepMade } from '../stage/made.ts';
import { statAt } from '../stage/stat.ts';
import { compareEvaluations, inAnotherWorld } from './deterministic.ts';
import { forgetEnvironment, listedEnvironment, unsetVariables } from './environment.ts';
import type { Problem } from './problem.ts';
import { isExperiment } from './tree.ts';
import type { Declared, Experiment } from './types.ts';

/** An experiment and the file that it comes from. */
export interface ReadExperiment extends Declared {
  /** Absolute, without links. */
  readonly file: string;
  /** The path as it was given, made absolute. */
  readonly asked: string;
  /** The path as people see it. */
  readonly shown: string;
  readonly cwd: string;
  readonly bundle: StoredBundle;
  /** Variables that the file read by `env`, with their values. */
  readonly environment: { readonly [name: string]: string };
}

/**
 * Reads an experiment file: bundles and evaluates it.
 *
 * @throws PecoError where there is no such file, if its code throws, or if it exports no experiment
 */
export async function readExperiment(file: string, cwd: string): Promise<ReadExperiment> {
  const { asked, shown, absolute } = findExperiment(file, cwd);
  const bundle = (await loadBundles([absolute], cwd)).get(absolute)!;
  forgetEnvironment();
  forgetLooks();
  keepMade(path.join(openProjectCache(cwd).dir, 'made'));
  const experiment = asExperiment(await evaluateBundle(bundle, { shown, cwd }), shown);
  const environment = listedEnvironment();
  return { ...declare(experiment), file: absolute, asked, shown, cwd, bundle, environment };
}

/** Where an experiment file is, before anything is done with it. */
export interface ExperimentPlace {
  /** As it was given, made absolute. */
  readonly asked: string;
  /** As people see it. */
  readonly shown: string;
  /** Without links: what it imports is found from where it really is, as Node does it. */
  readonly absolute: string;
}

/** @throws PecoError `missing-file` with the files that could be meant, if nothing is there, a folder, or another kind of file */
export function findExperiment(file: string, cwd: string): ExperimentPlace {
  const asked = path.resolve(cwd, file);
  const shown = showPath(asked, cwd);
  checkFile(asked, shown);
  return { asked, shown, absolute: fs.realpathSync(asked) };
}

/** An experiment as it is, without flags. */
export function declare(experiment: Experiment): Declared {
  return { experiment, overrides: [], swept: {}, problems: [], unset: unsetVariables() };
}

/** What a second reading says of an experiment file. */
export interface Again {
  readonly problems: readonly Problem[];
  /** Variables that were read without `env`. */
  readonly consulted: readonly string[];
  /** True if it asked for more than lists can name: all variables, another machine. */
  readonly unbounded: boolean;
}

/** An experiment must be the same whenever and wherever its file is evaluated: else its keys mean nothing. */
export async function readAgain(first: ReadExperiment): Promise<Again> {
  const { bundle, shown, experiment } = first;
  const { result, hidden, unset, unbounded } = await inAnotherWorld(() => evaluateBundle(bundle, first));
  const problems = compareEvaluations(experiment, asExperiment(result, shown), hidden);
  return { problems, consulted: [...hidden, ...unset], unbounded };
}

function asExperiment(exported: { readonly [name: string]: unknown }, shown: string): Experiment {
  const hint = 'write `export default defineExperiment({ ... })`';
  if (!('default' in exported)) {
    throw new PecoError(`${shown} has no default export`, { code: 'invalid-experiment', hint });
  }
  if (isExperiment(exported.default)) return exported.default;
  throw new PecoError(`the default export of ${shown} is not an experiment`, {
    code: 'invalid-experiment',
    hint,
  });
}

const giveFile = 'give the path of an experiment file';
const mostNamed = 10;

/**
 * Says what is wrong with the path of an experiment file, before anything is done with it.
 *
 * @param shown the path as people see it; empty for the current folder
 * @throws PecoError `missing-file` with the files that could be meant, if nothing is there, or a folder
 */
function checkFile(file: string, shown: string): void {
  const stat = statAt(file);
  if (stat === undefined) {
    const hint = suggest(path.basename(file), scriptsIn(path.dirname(file))) ?? giveFile;
    throw new PecoError(`there is no file ${shown}`, { code: 'missing-file', hint });
  }
  if (!stat.isDirectory()) {
    if (isScript(file)) return;
    const hint = suggest(path.basename(file), scriptsIn(path.dirname(file))) ?? giveFile;
    throw new PecoError(`${shown} is no TypeScript, as experiment files are`, { code: 'missing-file', hint });
  }
  const meant = experimentsIn(file).map((name) => path.join(shown, name));
  const more = meant.length > mostNamed ? ', ...' : '';
  const hint =
    meant.length === 0 ? giveFile : `give one of its files: ${meant.slice(0, mostNamed).join(', ')}${more}`;
  throw new PecoError(`${shown || '.'} is a folder`, { code: 'missing-file', hint });
}

/** Experiment files in a folder, and in its folder `experiments`: relative paths. */
function experimentsIn(dir: string): string[] {
  return ['', 'experiments']
    .flatMap((folder) => scriptsIn(path.join(dir, folder)).map((name) => path.join(folder, name)))
    .filter((name) => looksLikeExperiment(path.join(dir, name)));
}

function looksLikeExperiment(file: string): boolean {
  try {
    const text = fs.readFileSync(file, 'utf8');
    return /\bexport\s+default\b/.test(text) && /\b(defineExperiment|override)\s*[(<]/.test(text);
  } catch {
    return false;
  }
}

function scriptsIn(dir: string): string[] {
  try {
    return fs.readdirSync(dir).filter(isScript);
  } catch {
    return [];
  }
}

function isScript(name: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(name);
}
