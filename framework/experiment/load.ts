import fs from 'node:fs';
import path from 'node:path';
import { evaluateBundle } from '../code/evaluate.ts';
import { loadBundles, type StoredBundle } from '../code/stored-bundles.ts';
import { showPath } from '../files/show-path.ts';
import { canonicalJson } from '../stage/canonical.ts';
import { forgetLooks, listedLooks } from '../stage/disk.ts';
import { PecoError } from '../stage/errors.ts';
import { isComponent, sourceOf } from '../stage/source.ts';
import { changesOf } from './changes/change.ts';
import { applySweepFlags, sweepProblems } from './changes/check.ts';
import { applyOverrides } from './changes/override.ts';
import { compareEvaluations, inAnotherWorld } from './deterministic.ts';
import { forgetEnvironment, listedEnvironment } from './environment.ts';
import { checkFile } from './file.ts';
import { implementationProblems } from './implementations.ts';
import type { Problem } from './problem.ts';
import { collectProblems, missingFiles, reportProblems } from './problems.ts';
import { describeExperiment } from './resolved.ts';
import type { Experiment, LoadedExperiment, LoadOptions } from './types.ts';
import { wiringProblems } from './wiring.ts';

export type { Override } from './changes/change.ts';
export type { LoadedExperiment, LoadOptions } from './types.ts';

/**
 * Loads an experiment file: bundles and evaluates it, applies `--set` and `--sweep`, checks everything.
 *
 * @throws PecoError with all that is wrong as its `problems`, each with the path in the config, `file:line` and a hint
 */
export async function loadExperiment(file: string, options: LoadOptions): Promise<LoadedExperiment> {
  const asked = path.resolve(options.cwd, file);
  const shown = showPath(asked, options.cwd);
  checkFile(asked, shown);
  // What it imports is found from where it really is, as Node does it.
  const absolute = fs.realpathSync(asked);
  const bundle = (await loadBundles([absolute], options.cwd)).get(absolute)!;
  forgetEnvironment();
  forgetLooks();
  const written = asExperiment(await evaluateBundle(bundle, { shown, cwd: options.cwd }), shown);
  const environment = listedEnvironment();
  const changed = applyOverrides(written, options);
  const { overrides } = changed;
  const swept = applySweepFlags(changed.experiment, options.sweep ?? []);
  const declared = swept.experiment;
  const problems: Problem[] = [
    ...changed.problems,
    ...swept.problems,
    ...collectProblems(declared, overrides),
    ...sweepProblems(declared, { flags: swept.flags, overrides }),
  ];
  if (problems.length === 0) {
    problems.push(
      ...missingFiles(declared),
      ...(await implementationProblems(declared, options.cwd)),
      ...wiringProblems(declared, overrides),
    );
  }
  let again: Again = { problems: [], consulted: [], unbounded: false };
  if (problems.length === 0) {
    again = await evaluateAgain(written, bundle, { shown, cwd: options.cwd });
    problems.push(...again.problems);
  }
  if (problems.length > 0) throw await reportProblems(problems, { file: absolute, shown, cwd: options.cwd });
  return {
    file: absolute,
    asked,
    experiment: declared,
    sources: Object.keys(bundle.sources).sort(),
    bundle: bundle.path,
    overrides,
    changes: isSameExperiment(written, declared) ? [] : changesOf(overrides, swept.flags),
    environment,
    consulted: again.consulted,
    looks: listedLooks(),
    unbounded: again.unbounded,
  };
}

/** A flag may say what the file says: the value that is written there, or a default. */
function isSameExperiment(a: Experiment, b: Experiment): boolean {
  const [before, after] = [a, b].map((one) => canonicalJson(describeExperiment(one, (file) => file)));
  return before === after;
}

interface Again {
  readonly problems: readonly Problem[];
  /** Variables that were read without `env`. */
  readonly consulted: readonly string[];
  readonly unbounded: boolean;
}

/** An experiment must be the same whenever and wherever its file is evaluated: else its keys mean nothing. */
async function evaluateAgain(
  first: Experiment,
  bundle: StoredBundle,
  options: { readonly shown: string; readonly cwd: string },
): Promise<Again> {
  const { result, hidden, unset, unbounded } = await inAnotherWorld(() => evaluateBundle(bundle, options));
  const problems = compareEvaluations(first, asExperiment(result, options.shown), hidden);
  return { problems, consulted: [...hidden, ...unset], unbounded };
}

function asExperiment(exported: { readonly [name: string]: unknown }, shown: string): Experiment {
  const hint = 'write `export default defineExperiment({ ... })`';
  if (!('default' in exported)) {
    throw new PecoError(`${shown} has no default export`, { code: 'invalid-experiment', hint });
  }
  const value = exported.default;
  // Whatever `defineExperiment` was given, what it returns knows what it was made from.
  if (sourceOf(value) !== undefined && !isComponent(value)) return value as Experiment;
  throw new PecoError(`the default export of ${shown} is not an experiment`, {
    code: 'invalid-experiment',
    hint,
  });
}
