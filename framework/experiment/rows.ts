import type { Component } from '../stage/component.ts';
import {
  type DeclaredRole,
  declaredRoles,
  hasMembers,
  inputsOf,
  isInRows,
  type Role,
  roles,
} from '../stage/roles.ts';
import { get } from './tree.ts';
import type { Experiment } from './types.ts';

/** A component in a row of the table. */
export interface Part {
  readonly role: Role;
  /** Its name in its group; of a group that is a single component, the group's. */
  readonly name: string;
  /** Where it is declared: `['tokenizers', 'peco']`. */
  readonly path: readonly string[];
  readonly component: Component;
}

/** A row as declared, before a sweep makes several of it. */
export interface Row {
  /** `peco`, `peco/long`, `scratch`. */
  readonly name: string;
  /** In the order of the table of roles. */
  readonly parts: readonly Part[];
}

/** Which of the components that an experiment declares are in a row. */
interface Choice {
  /** The name of a component of each group of rows, in their order; none in a row without them. */
  readonly names: readonly string[];
  /** The field of tasks that are for this row only. */
  readonly bare?: string;
}

/** Rows without the groups of rows come first; then every combination of those, the last group varying fastest. */
export function listRows(experiment: Experiment): Row[] {
  const axes = namesOfRows(experiment);
  let combinations: readonly (readonly string[])[] = [[]];
  for (const names of axes) combinations = combinations.flatMap((one) => names.map((name) => [...one, name]));
  const fields = new Set(declaredRoles('tasks').map(({ declared }) => declared.bare));
  const bare = [...fields].filter((field) => get(experiment, [field]) !== undefined);
  return [
    ...bare.map((name) => ({ name, parts: findParts(experiment, { names: [], bare: name }) })),
    ...combinations.map((names) => ({
      name: nameRow(names, axes),
      parts: findParts(experiment, { names }),
    })),
  ];
}

/** The baseline's row; where its component has several rows, the first of them. */
export function baselineName(experiment: Experiment): string {
  const axes = namesOfRows(experiment);
  const [first = [], ...others] = axes;
  const { baseline } = experiment;
  if (!first.includes(baseline)) return baseline;
  return nameRow([baseline, ...others.map(([name]) => name!)], axes);
}

/** The row's components of a role: one, or several tasks; none if it doesn't have that role. */
export function partsOf({ parts }: Pick<Row, 'parts'>, role: Role): readonly Part[] {
  return parts.filter((part) => part.role === role);
}

/** What the framework wires to the stages of a role in a row, by the name of the input. */
export function wiredParts(row: Pick<Row, 'parts'>, role: Role): { readonly [input: string]: Part } {
  const wired = Object.entries(inputsOf(role)).flatMap(([input, other]): [string, Part][] => {
    const there = partsOf(row, other);
    const part = hasMembers(other) ? there.find(({ name }) => name === input) : there[0];
    return part === undefined ? [] : [[input, part]];
  });
  return Object.fromEntries(wired);
}

/** Names of the components of every group of rows. */
function namesOfRows(experiment: Experiment): readonly (readonly string[])[] {
  return declaredRoles('rows').map(({ declared }) => namesAt(experiment, [declared.group]));
}

/** A row is called by the first of its components, and by each other one that isn't the only one of its group. */
function nameRow(names: readonly string[], axes: readonly (readonly string[])[]): string {
  return names.filter((_, index) => index === 0 || axes[index]!.length > 1).join('/');
}

function findParts(experiment: Experiment, choice: Choice): Part[] {
  const parts: Part[] = [];
  for (const one of declaredRoles().filter(isInRows)) {
    const { role } = one;
    for (const path of pathsOf(experiment, one, choice)) {
      const component = get(experiment, path) as Component | undefined;
      if (component !== undefined) parts.push({ role, name: path.at(-1)!, path, component });
    }
  }
  // What measures something isn't in a row that has nothing to measure.
  const there = new Set(parts.map(({ role }) => role));
  return parts.filter(({ role }) => {
    const isOne = roles[role].declared?.as === 'one';
    return !isOne || Object.values(inputsOf(role)).every((input) => there.has(input));
  });
}

/** Where the components of a role in a row are, if they are there. */
function pathsOf(
  experiment: Experiment,
  { declared }: DeclaredRole,
  { names, bare }: Choice,
): readonly (readonly string[])[] {
  switch (declared.as) {
    case 'members':
      return declared.names.map((name) => [declared.group, name]);
    case 'rows': {
      const groups = declaredRoles('rows').map((one) => one.declared.group);
      const name = names[groups.indexOf(declared.group)];
      return name === undefined ? [] : [[declared.group, name]];
    }
    case 'tasks': {
      if (bare !== undefined && bare !== declared.bare) return [];
      const group = bare === undefined ? [declared.group] : [bare, declared.group];
      return namesAt(experiment, group).map((name) => [...group, name]);
    }
    case 'one':
      return [[declared.group]];
  }
}

function namesAt(experiment: Experiment, path: readonly string[]): readonly string[] {
  return Object.keys((get(experiment, path) as object | undefined) ?? {});
}
