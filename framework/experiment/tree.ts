import { canonicalJson } from '../stage/canonical.ts';
import type { Component } from '../stage/component.ts';
import { fieldsAt, valueAt } from '../stage/issues.ts';
import type { Json } from '../stage/json.ts';
import { isComponent, sourceOf } from '../stage/source.ts';
import { type Assignment, elementAt, type FieldPath } from './changes/path.ts';
import type { Experiment } from './types.ts';

/*
 * The tree of an experiment: its fields as they were written, through components, which are opened by what they were
 * made of. A component's config is no part of it: that has defaults and no nested components.
 */

export type Path = readonly (string | number)[];

/** A component of an experiment, and where it is. */
export interface Placed {
  readonly component: Component;
  readonly path: Path;
}

/** What an experiment or a component was made of, undefined if that isn't known; any other value is itself. */
export function inside(value: unknown): unknown {
  const source = sourceOf(value);
  return source || isComponent(value) ? source?.input : value;
}

/** Whether a value is what `defineExperiment` returns, whatever that was given. */
export function isExperiment(value: unknown): value is Experiment {
  return sourceOf(value) !== undefined && !isComponent(value);
}

/** An experiment or a component like another one, made of something else. */
export function remake<T>(made: T, input: unknown): T {
  return sourceOf(made)!.construct(input) as T;
}

/** All components, nested ones after those that they are in; one that is used twice is there once. */
export function* walk(value: unknown, path: Path = [], seen = new Set<unknown>()): Iterable<Placed> {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (isComponent(value)) yield { component: value, path };
  const fields = inside(value);
  if (typeof fields !== 'object' || fields === null) return;
  for (const [key, item] of Object.entries(fields))
    yield* walk(item, [...path, Array.isArray(fields) ? Number(key) : key], seen);
}

/** The value at a path as it is written; undefined where there is none. */
export function get(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) value = valueAt(inside(value), [key]);
  return value;
}

/** The value at a path as it counts, defaults included: of a component its kind; undefined where there is none. */
export function inForce(root: unknown, path: FieldPath): Json | undefined {
  const found = innermost(root, path);
  if (!found) return get(root, path) as Json | undefined;
  const { component, rest } = found;
  return rest.length === 0 ? component.kind : (valueAt(component.config, rest) as Json | undefined);
}

/** The deepest component on a path, and the rest of the path in it. */
export function innermost(
  root: unknown,
  path: FieldPath,
): { readonly component: Component; readonly rest: FieldPath } | undefined {
  for (let depth = path.length; depth >= 0; depth--) {
    const component = get(root, path.slice(0, depth));
    if (isComponent(component)) return { component, rest: path.slice(depth) };
  }
  return undefined;
}

/** Names that a component's schema has at a path in its config. */
export function namesInSchema(component: Component, path: FieldPath): readonly string[] {
  const schema = sourceOf(component)?.schema;
  return schema ? fieldsAt(schema, path) : [];
}

/** A name of a path, and what it is looked for in. */
export interface Step {
  /** Up to the name, which is the last of it. */
  readonly path: FieldPath;
  /** What `set` changes there: where a list is a default, that list. */
  readonly holder: unknown;
  /** Whether it is in a component, so that a schema says which names there are. */
  readonly inComponent: boolean;
}

export function* steps(root: unknown, path: FieldPath): Iterable<Step> {
  let value = root;
  let inComponent = false;
  for (const [depth, key] of path.entries()) {
    inComponent ||= isComponent(value);
    const holder = isComponent(value) ? withLists(value, path.slice(depth)) : inside(value);
    yield { path: path.slice(0, depth + 1), holder, inComponent };
    value = valueAt(holder, [key]);
  }
}

/** Components that were made by `set`, so that the same changes of the same component make one. */
export type Memory = WeakMap<object, Map<string, object>>;

/**
 * A copy with fields changed. Components and experiments on the way are made again by their constructors, once. What
 * is not there, or holds no fields, becomes an object.
 */
export function set(root: unknown, changes: readonly Assignment[], memory?: Memory): unknown {
  const whole = changes.findLast(({ path }) => path.length === 0);
  if (whole) {
    const others = changes.filter(({ path }) => path.length > 0);
    return set(whole.value, others, memory);
  }
  if (changes.length === 0) return root;
  const source = sourceOf(root);
  if (!source) return setFields(root, changes, memory);
  const made = memory?.get(root as object) ?? new Map<string, object>();
  const name = memory ? canonicalJson(changes as unknown as Json) : '';
  const known = made.get(name);
  if (known) return known;
  const input = isComponent(root)
    ? changes.reduce((written, { path }) => withLists(root, path, written), source.input)
    : source.input;
  const again = source.construct(setFields(input, changes, memory));
  memory?.set(root as object, made.set(name, again));
  return again;
}

function setFields(value: unknown, changes: readonly Assignment[], memory: Memory | undefined): unknown {
  const byKey = new Map<string, Assignment[]>();
  for (const { path, value: to } of changes) {
    const [key, ...rest] = path as [string, ...FieldPath];
    byKey.set(key, [...(byKey.get(key) ?? []), { path: rest, value: to }]);
  }
  if (Array.isArray(value) && [...byKey.keys()].every((key) => isPlace(value, key))) {
    const items: unknown[] = [...value];
    for (const [key, inner] of byKey) items[Number(key)] = set(value[Number(key)], inner, memory);
    return items;
  }
  const record: { [key: string]: unknown } = typeof value === 'object' && value !== null ? { ...value } : {};
  for (const [key, inner] of byKey) record[key] = set(valueAt(record, [key]), inner, memory);
  return record;
}

/** Whether a value has a field of this name, or could get one, without becoming another sort of value. */
export function holds(value: unknown, key: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return !Array.isArray(value) || isPlace(value, key);
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
function withLists(component: Component, path: FieldPath, input = inside(component)): unknown {
  for (let depth = 1; depth < path.length; depth++) {
    const field = path.slice(0, depth);
    if (valueAt(input, field) !== undefined) continue;
    const byDefault = valueAt(component.config, field);
    if (!Array.isArray(byDefault)) continue;
    return setFields(input ?? {}, [{ path: field, value: byDefault as Json }], undefined);
  }
  return input;
}
