import { sweepProblems } from './changes/check.ts';
import { implementationProblems } from './implementations.ts';
import { explainUnset, missingFiles } from './missing.ts';
import type { Problem } from './problem.ts';
import { ownProblems } from './problems.ts';
import type { Declared } from './types.ts';
import { wiringProblems } from './wiring.ts';

/**
 * All that is wrong with an experiment, data and weights that aren't there included (`missing`). What the parts expect of
 * each other is checked once all of them are right.
 */
export async function check(declared: Declared, cwd: string): Promise<readonly Problem[]> {
  const { experiment } = declared;
  const fields = fieldProblems(declared);
  if (fields.some(({ missing }) => !missing)) return explainUnset(declared, fields);
  return explainUnset(declared, [
    ...fields,
    ...missingFiles(experiment),
    ...(await implementationProblems(experiment, cwd)),
    ...wiringProblems(declared),
  ]);
}

/** What is wrong with fields by themselves, with flags and with the points of a sweep. */
export function fieldProblems(declared: Declared): readonly Problem[] {
  const { experiment, overrides, problems } = declared;
  return [...problems, ...ownProblems(experiment, overrides), ...sweepProblems(declared)];
}
