import { canonicalJson } from '../../stage/canonical.ts';
import type { Component } from '../../stage/component.ts';
import { valueAt } from '../../stage/issues.ts';
import type { Json } from '../../stage/json.ts';
import { declaredRoles, groupFields, isInRows } from '../../stage/roles.ts';
import { isComponent, sourceOf } from '../../stage/source.ts';
import type { Problem } from '../problem.ts';
import { withValue } from '../problems.ts';
import type { Experiment } from '../types.ts';
import { componentOf, createRebuilder } from '../variants.ts';
import { findBadValue, findMisdirection } from './assign.ts';
import type { Override } from './change.ts';
import { halvingProblems } from './check-halving.ts';
import { isHalving, pointsOf } from './halving.ts';
import { findIgnored } from './ignored.ts';
import { parseValue } from './override.ts';
import { findBadName } from './path.ts';
import { sweepOver } from './sweep.ts';

/** Fields of an experiment that declare no components. */
const settings = new Set(['name', 'seeds', 'baseline', 'sweep']);

/** Fields by which `--sweep` changes the experiment, with their values. */
type Flags = { readonly [path: string]: readonly Json[] };

/** The experiment with its own sweep times that of the flags, and what is wrong with the flags. */
export function applySweepFlags(
  experiment: Experiment,
  texts: readonly string[],
): { readonly experiment: Experiment; readonly flags: Flags; readonly problems: readonly Problem[] } {
  const flags: { [path: string]: readonly Json[] } = {};
  const problems: Problem[] = [];
  for (const text of texts) {
    const at = text.indexOf('=');
    const path = text.slice(0, Math.max(0, at)).trim();
    const values = parseValues(text.slice(at + 1));
    const bad = at < 1 ? undefined : findBadName(path.split('.'));
    if (bad && !path.split('.').includes('')) {
      problems.push({ ...bad, origin: 'sweep' });
    } else if (at < 1 || path.split('.').includes('') || values.length === 0) {
      const hint = 'write a path and its values: --sweep tokenizers.peco.codebook.size=256,512';
      problems.push({ path: [], message: `--sweep ${text} is not a list of values`, hint, origin: 'sweep' });
    } else if (Object.hasOwn(flags, path)) {
      problems.push({ path: path.split('.'), message: 'is swept twice', origin: 'sweep' });
    } else {
      flags[path] = values;
    }
  }
  if (Object.keys(flags).length === 0) return { experiment, flags, problems };
  const { sweep } = experiment;
  const points = sweepOver(pointsOf(sweep), flags);
  const changed = isHalving(sweep) ? { ...sweep, points } : points;
  const source = sourceOf(experiment)!;
  const input = { ...(source.input as Experiment), sweep: changed };
  return { experiment: source.construct(input) as Experiment, flags, problems };
}

/** What is wrong with the points of a sweep: paths that lead nowhere, values that don't fit; each told once. */
export function sweepProblems(
  experiment: Experiment,
  changes: { readonly flags: Flags; readonly overrides: readonly Override[] },
): Problem[] {
  if (experiment.sweep === undefined) return [];
  const points = pointsOf(experiment.sweep);
  if (!Array.isArray(points) || points.length === 0) {
    const told = experiment.issues.some(({ path, written = path }: Problem) => written[0] === 'sweep');
    return told ? [] : [{ path: ['sweep'], message: 'has no points' }];
  }
  const problems: Problem[] = [];
  const good = new Set<string>();
  for (const path of new Set(points.flatMap((point) => Object.keys(point ?? {})))) {
    const problem = findBadPath(experiment, path, changes.overrides);
    if (problem) problems.push(place(problem, path));
    else good.add(path);
  }
  if (isHalving(experiment.sweep)) problems.push(...halvingProblems(experiment, good));
  problems.push(...valueProblems(experiment, good, place));
  return problems;

  function place(problem: Problem, path: string): Problem {
    if (Object.hasOwn(changes.flags, path)) return { ...problem, origin: 'sweep' };
    const value = problem.value === undefined ? [] : [problem.value as string | number];
    return { ...problem, written: ['sweep', path, ...value] };
  }
}

