import fs from 'node:fs';
import type { Component } from '../stage/component.ts';
import { own } from '../stage/own.ts';
import { isComponent } from '../stage/source.ts';
import { placeholder } from './environment.ts';
import type { Problem } from './problem.ts';
import { inside, type Path, walk } from './tree.ts';
import type { Declared, Experiment } from './types.ts';

const checkPath = 'check the path in its config';

/** Whether data or weights of a component aren't there: then there is no key of what it is part of. */
export function lacksFiles({ issues, files }: Pick<Component, 'issues' | 'files'>): boolean {
  return issues.some(({ missing }) => missing) || Object.values(files).some((file) => !fs.existsSync(file));
}

/** Files of data that are not there: told at once and with their places, not when a stage is planned that needs them. */
export function missingFiles(experiment: Experiment): Problem[] {
  return [...walk(experiment)].flatMap(({ component, path: place }) => {
    // It has said so itself, in its own words.
    if (component.issues.some(({ missing }) => missing)) return [];
    return Object.entries(component.files).flatMap(([name, file]): Problem[] => {
      const needed = own(component.needed, name);
      const { field = [], hint = checkPath } = needed ?? {};
      const at = [...place, ...field];
      if (!fs.existsSync(file))
        return [{ path: at, message: `needs ${file}, which is not there`, hint, missing: true }];
      if (needed === undefined || fs.statSync(file).isFile()) return [];
      return [{ path: at, message: `needs ${file}, which is no file`, hint }];
    });
  });
}

/**
 * The same problems, where a variable that isn't set explains them: those of a field that is made of it, in other words.
 * A variable that is in no field of a component is a problem of its own, since it may change anything.
 */
export function explainUnset(
  { experiment, unset: variables }: Pick<Declared, 'experiment' | 'unset'>,
  problems: readonly Problem[],
): Problem[] {
  if (variables.length === 0) return [...problems];
  const explained = new Map<Problem, Problem>();
  const others: Problem[] = [];
  for (const name of variables) {
    const fields = fieldsOf(experiment, name);
    if (fields.length === 0) others.push({ path: [], ...describeUnset(name) });
    for (const field of fields) {
      const own = problems.filter(
        // What a component says of a place that it was never given is no fault of the place.
        ({ path, missing }) =>
          isSamePath(field, path) || (missing && (startsWith(field, path) || startsWith(path, field))),
      );
      for (const problem of own) explained.set(problem, explain(problem, field, name));
      if (own.length === 0) others.push({ path: field, ...describeUnset(name), missing: true });
    }
  }
  return [...others, ...problems.map((problem) => explained.get(problem) ?? problem)];
}

/** Paths of the fields of components that are made of a variable that isn't set. */
export function fieldsOf(experiment: Experiment, variable: string): readonly Path[] {
  return [...walk(experiment)].flatMap(({ component, path }) =>
    [...textsIn(inside(component), path)].flatMap((one) => (names(one.text, variable) ? [one.path] : [])),
  );
}

/** Its hint, such as the files that are expected, stays. */
function explain({ hint, ...problem }: Problem, field: Path, name: string): Problem {
  const { value: _shown, ...rest } = problem;
  const said = describeUnset(name);
  return {
    ...rest,
    path: field,
    missing: true,
    ...said,
    hint: hint === undefined || hint === checkPath ? said.hint : `${said.hint}\n${hint}`,
  };
}

function describeUnset(name: string): { readonly message: string; readonly hint: string } {
  return {
    message: `the environment variable ${name} is not set`,
    hint: `set it before the command: ${name}=... peco-exp run ...`,
  };
}

/** Whether a text is made of the variable, which isn't set. */
function names(text: string, name: string): boolean {
  const at = text.indexOf(placeholder(name));
  return at >= 0 && !/\w/.test(text[at + placeholder(name).length] ?? '');
}

/** Texts in what a component was made of, without those of nested components. */
function* textsIn(value: unknown, path: Path): Iterable<{ readonly text: string; readonly path: Path }> {
  if (typeof value === 'string') yield { text: value, path };
  if (typeof value !== 'object' || value === null || isComponent(value)) return;
  for (const [key, item] of Object.entries(value))
    yield* textsIn(item, [...path, Array.isArray(value) ? Number(key) : key]);
}

function isSamePath(a: Path, b: Path): boolean {
  return a.length === b.length && startsWith(a, b);
}

function startsWith(path: Path, start: Path): boolean {
  return start.length <= path.length && start.every((key, index) => path[index] === key);
}
