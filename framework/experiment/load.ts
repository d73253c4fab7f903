import { canonicalJson } from '../stage/canonical.ts';
import type { Component } from '../stage/component.ts';
import { listedLooks } from '../stage/disk.ts';
import type { PecoError } from '../stage/errors.ts';
import { change } from './changes/apply.ts';
import { changesOf, smokeChange } from './changes/change.ts';
import { makePointsBy } from './changes/points.ts';
import { check } from './check.ts';
import { fieldsOf } from './missing.ts';
import type { Problem } from './problem.ts';
import { type ReadExperiment, readAgain, readExperiment } from './read.ts';
import { reportProblems } from './report.ts';
import { describeExperiment } from './resolved.ts';
import { smokeComponent, smokeExperiment } from './smoke.ts';
import { set } from './tree.ts';
import type { Experiment, LoadedExperiment, LoadOptions } from './types.ts';

export type { Override } from './changes/change.ts';
export type { LoadedExperiment, LoadOptions } from './types.ts';

/**
 * Loads an experiment file: reads it, makes it small for a smoke run, changes it by `--tasks`, `--set`, `--seeds` and `--sweep`, checks
 * everything.
 *
 * @throws PecoError with all that is wrong as its `problems`, each with the path in the config, `file:line` and a hint; also
 *   with all that is missing, unless `goOn` says that the caller does without
 */
export async function loadExperiment(file: string, options: LoadOptions): Promise<LoadedExperiment> {
  const read = await readExperiment(file, options.cwd);
  const { declared, unchanged } = options.smoke
    ? await smoked(read, options)
    : { declared: change(read, options), unchanged: [] };
  const found = await check(declared, options.cwd);
  const problems = options.smoke ? found.map(remarkSize) : found;
  const isFatal = problems.some(({ missing }) => !missing) || !options.goOn;
  if (problems.length > 0 && isFatal) throw await reportProblems(problems, read);
  const again = await readAgain(read);
  if (again.problems.length > 0) throw await reportProblems(again.problems, read);
  const { experiment, overrides, swept, asked, bundle, environment } = declared;
  const isSame = overrides.length === 0 && Object.keys(swept).length === 0;
  const changes = isSame || isSameExperiment(read.experiment, experiment) ? [] : changesOf(overrides, swept);
  return {
    file: declared.file,
    asked,
    experiment,
    sources: Object.keys(bundle.sources).sort(),
    bundle: bundle.path,
    overrides,
    changes: options.smoke ? [smokeChange, ...changes] : changes,
    ...(options.smoke ? { smoke: { unchanged } } : {}),
    missing: await missingParts(problems, read),
    environment,
    consulted: again.consulted,
    looks: listedLooks(),
    unbounded: again.unbounded,
  };
}

interface SmokedFile {
  readonly declared: ReadExperiment;
  readonly unchanged: readonly string[];
}

/** Makes an experiment small, which must be right at its own size; flags change what comes of it. */
async function smoked(read: ReadExperiment, options: LoadOptions): Promise<SmokedFile> {
  // A sweep by flags counts as the file's own: its values are those of the real experiment.
  const { sweep = [], tasks } = options;
  const real = change(read, { sweep, ...(tasks === undefined ? {} : { tasks }) });
  const problems = (await check(real, options.cwd)).filter(({ missing }) => !missing);
  if (problems.length > 0) throw await reportProblems(problems, read);
  const { experiment, smoke, unchanged } = smokeExperiment(real.experiment);
  const { sweep: _counted, tasks: _left, ...flags } = options;
  // What is small may do without the places that the variables name.
  const unset = real.unset.filter((name) => fieldsOf(experiment, name).length > 0);
  const declared = change({ ...real, experiment, unset }, flags);
  const sets = declared.overrides.filter(({ path }) => path !== 'seeds' && path !== 'tasks');
  makePointsBy(declared.experiment, {
    base: smoke.real,
    finish: (component, path) => {
      const own = sets.flatMap(({ path: field, to }) =>
        field.startsWith(`${path.join('.')}.`)
          ? [{ path: field.split('.').slice(path.length), value: to }]
          : [],
      );
      return set(smokeComponent(component, path, smoke), own) as Component;
    },
  });
  return { declared, unchanged };
}

/** The file says another value. */
function remarkSize(problem: Problem): Problem {
  if (problem.origin !== undefined || problem.missing) return problem;
  const remark = 'that is its size in the smoke run, as its `smoke` says; --set changes it';
  return { ...problem, hint: problem.hint === undefined ? remark : `${problem.hint}\n${remark}` };
}

async function missingParts(
  problems: readonly Problem[],
  read: ReadExperiment,
): Promise<readonly PecoError[]> {
  return problems.length === 0 ? [] : (await reportProblems(problems, read)).problems;
}

/** A flag may say what the file says: the value that is written there, or a default. */
function isSameExperiment(a: Experiment, b: Experiment): boolean {
  const [before, after] = [a, b].map((one) => canonicalJson(describeExperiment(one, (file) => file)));
  return before === after;
}
