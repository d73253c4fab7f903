import { canonicalJson } from '../../stage/canonical.ts';
import type { Json } from '../../stage/json.ts';
import { declaredRoles, groupFields, isInRows } from '../../stage/roles.ts';
import { isComponent } from '../../stage/source.ts';
import type { Problem } from '../problem.ts';
import { withValue } from '../problems.ts';
import { get, walk } from '../tree.ts';
import type { Declared } from '../types.ts';
import { findMisdirection } from './assign.ts';
import { halvingProblems } from './check-halving.ts';
import { isHalving, pointsOf } from './halving.ts';
import type { Assignment, FieldPath } from './path.ts';
import { assignmentsOf, assignPoint, componentOf } from './points.ts';
import type { Sweep } from './sweep.ts';

/** Fields of an experiment that declare no components. */
const settings = new Set(['name', 'seeds', 'baseline', 'sweep']);

/** What is wrong with the points of a sweep: paths that lead nowhere, values that don't fit; each told once. */
export function sweepProblems(declared: Declared): Problem[] {
  const { experiment } = declared;
  if (experiment.sweep === undefined) return [];
  const points = pointsOf(experiment.sweep);
  if (!Array.isArray(points) || points.length === 0) {
    const told = experiment.issues.some(({ path, written = path }: Problem) => written[0] === 'sweep');
    return told ? [] : [{ path: ['sweep'], message: 'has no points' }];
  }
  const found: Problem[] = [];
  const good = new Set<string>();
  for (const path of new Set(points.flatMap((point) => Object.keys(point ?? {})))) {
    const problem = findBadPath(declared, path.split('.'));
    if (problem) found.push(placed(problem, path, declared));
    else good.add(path);
  }
  if (isHalving(experiment.sweep)) found.push(...halvingProblems(experiment, good));
  return [...found, ...valueProblems(declared, points, good)];
}

/** The place of a problem that a swept field causes: the flag, or the value in the expression of the sweep. */
function placed(problem: Problem, path: string, { swept }: Declared): Problem {
  if (Object.hasOwn(swept, path)) return { ...problem, origin: 'sweep' };
  const value = problem.value === undefined ? [] : [problem.value as string | number];
  return { ...problem, written: ['sweep', path, ...value] };
}

function findBadPath({ experiment, overrides }: Declared, path: FieldPath): Problem | undefined {
  const inRows = [...declaredRoles('members', 'rows', 'tasks'), ...declaredRoles('one').filter(isInRows)];
  const groups = groupFields(inRows);
  const hint = `sweep fields of ${groups.slice(0, -1).join(', ')} or ${groups.at(-1)}`;
  const [field] = path as [string, ...FieldPath];
  // Other fields say which rows there are and how they are shown.
  const isReported = declaredRoles().some((one) => !isInRows(one) && one.declared.group === field);
  if (settings.has(field) || isReported) return { path, message: `\`${field}\` can't be swept`, hint };
  const problem = findMisdirection(experiment, path, 'swept');
  if (problem) return problem;
  if (componentOf(path) === undefined) return { path, message: "can't be swept", hint };
  const name = path.join('.');
  if (!overrides.some((one) => one.path === name)) return undefined;
  return { path, message: 'is swept, so --set changes nothing', hint: `use --sweep ${name}=...` };
}

/** Every point is checked by the schemas that check the file. */
function valueProblems(declared: Declared, points: Sweep, paths: ReadonlySet<string>): Problem[] {
  const { experiment } = declared;
  const found = new Map<string, Problem>();
  const seen = new Set<unknown>();
  const add = (problem: Problem, path: FieldPath) => {
    const name = `${problem.path.join('.')} ${problem.message} ${JSON.stringify(problem.value)}`;
    if (!found.has(name)) found.set(name, placed(problem, path.join('.'), declared));
  };
  for (const point of points) {
    const assignments = assignmentsOf(point).filter(({ path }) => paths.has(path.join('.')));
    const odd = assignments.filter(({ value }) => !isJson(value));
    for (const { path } of odd)
      add({ path, message: 'a swept value is plain data: numbers, strings, lists' }, path);
    if (odd.length > 0) continue;
    const { tree, problems } = assignPoint(experiment, assignments);
    for (const problem of problems) add(problem, causeOf(problem, assignments));
    for (const path of new Set(assignments.map((one) => componentOf(one.path)!.join('.')))) {
      const component = path.split('.');
      const made = get(tree, component);
      if (seen.has(made)) continue;
      seen.add(made);
      const own = assignments.filter((one) => componentOf(one.path)!.join('.') === path);
      for (const problem of newProblems(get(experiment, component), made, component))
        add(problem, causeOf(problem, own));
    }
  }
  return [...found.values()];
}

/** An issue about another field, such as a relation between two, is due to one of the component's swept fields. */
function causeOf({ path }: Problem, assignments: readonly Assignment[]): FieldPath {
  const field = `${path.join('.')}.`;
  const cause = assignments.find((one) => field.startsWith(`${one.path.join('.')}.`));
  return (cause ?? assignments[0]!).path;
}

/** Problems of a component with swept values that the declared one doesn't have, those of nested ones included. */
function newProblems(base: unknown, made: unknown, path: FieldPath): Problem[] {
  const name = ({ path: field, message }: Problem) => `${field.join('.')} ${message}`;
  const old = new Set(problemsIn(base, path).map(name));
  return problemsIn(made, path).filter((problem) => !old.has(name(problem)));
}

function problemsIn(value: unknown, path: FieldPath): Problem[] {
  return [...walk(value, path)].flatMap(({ component, path: place }) =>
    component.issues.map((issue) => withValue(issue, place, component)),
  );
}

function isJson(value: unknown): boolean {
  try {
    canonicalJson(value as Json);
    return !isComponent(value);
  } catch {
    return false;
  }
}
