import { canonicalJson } from '../stage/canonical.ts';
import { listedLooks } from '../stage/disk.ts';
import { change } from './changes/apply.ts';
import { changesOf } from './changes/change.ts';
import { check } from './check.ts';
import { readAgain, readExperiment } from './read.ts';
import { reportProblems } from './report.ts';
import { describeExperiment } from './resolved.ts';
import type { Experiment, LoadedExperiment, LoadOptions } from './types.ts';

export type { Override } from './changes/change.ts';
export type { LoadedExperiment, LoadOptions } from './types.ts';

/**
 * Loads an experiment file: reads it, changes it by `--set`, `--seeds` and `--sweep`, checks everything.
 *
 * @throws PecoError with all that is wrong as its `problems`, each with the path in the config, `file:line` and a hint
 */
export async function loadExperiment(file: string, options: LoadOptions): Promise<LoadedExperiment> {
  const read = await readExperiment(file, options.cwd);
  const declared = change(read, options);
  const problems = await check(declared, options.cwd);
  if (problems.length > 0) throw await reportProblems(problems, read);
  const again = await readAgain(read);
  if (again.problems.length > 0) throw await reportProblems(again.problems, read);
  const { experiment, overrides, swept, asked, bundle, environment } = declared;
  return {
    file: declared.file,
    asked,
    experiment,
    sources: Object.keys(bundle.sources).sort(),
    bundle: bundle.path,
    overrides,
    changes: isSameExperiment(read.experiment, experiment) ? [] : changesOf(overrides, swept),
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
