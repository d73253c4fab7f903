import { canonicalJson } from '../../stage/canonical.ts';
import type { Component } from '../../stage/component.ts';
import { fieldsAt, valueAt } from '../../stage/issues.ts';
import { isComponent, sourceOf } from '../../stage/source.ts';
import type { Problem } from '../problem.ts';
import { type FieldPath, unknownPath } from './assign.ts';

/**
 * A change that a component took no notice of, although it found nothing wrong: a schema that isn't strict drops fields
 * that it doesn't know. Setting a field to the value that it has is fine.
 *
 * @param before the component or experiment in which the field was changed
 * @param after what came of it
 */
export function findIgnored(before: unknown, after: unknown, path: FieldPath): Problem | undefined {
  const old = innermost(before, path);
  const made = innermost(after, path);
  if (!old || !made || made.rest.length === 0 || made.component.issues.length > 0) return undefined;
  const { component, rest } = made;
  const { config } = component;
  if (valueAt(config, rest) !== undefined || isKnown(component, rest)) return undefined;
  if (meaningOf(old.component) !== meaningOf(component)) return undefined;
  const parent = valueAt(config, rest.slice(0, -1));
  return unknownPath(path, typeof parent === 'object' && parent !== null ? Object.keys(parent) : []);
}

/** The deepest component on a path, and the rest of the path in it. */
function innermost(
  root: unknown,
  path: FieldPath,
): { readonly component: Component; readonly rest: FieldPath } | undefined {
  let found = isComponent(root) ? { component: root, rest: path } : undefined;
  let value = sourceOf(root)?.input;
  for (const [depth, key] of path.entries()) {
    value = valueAt(value, [key]);
    if (!isComponent(value)) continue;
    found = { component: value, rest: path.slice(depth + 1) };
    value = sourceOf(value)?.input;
  }
  return found;
}

/** Whether the schema has the field, or one above it that is absent. */
function isKnown(component: Component, path: FieldPath): boolean {
  const schema = sourceOf(component)?.schema;
  if (!schema) return false;
  const absent = path.findIndex(
    (_, index) => valueAt(component.config, path.slice(0, index + 1)) === undefined,
  );
  return fieldsAt(schema, path.slice(0, absent)).includes(String(path[absent]));
}

/** What results are made of: a change that leaves this as it is changes nothing. */
function meaningOf({ kind, config, files, inputs }: Component): string {
  const nested = Object.entries(inputs).map(([name, input]) => `${name} ${meaningOf(input)}`);
  return [kind, canonicalJson(config), canonicalJson(files), ...nested].join('\n');
}
