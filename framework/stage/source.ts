import type { z } from 'zod';
import type { Component } from './component.ts';

/**
 * What a component or an experiment was made from. Kept so that `--set` can change the input and make it again by the
 * same rules, and so that errors can say where in the file a field is.
 */
export interface Source {
  readonly input: unknown;
  readonly construct: (input: unknown) => object;
  /** Of a component. */
  readonly schema?: z.ZodType;
}

// Registered by name, since an experiment's bundle and the command line have a copy of this module each.
const key = Symbol.for('peco-exp.source');

/** Attaches the source where neither JSON nor loops over properties see it. */
export function rememberSource<T extends object>(made: T, source: Source): T {
  return Object.defineProperty(made, key, { value: source, enumerable: false });
}

export function sourceOf(made: unknown): Source | undefined {
  if (typeof made !== 'object' || made === null) return undefined;
  return (made as { readonly [key]?: Source })[key];
}

/** The schema of a component's config, if it is known. */
export function schemaOf(component: Component): z.ZodType | undefined {
  return sourceOf(component)?.schema;
}

export function isComponent(value: unknown): value is Component {
  return (
    typeof value === 'object' &&
    value !== null &&
    'role' in value &&
    'kind' in value &&
    'implementation' in value
  );
}
