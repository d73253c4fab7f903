import fs from 'node:fs';
import type { Component, ConfigIssue } from '../stage/component.ts';
import { PecoError, type SourceLocation } from '../stage/errors.ts';
import { valueAt } from '../stage/issues.ts';
import { showValue } from '../stage/show.ts';
import { isComponent, sourceOf } from '../stage/source.ts';
import type { Override } from './changes/change.ts';
import { isHalving } from './changes/halving.ts';
import { shellHint } from './changes/shell.ts';
import type { Problem } from './problem.ts';
import type { Experiment } from './types.ts';

/** What is wrong with an experiment and with all components in it, in the order of the declaration. */
export function collectProblems(experiment: Experiment, overrides: readonly Override[]): Problem[] {
  const input = sourceOf(experiment)?.input;
  const problems = [
    ...experiment.issues.map((issue) => withValue(issue, [], input)),
    ...[...componentsIn(input)].flatMap(({ component, path }) =>
      component.issues.map((issue) => withValue(issue, path, sourceOf(component)?.input)),
    ),
  ];
  return problems.map((problem) =>
    isOverridden(problem, overrides) ? { ...problem, origin: 'set' as const } : problem,
  );
}

/** Files of data that are not there: told at once and with their places, not when a stage is planned that needs them. */
export function missingFiles(experiment: Experiment): Problem[] {
  const hint = 'check the path in its config';
  return [...componentsIn(sourceOf(experiment)?.input)].flatMap(({ component, path }) =>
    Object.values(component.files)
      .filter((file) => !fs.existsSync(file))
      .map((file) => ({ path, message: `needs ${file}, which is not there`, hint })),
  );
}

export interface Declared {
  readonly component: Component;
  readonly path: ConfigIssue['path'];
}

/** All components, nested ones after those that they are in; one that is used twice is there once. */
export function* componentsIn(
  value: unknown,
  path: ConfigIssue['path'] = [],
  seen: Set<unknown> = new Set(),
): Iterable<Declared> {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (isComponent(value)) {
    yield { component: value, path };
    yield* componentsIn(sourceOf(value)?.input, path, seen);
    return;
  }
  for (const [key, item] of Object.entries(value))
    yield* componentsIn(item, [...path, Array.isArray(value) ? Number(key) : key], seen);
}

/** One error for all problems, each with its place in the source. */
export async function reportProblems(
  problems: readonly Problem[],
  options: { readonly file: string; readonly shown: string; readonly cwd: string },
): Promise<PecoError> {
  const { createLocator } = await import('./locate.ts');
  const locate = createLocator(options.file, options.cwd);
  const located = problems.map((problem) => ({
    problem,
    location: problem.origin === undefined ? locate(problem.written ?? problem.path) : undefined,
  }));
  const errors = mergeEqual(located).map(({ problem, location, also }) =>
    describeProblem(problem, location, also),
  );
  const count = errors.length === 1 ? 'a problem' : `${errors.length} problems`;
  return new PecoError(`${options.shown} has ${count}`, { code: 'invalid-experiment', problems: errors });
}

interface LocatedProblem {
  readonly problem: Problem;
  readonly location: SourceLocation | undefined;
}

/** A constant that several components use is wrong once, however many of them complain. */
function mergeEqual(located: readonly LocatedProblem[]): (LocatedProblem & { readonly also: number })[] {
  const groups = new Map<string, LocatedProblem[]>();
  for (const item of located) {
    const { problem, location } = item;
    const place = location ? `${location.file}:${location.line}:${location.column}` : problem.path.join('.');
    // Values of --sweep have no place that tells them apart.
    const value = problem.origin === 'sweep' ? JSON.stringify(problem.value) : '';
    const name = `${place} ${String(problem.path.at(-1))} ${problem.message} ${value}`;
    groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return [...groups.values()].map((group) => ({ ...group[0]!, also: group.length - 1 }));
}

function describeProblem(problem: Problem, location: SourceLocation | undefined, also: number): PecoError {
  const { path, message, hint, value, origin, byDefault } = problem;
  const got = value === undefined ? '' : `, got ${showValue(value)}${byDefault ? ' (the default)' : ''}`;
  const from = origin !== undefined && path.length > 0 ? ` (from --${origin})` : '';
  const others = also > 0 ? ` and ${also} more` : '';
  const where = path.length > 0 ? `${path.join('.')}${others}: ` : '';
  const hints = [hint, shellHint(problem)].filter((line) => line !== undefined);
  return new PecoError(`${where}${message}${got}${from}`, {
    code: 'invalid-config',
    ...(hints.length === 0 ? {} : { hint: hints.join('\n  ') }),
    ...(location ? { location } : {}),
  });
}

export function withValue(issue: ConfigIssue, base: ConfigIssue['path'], input: unknown): Problem {
  const value = valueAt(input, issue.path);
  const { path } = issue;
  // A sweep that is one, with something wrong in it, would be shown with all its points.
  const isSweep = base.length === 0 && path[0] === 'sweep' && (Array.isArray(value) || isHalving(value));
  const hidden = value === undefined || path.length === 0 || isComponent(value) || isSweep;
  const shown = hidden ? {} : { value };
  return { ...issue, path: [...base, ...issue.path], ...shown };
}

/** True if --set wrote a field, or something around it, or made it of what it wrote inside. */
export function isOverridden(problem: Problem, overrides: readonly Override[]): boolean {
  const path = problem.path.join('.');
  const isAt = (above: string) => path === above || path.startsWith(`${above}.`);
  return overrides.some((override) => isAt(override.made ?? override.path));
}
