import type { Component, SmokeChanges, SmokeContext, SmokeInput } from '../stage/component.ts';
import { valueAt } from '../stage/issues.ts';
import {
  declaredRoles,
  halvedRole,
  hasMembers,
  inputsOf,
  isReport,
  placeOf,
  type Role,
} from '../stage/roles.ts';
import { isComponent } from '../stage/source.ts';
import { isHalving, pointsOf, rungsInSmoke, shortened } from './changes/halving.ts';
import { componentOf } from './changes/points.ts';
import { listRows, type Row, wiredParts } from './rows.ts';
import { inside, type Path, remake, set, walk } from './tree.ts';
import type { Experiment } from './types.ts';

/*
 * A smoke run is the same experiment, each component at the smallest size that it declares itself: every stage and every
 * code path, in minutes. Components are made small in the order of their roles, so that each sees how small its inputs are.
 */

type Inputs = SmokeContext['inputs'];

/** What a declared component may look at: what is wired to it, and the data, for components inside of it. */
interface Surroundings {
  readonly wired: Inputs;
  readonly data: Inputs;
  readonly member?: string;
}

/** How an experiment became small; the points of its sweep become so in the same way. */
export interface Smoke {
  /** As it is declared. */
  readonly real: Experiment;
  /** By the path of a component; of one in several rows that of the first. */
  readonly surroundings: ReadonlyMap<string, Surroundings>;
}

export interface Smoked {
  readonly experiment: Experiment;
  readonly smoke: Smoke;
  /** Paths of components that stay as they are, since they don't say how small they can be. */
  readonly unchanged: readonly string[];
}

/**
 * Makes a valid experiment small: its components as they say, one seed, and a step for each rung of a halving. Whether the
 * parts still fit is for the caller to check.
 */
export function smokeExperiment(real: Experiment): Smoked {
  const surroundings = new Map<string, Surroundings>();
  const small = new Map<string, Component>();
  const smoke = { real, surroundings };
  const unchanged = new Set<string>();
  for (const row of listRows(real)) {
    for (const { component, path } of row.parts) {
      const name = path.join('.');
      if (small.has(name)) continue;
      surroundings.set(name, lookAround(row, component.role, small));
      small.set(name, smokeComponent(component, path, smoke));
      for (const placed of walk(component, path))
        if (staysAsItIs(placed.component)) unchanged.add(placed.path.join('.'));
    }
  }
  const components = [...small].map(([name, value]) => ({ path: name.split('.'), value: value as never }));
  const { sweep, seeds } = real;
  const rungs = isHalving(sweep) ? [{ path: ['sweep'], value: shortened(sweep) as never }] : [];
  const experiment = set(real, [...components, { path: ['seeds'], value: seeds.slice(0, 1) }, ...rungs]);
  return { experiment: experiment as Experiment, smoke, unchanged: [...unchanged] };
}

/** A component at its smallest, with those inside of it. `path`: where it is declared. */
export function smokeComponent(component: Component, path: Path, { real, surroundings }: Smoke): Component {
  const { wired, data } = surroundings.get(path.join('.')) ?? { wired: {}, data: {} };
  const member = hasMembers(component.role) ? { member: String(path.at(-1)) } : {};
  const small = shrink(component, { wired, data, ...member });
  const rungs = rungsOfHalved(component, path, real);
  return rungs === undefined || small.steps === undefined
    ? small
    : (set(small, [{ path: small.steps.split('.'), value: rungs }]) as Component);
}

function staysAsItIs({ smoke, role, implementation }: Component): boolean {
  const matters = implementation.run !== undefined || hasMembers(role);
  return smoke === undefined && matters && !isReport({ role });
}

/** Steps of a training that a halving stops early; undefined for all others. */
function rungsOfHalved({ steps, config }: Component, path: Path, { sweep }: Experiment): number | undefined {
  const name = path.join('.');
  if (!isHalving(sweep) || steps === undefined || placeOf(path)?.role !== halvedRole()) return undefined;
  const swept = pointsOf(sweep).flatMap((point) => Object.keys(point));
  if (!swept.some((field) => componentOf(field.split('.'))?.join('.') === name)) return undefined;
  const length = valueAt(config, steps.split('.'));
  return typeof length === 'number' ? rungsInSmoke(sweep.halving, length) : undefined;
}

function shrink(component: Component, { wired, data, ...member }: Surroundings): Component {
  const input = inside(component);
  if (input === undefined) return component;
  const smaller = new Map<unknown, Component>();
  const own: { [name: string]: SmokeInput } = {};
  for (const [name, nested] of Object.entries(component.inputs)) {
    const its = Object.fromEntries(
      Object.entries(inputsOf(nested.role)).flatMap(([input, role]) =>
        hasMembers(role) ? [[input, data[input]]] : [],
      ),
    );
    const member = hasMembers(nested.role) ? { member: name } : {};
    const small = shrink(nested, { wired: its, data, ...member });
    smaller.set(nested, small);
    own[name] = describe(name, nested, small);
  }
  const changes = component.smoke?.({ ...member, inputs: { ...wired, ...own } });
  const isSame = [...smaller].every(([nested, small]) => nested === small);
  if (changes === undefined && isSame) return component;
  return remake(component, merge(replace(input, smaller), changes ?? {}));
}

/** What a component of a role sees in a row, of which what comes before it is small already. */
function lookAround(row: Row, role: Role, small: ReadonlyMap<string, Component>): Surroundings {
  const look = (wanted: Role) =>
    Object.entries(wiredParts(row, wanted)).map(([name, { component, path, role: its }]) => {
      const input = describe(name, component, small.get(path.join('.')) ?? component);
      return { name, input, isData: hasMembers(its) };
    });
  const data = declaredRoles().flatMap((one) => look(one.role).filter(({ isData }) => isData));
  const named = (found: ReturnType<typeof look>) =>
    Object.fromEntries(found.map(({ name, input }) => [name, input]));
  return { wired: named(look(role)), data: named(data) };
}

function describe(name: string, { provides = {}, use }: Component, small: Component): SmokeInput {
  return { name, facts: provides, smoke: small.provides ?? {}, ...(use ? { use } : {}) };
}

/** A copy of an input with other components in it. */
function replace(value: unknown, by: ReadonlyMap<unknown, Component>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isComponent(value)) return by.get(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => replace(item, by));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replace(item, by)]));
}

/** Fields of nested objects one by one; what is undefined goes. */
function merge(value: unknown, changes: SmokeChanges): { readonly [field: string]: unknown } {
  const merged: { [field: string]: unknown } = isPlain(value) ? { ...value } : {};
  for (const [field, change] of Object.entries(changes)) {
    if (change === undefined) delete merged[field];
    else merged[field] = isPlain(change) ? merge(merged[field], change) : change;
  }
  return merged;
}

function isPlain(value: unknown): value is { readonly [field: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isComponent(value);
}
