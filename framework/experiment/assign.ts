import { suggest, valueAt } from '../stage/issues.ts';
import type { Json } from '../stage/json.ts';
import { isComponent, sourceOf } from '../stage/source.ts';
import type { Problem } from './problems.ts';
import type { Experiment } from './types.ts';

export type FieldPath = readonly string[];

/** A field and its new value. */
export interface Assignment {
  readonly path: FieldPath;
  readonly value: Json;
}

/** Groups of an experiment whose members have names of the user's choice: nothing can be added to them. */
const groups = new Set(['data', 'tokenizers', 'pretraining', 'downstream', 'scratch']);

/**
 * Says what is wrong with a path that leads nowhere. Paths inside a component are its schema's business.
 *
 * @param done what happens to the field
 */
export function findMisdirection(
  experiment: Experiment,
  path: FieldPath,
  done: 'set' | 'swept',
): Problem | undefined {
  let value: unknown = sourceOf(experiment)!.input;
  for (const [depth, key] of path.entries()) {
    if (isComponent(value)) return undefined;
    const names = typeof value === 'object' && value !== null ? Object.keys(value) : [];
    if (depth === 0 && !names.includes(key)) return unknownPath(path.slice(0, 1), names);
    if (depth > 0 && groups.has(path[0]!) && !names.includes(key))
      return unknownPath(path.slice(0, depth + 1), names);
    value = valueAt(value, [key]);
  }
  if (isComponent(value) || groups.has(path.at(-1)!)) {
    const fields = isComponent(value) ? Object.keys(value.config) : Object.keys(value as object);
    const verb = done === 'set' ? 'set' : 'sweep';
    const hint = `${verb} one of its fields: ${fields.map((field) => `${path.join('.')}.${field}`).join(', ')}`;
    const what = isComponent(value) ? value.role : 'group';
    return { path, message: `a whole ${what} can't be ${done}`, hint };
  }
  return undefined;
}

/** The outermost field on the way that `replaceAll` would make an object of: it is absent, or something else. */
export function findMade(experiment: Experiment, path: FieldPath): FieldPath | undefined {
  let value: unknown = experiment;
  for (const [depth, key] of path.entries()) {
    const input = sourceOf(value)?.input ?? value;
    const fits =
      typeof input === 'object' &&
      input !== null &&
      !(Array.isArray(input) && !(Number(key) <= input.length));
    if (!fits) return path.slice(0, depth);
    value = valueAt(input, [key]);
  }
  return undefined;
}

function unknownPath(path: FieldPath, names: readonly string[]): Problem {
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
  if (source !== undefined) return source.construct(replaceAll(source.input, changes));
  const byKey = new Map<string, Assignment[]>();
  for (const { path, value: to } of changes) {
    const [key, ...rest] = path;
    const group = byKey.get(key!) ?? [];
    group.push({ path: rest, value: to });
    byKey.set(key!, group);
  }
  if (Array.isArray(value) && [...byKey.keys()].every((key) => Number(key) <= value.length)) {
    const items: unknown[] = [...value];
    for (const [key, inner] of byKey) items[Number(key)] = replaceAll(value[Number(key)], inner);
    return items;
  }
  const record: { [key: string]: unknown } = typeof value === 'object' && value !== null ? { ...value } : {};
  for (const [key, inner] of byKey) record[key] = replaceAll(record[key], inner);
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
