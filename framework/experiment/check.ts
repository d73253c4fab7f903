import { sweepProblems } from './changes/check.ts';
import { implementationProblems, missingFiles } from './implementations.ts';
import type { Problem } from './problem.ts';
import { ownProblems } from './problems.ts';
import type { Declared } from './types.ts';
import { wiringProblems } from './wiring.ts';

/** All that is wrong with an experiment. What the parts expect of each other is checked once all of them are right. */
export async function check(declared: Declared, cwd: string): Promise<readonly Problem[]> {
  const problems = fieldProblems(declared);
  if (problems.length > 0) return problems;
  const { experiment } = declared;
  return [
    ...missingFiles(experiment),
    ...(await implementationProblems(experiment, cwd)),
    ...wiringProblems(declared),
  ];
}

/** What is wrong with fields by themselves, with flags and with the points of a sweep. */
export function fieldProblems(declared: Declared): readonly Problem[] {
  const { experiment, overrides, problems } = declared;
  return [...problems, ...ownProblems(experiment, overrides), ...sweepProblems(declared)];
}
