import { change } from '../../framework/experiment/changes/apply.ts';
import { fieldProblems } from '../../framework/experiment/check.ts';
import type { Problem } from '../../framework/experiment/problem.ts';
import { declare } from '../../framework/experiment/read.ts';
import type { Experiment } from '../../framework/experiment/types.ts';
import { wiringProblems } from '../../framework/experiment/wiring.ts';

interface Changes {
  readonly set?: readonly string[];
  readonly sweep?: readonly string[];
}

/** What loading an experiment complains of, without its file: the checks between its evaluation and its plan. */
export function findProblems(experiment: Experiment, changes: Changes = {}): readonly Problem[] {
  const declared = change(declare(experiment), changes);
  const problems = fieldProblems(declared);
  return problems.length > 0 ? problems : wiringProblems(declared);
}

/** One line a problem: `path: message, got value (hint)`. */
export function refusals(experiment: Experiment, changes: Changes = {}): string[] {
  return findProblems(experiment, changes).map(({ path, message, value, hint }) => {
    const got = value === undefined ? '' : `, got ${JSON.stringify(value)}`;
    return `${path.join('.')}: ${message}${got}${hint === undefined ? '' : ` (${hint})`}`;
  });
}
