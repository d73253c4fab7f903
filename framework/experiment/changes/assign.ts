import type { Component } from '../../stage/component.ts';
import { suggest, valueAt } from '../../stage/issues.ts';
import type { Json } from '../../stage/json.ts';
import { declaredRoles, groupFields } from '../../stage/roles.ts';
import { isComponent, sourceOf } from '../../stage/source.ts';
import type { Problem } from '../problem.ts';
import type { Experiment } from '../types.ts';
import { elementAt, type FieldPath, findBadElement, findBadName, hasBadName } from './path.ts';

export type { FieldPath } from './path.ts';

/** A field and its new value. */
export interface Assignment {
  readonly path: FieldPath;
  readonly value: Json;
}

/**
 * Says what is wrong with a path that leads nowhere: the same for `--set`, `override` and sweeps. Which fields there are
 * inside a component is its schema's business; see `findIgnored`.
 *
 * @param done what happens to the field
 */
export function findMisdirection(
  experiment: Experiment,
  path: FieldPath,
  done: 'set' | 'swept',
): Problem | undefined {
  const bad = findBadName(path);
  if (bad) return bad;
  let value: unknown = sourceOf(experiment)!.input;
  let inside = false;
  for (const [depth, key] of path.entries()) {
    const upTo = path.slice(0, depth + 1);
    if (isComponent(value)) {
      inside = true;
      value = withLists(value, path.slice(depth));
    }
    if (Array.isArray(value)) {
      const problem = findBadElement(value, upTo);
      if (problem) return problem;
    } else if (!inside && (depth === 0 || isGroup(path[0]!))) {
      const names = typeof value === 'object' && value !== null ? Object.keys(value) : [];
      if (!names.includes(key)) return unknownPath(upTo, names);
    }
    value = valueAt(value, [key]);
  }
  if (!inside && (isComponent(value) || isGroup(path.at(-1)!))) {
    const fields = isComponent(value) ? Object.keys(value.config) : Object.keys(value as object);
    const verb = done === 'set' ? 'set' : 'sweep';
    const hint = `${verb} one of its fields: ${fields.map((field) => `${path.join('.')}.${field}`).join(', ')}`;
    const what = isComponent(value) ? value.role : 'group';
    return { path, message: `a whole ${what} can't be ${done}`, hint };
  }
  return undefined;
}

/** A field that holds components by name: nothing can be added to it. */
function isGroup(field: string): boolean {
  return groupFields(declaredRoles('members', 'rows', 'tasks')).includes(field);
}

/** Says what is wrong with a value that came from outside, whatever field it is for. */
export function findBadValue(path: FieldPath, value: unknown): Problem | undefined {
  if (!hasBadName(value)) return undefined;
  return { path, message: 'has a name in it that no field can have: __proto__, constructor or prototype' };
}

/** The outermost field on the way that `replaceAll` would make an object of: it is absent, or something else. */
export function findMade(experiment: Experiment, path: FieldPath): FieldPath | undefined {
  let value: unknown = experiment;
  for (const [depth, key] of path.entries()) {
    const input = isComponent(value)
      ? withLists(value, path.slice(depth))
      : (sourceOf(value)?.input ?? value);
    const fits =
      typeof input === 'object' && input !== null && !(Array.isArray(input) && !isPlace(input, key));
    if (!fits) return path.slice(0, depth);
    value = valueAt(input, [key]);
  }
  return undefined;
}

export function unknownPath(path: FieldPath, names: readonly string[]): Problem {
  const hint = suggest(path.at(-1)!, names);
  return { path, message: 'there is no such field', ...(hint ? { hint } : {}) };
}

/** A copy with fields changed; components and experiments on the way are made again by their constructors, once. */
export function replaceAll(value: unknown, changes: readonly Assignment[]): unknown {
  if (changes.length === 0) return value;
  const whole = changes.findLast(({ path }) => path.length === 0);
  if (whole !== undefined) {
    return replaceAll(
      whole.value,
      changes.filter(({ path }) => path.length > 0),
    );
  }
  const source = sourceOf(value);
  if (source !== undefined) {
    const input = isComponent(value)
      ? changes.reduce((written, { path }) => withLists(value, path, written), source.input)
      : source.input;
    return source.construct(replaceAll(input, changes));
  }
  const byKey = new Map<string, Assignment[]>();
  for (const { path, value: to } of changes) {
    const [key, ...rest] = path;
    const group = byKey.get(key!) ?? [];
    group.push({ path: rest, value: to });
    byKey.set(key!, group);
  }
  if (Array.isArray(value) && [...byKey.keys()].every((key) => isPlace(value, key))) {
    const items: unknown[] = [...value];
    for (const [key, inner] of byKey) items[Number(key)] = replaceAll(value[Number(key)], inner);
    return items;
  }
  const record: { [key: string]: unknown } = typeof value === 'object' && value !== null ? { ...value } : {};
  for (const [key, inner] of byKey) record[key] = replaceAll(valueAt(record, [key]), inner);
  return record;
}

/** The value as it was in force, defaults included; null where there was none. */
export function readValue(experiment: Experiment, path: FieldPath): Json {
  const input = sourceOf(experiment)!.input;
  return readComponentValue(input, path) ?? ((valueAt(input, path) ?? null) as Json);
}

/** Configs have the defaults but not the nested components, inputs have it the other way round. */
function readComponentValue(input: unknown, path: FieldPath): Json | undefined {
  for (let depth = 1; depth <= path.length; depth++) {
    const nested = valueAt(input, path.slice(0, depth));
    if (!isComponent(nested)) continue;
    const rest = path.slice(depth);
    const deeper = readComponentValue(sourceOf(nested)?.input, rest);
    return deeper ?? (rest.length === 0 ? nested.kind : ((valueAt(nested.config, rest) ?? null) as Json));
  }
  return undefined;
}

/** An element of a list, or the place after the last one. */
function isPlace(list: readonly unknown[], key: string): boolean {
  const element = elementAt(key);
  return element !== undefined && element <= list.length;
}

/**
 * What a component was made of, with the list that a path leads into where that list is a default: an element of it can
 * be changed only in the whole list.
 */
function withLists(component: Component, path: FieldPath, input = sourceOf(component)?.input): unknown {
  for (let depth = 1; depth < path.length; depth++) {
    const field = path.slice(0, depth);
    if (valueAt(input, field) !== undefined) continue;
    const byDefault = valueAt(component.config, field);
    if (!Array.isArray(byDefault)) continue;
    return replaceAll(input ?? {}, [{ path: field, value: byDefault as Json }]);
  }
  return input;
}