function findBadPath(
  experiment: Experiment,
  path: string,
  overrides: readonly Override[],
): Problem | undefined {
  const field = path.split('.');
  const inRows = [...declaredRoles('members', 'rows', 'tasks'), ...declaredRoles('one').filter(isInRows)];
  const fields = groupFields(inRows);
  const hint = `sweep fields of ${fields.slice(0, -1).join(', ')} or ${fields.at(-1)}`;
  // Other fields say which rows there are and how they are shown.
  const isReported = declaredRoles().some((one) => !isInRows(one) && one.declared.group === field[0]);
  if (settings.has(field[0]!) || isReported)
    return { path: field, message: `\`${field[0]}\` can't be swept`, hint };
  const problem = findMisdirection(experiment, field, 'swept');
  if (problem) return problem;
  if (componentOf(field) === undefined) return { path: field, message: "can't be swept", hint };
  if (overrides.some((one) => one.path === path))
    return { path: field, message: 'is swept, so --set changes nothing', hint: `use --sweep ${path}=...` };
  return undefined;
}

/** Every point is checked by the schemas that check the file; a component that many points share is made once. */
function valueProblems(
  experiment: Experiment,
  paths: ReadonlySet<string>,
  place: (problem: Problem, path: string) => Problem,
): Problem[] {
  const rebuild = createRebuilder();
  const found = new Map<string, Problem>();
  const seen = new Set<Component>();
  for (const point of pointsOf(experiment.sweep)) {
    const fields = Object.entries(point)
      .filter(([path]) => paths.has(path))
      .map(([path, value]) => ({ path, value, component: componentOf(path.split('.'))! }));
    const odd = fields.flatMap(({ path, value }) => {
      const problem = oddValue(path.split('.'), value);
      return problem === undefined ? [] : [[path, problem] as const];
    });
    for (const [path, problem] of odd) found.set(`${path} ${problem.message}`, place(problem, path));
    if (odd.length > 0) continue;
    for (const component of new Set(fields.map((field) => field.component))) {
      const base = componentAt(experiment, component);
      const made = rebuild(component, base, fields);
      if (seen.has(made)) continue;
      seen.add(made);
      const own = fields.filter((one) => one.component === component).map(({ path }) => path);
      for (const problem of newProblems(base, made, component.split('.'), own)) {
        // An issue about another field, such as a relation between two, is due to one of the component's swept fields.
        const field = problem.path.join('.');
        const cause = own.find((path) => `${field}.`.startsWith(`${path}.`)) ?? own[0]!;
        const name = `${field} ${problem.message} ${JSON.stringify(problem.value)}`;
        if (!found.has(name)) found.set(name, place(problem, cause));
      }
    }
  }
  return [...found.values()];
}

/** Problems of a component with swept values that the declared one doesn't have, those of nested ones included. */
function newProblems(
  base: Component,
  made: Component,
  path: readonly string[],
  fields: readonly string[],
): Problem[] {
  const name = ({ path: field, message }: Problem) => `${field.join('.')} ${message}`;
  const old = new Set(problemsOfComponent(base, path).map(name));
  const added = problemsOfComponent(made, path).filter((problem) => !old.has(name(problem)));
  const ignored = fields.flatMap((field) => {
    const problem = findIgnored(base, made, field.split('.').slice(path.length));
    return problem === undefined ? [] : [{ ...problem, path: [...path, ...problem.path] }];
  });
  return [...added, ...ignored];
}

function problemsOfComponent(value: unknown, path: Problem['path']): Problem[] {
  if (typeof value !== 'object' || value === null) return [];
  if (isComponent(value)) {
    const given = sourceOf(value)?.input;
    return [
      ...value.issues.map((issue) => withValue(issue, path, given)),
      ...problemsOfComponent(given, path),
    ];
  }
  return Object.entries(value).flatMap(([key, item]) => problemsOfComponent(item, [...path, key]));
}

function componentAt(experiment: Experiment, path: string): Component {
  return valueAt(experiment, path.split('.')) as Component;
}

function oddValue(path: readonly string[], value: unknown): Problem | undefined {
  if (!isJson(value)) return { path, message: 'a swept value is plain data: numbers, strings, lists' };
  return findBadValue(path, value);
}

function isJson(value: unknown): boolean {
  try {
    canonicalJson(value as Json);
    return !isComponent(value);
  } catch {
    return false;
  }
}

/** `256,512`, `a,b`, `["x"],["x","y"]`: JSON between commas or, where it isn't, text. */
function parseValues(text: string): readonly Json[] {
  try {
    return JSON.parse(`[${text}]`) as readonly Json[];
  } catch {
    // Commas within brackets and quotes belong to the value.
    const parts = text.match(/(?:\[[^\]]*\]|\{[^}]*\}|"(?:[^"\\]|\\.)*"|[^,])+/g) ?? [];
    return parts.map((part) => parseValue(part.trim()));
  }
}
