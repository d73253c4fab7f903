import { canonicalJson } from '../../stage/canonical.ts';
import type { Component } from '../../stage/component.ts';
import { suggest, valueAt } from '../../stage/issues.ts';
import { declaredRoles, groupFields } from '../../stage/roles.ts';
import { isComponent } from '../../stage/source.ts';
import type { Problem } from '../problem.ts';
import { get, holds, inForce, innermost, type Memory, namesInSchema, set, steps } from '../tree.ts';
import type { Experiment } from '../types.ts';
import type { Override } from './change.ts';
import { type Assignment, type FieldPath, findBadElement, findBadName, hasBadName } from './path.ts';
import { expandPath } from './wildcards.ts';

/** What becomes of an experiment's fields, and which assignments were not made, and why. */
export interface Assigned<Tree> {
  readonly tree: Tree;
  readonly problems: readonly Problem[];
}

/**
 * Changes fields: the one way for `--set`, `override` and the points of a sweep. What a schema says of the new values is
 * in the components that come of it.
 *
 * @param tree an experiment, or its fields
 * @param done what happens to the fields, in messages
 */
export function assign<Tree>(
  tree: Tree,
  assignments: readonly Assignment[],
  { done, memory }: { readonly done: 'set' | 'swept'; readonly memory?: Memory },
): Assigned<Tree> {
  const problems = assignments.flatMap(
    ({ path, value }) => findMisdirection(tree, path, done) ?? findBadValue(path, value) ?? [],
  );
  if (problems.length > 0) return { tree, problems };
  const made = set(tree, assignments, memory) as Tree;
  const ignored = assignments.flatMap(({ path }) => {
    if (!mayBeIgnored(made, path)) return [];
    const others = assignments.filter((one) => one.path !== path);
    return explainIgnored(set(tree, others, memory), made, path) ?? [];
  });
  return ignored.length > 0 ? { tree, problems: ignored } : { tree: made, problems };
}

/**
 * Assignments to an experiment one by one, each on what came of those before; those that can't be made are left out. A path
 * may have wildcards.
 */
export function assignInTurn<E extends Experiment>(
  experiment: E,
  assignments: readonly Assignment[],
): Assigned<E> & { readonly overrides: readonly Override[] } {
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  let tree = experiment;
  for (const { path: written, value } of assignments) {
    const expanded = expandPath(tree, written);
    if ('message' in expanded) {
      problems.push({ ...expanded, written });
      continue;
    }
    for (const path of expanded) {
      const assigned = assign(tree, [{ path, value }], { done: 'set' });
      problems.push(...assigned.problems.map((problem) => ({ ...problem, written })));
      if (assigned.problems.length > 0) continue;
      overrides.push({ ...describeOverride(tree, path), to: value });
      tree = assigned.tree;
    }
  }
  return { tree, problems, overrides };
}

function describeOverride(tree: unknown, path: FieldPath): Omit<Override, 'to'> {
  const made = findMade(tree, path);
  return {
    path: path.join('.'),
    from: inForce(tree, path) ?? null,
    ...(made === undefined ? {} : { made: made.join('.') }),
  };
}

/** The outermost field on the way that becomes an object by an assignment: it is absent, or something else. */
function findMade(tree: unknown, path: FieldPath): FieldPath | undefined {
  for (const step of steps(tree, path))
    if (!holds(step.holder, step.path.at(-1)!)) return step.path.slice(0, -1);
  return undefined;
}

/** Says what is wrong with a path that leads nowhere. Which fields a component has is its schema's business. */
export function findMisdirection(tree: unknown, path: FieldPath, done: 'set' | 'swept'): Problem | undefined {
  const bad = findBadName(path);
  if (bad) return bad;
  let inComponent = false;
  for (const step of steps(tree, path)) {
    const { holder } = step;
    inComponent = step.inComponent;
    if (Array.isArray(holder)) {
      const problem = findBadElement(holder, step.path);
      if (problem) return problem;
    } else if (!inComponent && (step.path.length === 1 || isGroup(path[0]!))) {
      const names = typeof holder === 'object' && holder !== null ? Object.keys(holder) : [];
      if (!names.includes(step.path.at(-1)!)) return unknownPath(step.path, names);
    }
  }
  return inComponent ? undefined : findWhole(get(tree, path), path, done);
}

/** Components and groups of them are declared in a file, not by assignments. */
function findWhole(value: unknown, path: FieldPath, done: 'set' | 'swept'): Problem | undefined {
  if (!isComponent(value) && !isGroup(path.at(-1)!)) return undefined;
  const fields = isComponent(value) ? Object.keys(value.config) : Object.keys(value as object);
  const verb = done === 'set' ? 'set' : 'sweep';
  const hint = `${verb} one of its fields: ${fields.map((field) => `${path.join('.')}.${field}`).join(', ')}`;
  const what = isComponent(value) ? value.role : 'group';
  return { path, message: `a whole ${what} can't be ${done}`, hint };
}

/** A field that holds components by name: nothing can be added to it. */
function isGroup(field: string): boolean {
  return groupFields(declaredRoles('members', 'rows', 'tasks')).includes(field);
}

/** Says what is wrong with a value that came from outside, whatever field it is for. */
function findBadValue(path: FieldPath, value: unknown): Problem | undefined {
  if (!hasBadName(value)) return undefined;
  return { path, message: 'has a name in it that no field can have: __proto__, constructor or prototype' };
}

function unknownPath(path: FieldPath, names: readonly string[]): Problem {
  const hint = suggest(path.at(-1)!, names);
  return { path, message: 'there is no such field', ...(hint ? { hint } : {}) };
}

/**
 * Whether a component may have taken no notice of a field, although it found nothing wrong: a schema that isn't strict
 * drops fields that it doesn't know.
 */
function mayBeIgnored(made: unknown, path: FieldPath): boolean {
  const found = innermost(made, path);
  if (!found || found.rest.length === 0 || found.component.issues.length > 0) return false;
  const { component, rest } = found;
  return valueAt(component.config, rest) === undefined && !isKnown(component, rest);
}

/** It did if the component means the same without the field. To give a field the value that it has is fine. */
function explainIgnored(without: unknown, made: unknown, path: FieldPath): Problem | undefined {
  const { component, rest } = innermost(made, path)!;
  const old = innermost(without, path);
  if (!old || meaningOf(old.component) !== meaningOf(component)) return undefined;
  const parent = valueAt(component.config, rest.slice(0, -1));
  return unknownPath(path, typeof parent === 'object' && parent !== null ? Object.keys(parent) : []);
}

/** Whether the schema has the field, or one above it that is absent. */
function isKnown(component: Component, path: FieldPath): boolean {
  const { config } = component;
  const absent = path.findIndex((_, index) => valueAt(config, path.slice(0, index + 1)) === undefined);
  return namesInSchema(component, path.slice(0, absent)).includes(String(path[absent]));
}

/** What results are made of: a change that leaves this as it is changes nothing. */
function meaningOf({ kind, config, files, inputs }: Component): string {
  const nested = Object.entries(inputs).map(([name, input]) => `${name} ${meaningOf(input)}`);
  return [kind, canonicalJson(config), canonicalJson(files), ...nested].join('\n');
}
