import { z } from 'zod';
import { set } from '../experiment/tree.ts';
import type { Component } from '../stage/component.ts';
import { roles } from '../stage/roles.ts';
import { schemaOf } from '../stage/source.ts';

/** Made once per seed of the experiment, or once for all if its config names a seed. */
export function isReplicable({ role }: Component): boolean {
  return roles[role].seeds === 'own';
}

/** The seed that a component's config names, or that of what measures one; undefined if it leaves that to the experiment. */
export function namedSeed(component: Component): number | undefined {
  const { seeds } = roles[component.role];
  if (seeds !== 'own' && seeds !== 'inputs') return undefined;
  const { seed } = component.config;
  return typeof seed === 'number' && Number.isInteger(seed) ? seed : undefined;
}

/** Whether its result differs from seed to seed. Committed weights don't, unless something nested in them does. */
export function isReplicated(component: Component): boolean {
  if (component.implementation.run !== undefined) return namedSeed(component) === undefined;
  return Object.values(component.inputs).some(isReplicated);
}

/** The seeds by which a tokenizer is made: those of the experiment, or one that they all share. */
export function replicatesOf(tokenizer: Component, seeds: readonly number[]): Replicates {
  if (isReplicated(tokenizer)) return { seeds, shared: false };
  return { seeds: [namedSeed(tokenizer) ?? 0], shared: true };
}

export interface Replicates {
  readonly seeds: readonly number[];
  /** There is one, and it is for all seeds of the experiment. */
  readonly shared: boolean;
}

/**
 * A tokenizer or network as the stage of a seed sees it. A seed that the experiment gives and the same one that the config
 * names are one meaning and one key: where the schema knows the field, it is filled in.
 */
export function withSeed(component: Component, seed: number): Component {
  return isReplicable(component) && component.config.seed === undefined ? fillIn(component, seed) : component;
}

/** By the component's own rules; as it was, if its schema has something else in mind. */
function fillIn(component: Component, seed: number): Component {
  if (!takesSeed(component)) return component;
  const filled = set(component, [{ path: ['seed'], value: seed }]) as Component;
  return filled.issues.every(({ missing }) => missing) && filled.config.seed === seed ? filled : component;
}

/** False for a schema that refuses the field: to make a component only for its error takes long. */
function takesSeed(component: Component): boolean {
  const schema = schemaOf(component);
  const isStrict = schema instanceof z.ZodObject && schema.def.catchall instanceof z.ZodNever;
  return !isStrict || 'seed' in schema.shape;
}
