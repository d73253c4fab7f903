import type { ConfigIssue } from '../stage/component.ts';
import { valueAt } from '../stage/issues.ts';
import { isComponent } from '../stage/source.ts';
import type { Override } from './changes/change.ts';
import { isHalving } from './changes/halving.ts';
import type { Problem } from './problem.ts';
import { inside, walk } from './tree.ts';
import type { Experiment, ExperimentInput } from './types.ts';

/** What is wrong with an experiment and with all components in it, in the order of the declaration. */
export function ownProblems(experiment: Experiment, overrides: readonly Override[]): Problem[] {
  const problems = [
    ...experiment.issues.map((issue) => withValue(issue, [], experiment)),
    ...[...walk(experiment)].flatMap(({ component, path }) =>
      component.issues.map((issue) => withValue(issue, path, component)),
    ),
  ];
  return problems.map((problem) => withOrigin(problem, overrides));
}

/** With the value as it is written, and the path from the experiment. `owner` is what has the issue, at `base`. */
export function withValue(issue: ConfigIssue, base: ConfigIssue['path'], owner: unknown): Problem {
  const value = valueAt(inside(owner), issue.path);
  const { path } = issue;
  // A sweep that is one, with something wrong in it, would be shown with all its points.
  const isSweep = base.length === 0 && path[0] === 'sweep' && (Array.isArray(value) || isHalving(value));
  const hidden = value === undefined || path.length === 0 || isComponent(value) || isSweep;
  const shown = hidden ? {} : { value };
  return { ...issue, path: [...base, ...issue.path], ...shown };
}

/** With the flag that wrote a field last, or something around it, or made it of what it wrote inside. */
export function withOrigin(problem: Problem, overrides: readonly Override[]): Problem {
  const path = problem.path.join('.');
  const isAt = (above: string) => path === above || path.startsWith(`${above}.`);
  const by =
    overrides.findLast((one) => isAt(one.path)) ?? overrides.findLast(({ made }) => made && isAt(made));
  return by === undefined ? problem : { ...problem, origin: by.flag ?? 'set' };
}

// Enumerable, so that `{ ...override(base, ...), name: 'other' }` takes the complaints along; loops don't see symbols.
const key = Symbol.for('peco-exp.refused');

/** Notes changes that could not be made, for the experiment that is made of this input. */
export function refuse(input: ExperimentInput, issues: readonly ConfigIssue[]): ExperimentInput {
  if (issues.length === 0) return input;
  return { ...input, [key]: [...refusedIn(input), ...issues] } as ExperimentInput;
}

export function refusedIn(input: unknown): readonly ConfigIssue[] {
  return (input as { readonly [key]?: readonly ConfigIssue[] } | undefined)?.[key] ?? [];
}
