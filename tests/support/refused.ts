import { applySweepFlags, sweepProblems } from '../../framework/experiment/changes/check.ts';
import { applyOverrides } from '../../framework/experiment/changes/override.ts';
import type { Problem } from '../../framework/experiment/problem.ts';
import { collectProblems } from '../../framework/experiment/problems.ts';
import type { Experiment } from '../../framework/experiment/types.ts';
import { wiringProblems } from '../../framework/experiment/wiring.ts';

interface Changes {
  readonly set?: readonly string[];
  readonly sweep?: readonly string[];
}

/** What loading an experiment complains of, without its file: the checks between its evaluation and its plan. */
export function findProblems(experiment: Experiment, { set = [], sweep = [] }: Changes = {}): Problem[] {
  const changed = applyOverrides(experiment, { set });
  const swept = applySweepFlags(changed.experiment, sweep);
  const { overrides } = changed;
  const problems: Problem[] = [
    ...changed.problems,
    ...swept.problems,
    ...collectProblems(swept.experiment, overrides),
    ...sweepProblems(swept.experiment, { flags: swept.flags, overrides }),
  ];
  return problems.length > 0 ? problems : wiringProblems(swept.experiment, overrides);
}

/** One line a problem: `path: message, got value (hint)`. */
export function refusals(experiment: Experiment, changes: Changes = {}): string[] {
  return findProblems(experiment, changes).map(({ path, message, value, hint }) => {
    const got = value === undefined ? '' : `, got ${JSON.stringify(value)}`;
    return `${path.join('.')}: ${message}${got}${hint === undefined ? '' : ` (${hint})`}`;
  });
}
