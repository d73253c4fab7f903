import type { Component, WiredInput, WiredInputs, WiringIssue } from '../stage/component.ts';
import { valueAt } from '../stage/issues.ts';
import { isComponent, sourceOf } from '../stage/source.ts';
import { componentsIn, isOverridden, type Problem } from './problems.ts';
import type { Experiment, Override } from './types.ts';
import { listVariants, type Variant } from './variants.ts';

type Path = readonly (string | number)[];

interface Placed {
  readonly component: Component;
  /** Where it is declared. */
  readonly path: Path;
}

/** A component of a row, and what the framework wires to it. */
interface Wired extends Placed {
  readonly inputs: { readonly [name: string]: Placed | undefined };
}

/**
 * What the components of a valid experiment expect of each other and don't find, nested ones included, in the order of
 * the table: told before anything runs, although each of them is right by itself. A fact that nobody provides is left
 * to the stage.
 */
export function wiringProblems(experiment: Experiment, overrides: readonly Override[]): Problem[] {
  const found = new Map<string, Problem>();
  for (const variant of listVariants(experiment)) {
    for (const wired of wiredIn(variant)) {
      for (const problem of mismatches(wired, variant)) {
        const where = problem.path.join('.');
        // One of the rows is enough to see it.
        if (found.has(where)) continue;
        found.set(where, isOverridden(problem, overrides) ? { ...problem, origin: 'set' } : problem);
      }
    }
  }
  return [...found.values()];
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
  const written = valueAt(sourceOf(component)?.input, issue.path);
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
  const described = Object.entries(inputs).flatMap(([name, input]): [string, WiredInput][] =>
    input === undefined
      ? []
      : [[name, { name: nameInput(variant, name, input), facts: input.component.provides ?? {} }]],
  );
  return Object.fromEntries(described);
}

function nameInput({ name, fields, ...row }: Variant, input: string, { component, path }: Placed): string {
  const isData = path[0] === 'data';
  const swept = isData ? fields.filter((field) => field.component === path.join('.')) : fields;
  const where = swept.length === 0 ? '' : ` in the row ${name}`;
  if (isData) return `${path.join('.')}${where}`;
  if (input === 'tokenizer' && component === row.tokenizer?.component)
    return `the tokenizer "${row.tokenizer.name}"${where}`;
  if (input === 'pretrained' && component === row.pretraining?.component)
    return `the pretraining "${row.pretraining.name}"${where}`;
  return `the ${component.role} "${component.kind}"${where}`;
}

function wiredIn({ tokenizer, pretraining, data, evaluation, downstream }: Variant): Wired[] {
  const train = { component: data.train, path: ['data', 'train'] };
  const test = { component: data.test, path: ['data', 'test'] };
  const coder = tokenizer && { component: tokenizer.component, path: ['tokenizers', tokenizer.name] };
  const pretrained = pretraining && {
    component: pretraining.component,
    path: ['pretraining', pretraining.name],
  };
  const tasks = pretraining ? ['downstream'] : ['scratch', 'downstream'];
  return [
    ...(coder ? withNested(coder, { train }) : []),
    ...(evaluation
      ? withNested({ component: evaluation, path: ['evaluation'] }, { train, test, tokenizer: coder })
      : []),
    ...(pretrained ? withNested(pretrained, { train, tokenizer: coder }) : []),
    ...Object.entries(downstream).flatMap(([task, component]) =>
      component ? withNested({ component, path: [...tasks, task] }, { train, test, pretrained }) : [],
    ),
  ];
}

/** A component and those nested in it, which see the same data; nested ones win over wired inputs of their name. */
function withNested({ component, path }: Placed, wired: Wired['inputs']): Wired[] {
  const all = [...componentsIn(component, path)];
  const { train, test } = wired;
  return all.map((placed) => {
    const own = Object.entries(placed.component.inputs).map(([name, input]) => {
      const declared = all.find((one) => one.component === input);
      return [name, { component: input, path: declared?.path ?? placed.path }] as const;
    });
    const outside = placed.component === component ? wired : { train, test };
    return { ...placed, inputs: { ...outside, ...Object.fromEntries(own) } };
  });
}
