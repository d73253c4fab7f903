import type { Component, WiredInput, WiredInputs, WiringIssue } from '../stage/component.ts';
import { valueAt } from '../stage/issues.ts';
import { declaredRoles, hasMembers, isReport, roles } from '../stage/roles.ts';
import { isComponent } from '../stage/source.ts';
import type { Problem } from './problem.ts';
import { withOrigin } from './problems.ts';
import { wiredParts } from './rows.ts';
import { get, type Placed, walk } from './tree.ts';
import type { Declared } from './types.ts';
import { listVariants, type Variant } from './variants.ts';

/** A component of a row, and what the framework wires to it. */
interface Wired extends Placed {
  readonly inputs: { readonly [name: string]: Placed };
}

/**
 * What the components of a valid experiment expect of each other and don't find, nested ones included, in the order of
 * the table: told before anything runs, although each of them is right by itself. A fact that no component provides is left
 * to the stage.
 */
export function wiringProblems({ experiment, overrides }: Declared): Problem[] {
  const found = new Map<string, Problem>();
  for (const variant of listVariants(experiment)) {
    for (const wired of wiredIn(variant)) {
      for (const problem of mismatches(wired, variant)) {
        const where = problem.path.join('.');
        // One of the rows is enough to see it.
        if (!found.has(where)) found.set(where, problem);
      }
    }
  }
  for (const problem of reportMismatches(experiment)) found.set(problem.path.join('.'), problem);
  return [...found.values()].map((problem) => withOrigin(problem, overrides));
}

/** What a report expects of the table that it will get: the names of its rows and tasks are known before anything runs. */
function reportMismatches(experiment: Declared['experiment']): Problem[] {
  const variants = listVariants(experiment);
  const tasks = variants.flatMap(({ parts }) =>
    parts.flatMap(({ role, name }) => {
      const { cells } = roles[role];
      return cells === undefined ? [] : [cells === true ? name : cells];
    }),
  );
  const facts = {
    rows: variants.map(({ name }) => name),
    tasks: [...new Set(tasks)],
    metrics: metricsOf(variants),
  };
  return declaredRoles('one').flatMap(({ role, declared }) => {
    const component = get(experiment, [declared.group]) as Component | undefined;
    if (component?.expects === undefined || !isReport({ role })) return [];
    const issues = component.expects({ table: { name: 'the table', facts } });
    return issues.map(({ of: _, ...issue }) => place(issue, { component, path: [declared.group] }));
  });
}

/** What all that fills cells says that it measures; undefined if one of them doesn't say. */
function metricsOf(variants: readonly Variant[]): string[] | undefined {
  const filling = variants.flatMap(({ parts }) =>
    parts.filter(({ role }) => roles[role].cells !== undefined),
  );
  const offers = filling.map(({ component }) => component.offers);
  return offers.includes(undefined) ? undefined : [...new Set(offers.flatMap((names) => names ?? []))];
}

function mismatches({ component, path, inputs }: Wired, variant: Variant): Problem[] {
  if (component.expects === undefined) return [];
  const issues = component.expects(describeInputs(inputs, variant));
  return issues.map((issue) => {
    const { of, ...plain } = issue;
    return of === undefined ? place(plain, { component, path }) : placeInInput(plain, inputs[of]!);
  });
}

/** The value is that of the config where the file doesn't give one. */
function place(issue: WiringIssue, { component, path }: Placed): Problem {
  const written = get(component, issue.path);
  const value = written ?? valueAt(component.config, issue.path);
  const known = value === undefined || issue.path.length === 0 || isComponent(value) ? {} : { value };
  const byDefault = written === undefined && 'value' in known ? { byDefault: true } : {};
  return { ...issue, path: [...path, ...issue.path], ...known, ...byDefault };
}

/** Not every input has a field for the fact that is wrong. */
function placeInInput(issue: WiringIssue, { component, path }: Placed): Problem {
  const isField = valueAt(component.config, issue.path) !== undefined;
  return { ...issue, path: isField ? [...path, ...issue.path] : path };
}

function describeInputs(inputs: Wired['inputs'], variant: Variant): WiredInputs {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]): [string, WiredInput] => [
      name,
      {
        name: nameInput(variant, input),
        facts: input.component.provides ?? {},
        ...(input.component.use ? { use: input.component.use } : {}),
      },
    ]),
  );
}

function nameInput({ parts, fields, name: row }: Variant, { component, path }: Placed): string {
  const part = parts.find((one) => one.component === component && one.path.join('.') === path.join('.'));
  // Also one inside of another component, such as the data of a task's own: its place says whose it is.
  const isMember = hasMembers(component.role);
  const swept = isMember ? fields.filter((field) => field.component === path.join('.')) : fields;
  const where = swept.length === 0 ? '' : ` in the row ${row}`;
  if (isMember) return `${path.join('.')}${where}`;
  const isNamed = part !== undefined && roles[part.role].declared?.as === 'rows';
  return `the ${component.role} "${isNamed ? part.name : component.kind}"${where}`;
}

function wiredIn(variant: Variant): Wired[] {
  const parts = variant.parts.filter(({ role }) => !hasMembers(role));
  return parts.flatMap((part) => withNested(part, variant));
}

/** A component and those nested in it, which see the data of their role; nested ones win over wired inputs of their name. */
function withNested({ component, path }: Placed, variant: Variant): Wired[] {
  const all = [...walk(component, path)];
  return all.map((placed) => {
    const own = Object.entries(placed.component.inputs).map(([name, input]) => {
      const declared = all.find((one) => one.component === input);
      return [name, { component: input, path: declared?.path ?? placed.path }] as const;
    });
    const wired = Object.entries(wiredParts(variant, placed.component.role));
    const outside = wired.filter(([, part]) => placed.component === component || hasMembers(part.role));
    return { ...placed, inputs: Object.fromEntries<Placed>([...outside, ...own]) };
  });
}
