import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { type Choice, choicesOf, schemasAt } from './choices.ts';
import type { Component, ConfigIssue } from './component.ts';
import { judgeUnion } from './unions.ts';

type Path = readonly (string | number)[];
type ZodIssue = z.core.$ZodIssue;

/** Zod's words for types, in the words of people. */
const plainNames: { readonly [type: string]: string } = {
  int: 'whole number',
  record: 'object',
  array: 'list',
  tuple: 'list',
};

/** Zod's issues as ours: one per unknown field, each with the path of the field and a hint. */
export function explainZodError(error: z.ZodError, schema: z.ZodType, input: unknown): ConfigIssue[] {
  return error.issues.flatMap((issue) => explainIssue(issue, [], schema, input));
}

/** `did you mean "b"?` if something near is among the names, and what there is. Undefined if there are no names. */
export function suggest(name: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const near = nearest(name, names);
  return near === undefined ? oneOf(names) : `did you mean "${near}"? ${oneOf(names)}`;
}

function nearest(name: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const near = closest(name, names as string[]);
  const tolerance = Math.max(name.length > 3 ? 2 : 1, Math.floor(name.length / 3));
  return distance(name.toLowerCase(), near.toLowerCase()) <= tolerance ? near : undefined;
}

/**
 * Issues for names that a component does not offer, such as layers of a network; none if what it offers is unknown.
 *
 * @param path of the list of names in the config
 * @param what one of the names is called: `layer`
 */
export function checkOffered(
  names: readonly string[],
  offering: Component | undefined,
  place: { readonly path: readonly (string | number)[]; readonly what: string },
): ConfigIssue[] {
  const offers = offering?.offers;
  if (offers === undefined) return [];
  return names.flatMap((name, index) => {
    if (offers.includes(name)) return [];
    const message = `the ${offering!.role} "${offering!.kind}" has no such ${place.what}`;
    return [{ path: [...place.path, index], message, ...hint(suggest(name, offers)) }];
  });
}

/** `a` or `an`, and the noun. */
export function withArticle(noun: string): string {
  return /^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`;
}

/** The value at a path of plain data, or undefined; what all objects inherit is no part of it. */
export function valueAt(value: unknown, path: Path): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as { readonly [key: string | number]: unknown })[key];
  }
  return found;
}

function explainIssue(issue: ZodIssue, base: Path, schema: z.ZodType, input: unknown): ConfigIssue[] {
  const path = [...base, ...(issue.path as Path)];
  const value = valueAt(input, path);
  switch (issue.code) {
    case 'unrecognized_keys': {
      // In a union, what one option has not another one may have.
      const names = fieldsAt(schema, path).filter((name) => !issue.keys.includes(name));
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: 'unknown field',
        ...hint(suggest(key, names)),
      }));
    }
    case 'invalid_value':
      return [explainChoice(path, value, choicesOf(schemasAt(schema, path)))];
    case 'invalid_type': {
      // A schema's own words, if it has any.
      if (value !== undefined && !issue.message.startsWith('Invalid input'))
        return [{ path, message: lowerFirst(issue.message) }];
      const expected = withArticle(plainNames[issue.expected] ?? issue.expected);
      const message = value === undefined ? `is missing: ${expected}` : `expected ${expected}`;
      return [{ path, message, ...(issue.expected === 'object' ? itsFields(schema, path) : {}) }];
    }
    case 'invalid_key': {
      const names = fieldsAt(schema, path.slice(0, -1));
      return [{ path, message: 'unknown field', ...hint(suggest(String(path.at(-1)), names)) }];
    }
    case 'not_multiple_of':
      return [{ path, message: `must be a multiple of ${issue.divisor}` }];
    case 'too_small':
      return [{ path, message: explainBound(issue, 'minimum'), ...otherSorts(schema, path) }];
    case 'too_big':
      return [{ path, message: explainBound(issue, 'maximum'), ...otherSorts(schema, path) }];
    case 'invalid_union':
      return explainUnion(issue, path, schema, input);
    default:
      return [{ path, message: lowerFirst(issue.message) }];
  }
}

function explainUnion(
  issue: Extract<ZodIssue, { readonly code: 'invalid_union' }>,
  path: Path,
  schema: z.ZodType,
  input: unknown,
): ConfigIssue[] {
  const value = valueAt(input, path);
  const verdict = judgeUnion(issue);
  if (value === undefined || verdict.type === 'no option')
    return [explainChoice(path, value, choicesOf(schemasAt(schema, path)))];
  if (verdict.type === 'no such kind') {
    const kind = [...path, verdict.key];
    return [explainChoice(kind, valueAt(input, kind), choicesOf(schemasAt(schema, kind)))];
  }
  return verdict.issues.flatMap((inner) => explainIssue(inner, path, schema, input));
}

/** What belongs into an object that isn't one. */
function itsFields(schema: z.ZodType, path: Path): { readonly hint?: string } {
  const names = fieldsAt(schema, path);
  return names.length === 0 ? {} : hint(`its fields: ${listed(names)}`);
}

/** Where a value of the right sort is out of its bounds, another sort may have been meant. */
function otherSorts(schema: z.ZodType, path: Path): { readonly hint?: string } {
  const choices = choicesOf(schemasAt(schema, path));
  return choices.length > 1 ? hint(oneOf(texts(choices))) : {};
}

/** A value that is none of the choices, or isn't there. */
function explainChoice(path: Path, value: unknown, choices: readonly Choice[]): ConfigIssue {
  const message = value === undefined ? 'is missing' : 'not one of the possible values';
  if (choices.length === 0) return { path, message };
  const all = oneOf(texts(choices));
  const near = typeof value === 'string' ? nearest(value, namesIn(choices)) : undefined;
  return { path, message, hint: near === undefined ? all : `did you mean "${near}"? ${all}` };
}

/** Names beside other values are quoted, so that they aren't taken for such. */
function texts(choices: readonly Choice[]): string[] {
  const plain = choices.every(({ type, text }) => type === 'name' && /^[A-Za-z]/.test(text));
  return choices.map(({ text, type }) => (plain || type !== 'name' ? text : JSON.stringify(text)));
}

function namesIn(choices: readonly Choice[]): string[] {
  return choices.filter(({ type }) => type === 'name').map(({ text }) => text);
}

/** Names of the fields of the object schema at a path; of all branches where there are several. */
export function fieldsAt(schema: z.ZodType, path: Path): string[] {
  const names = schemasAt(schema, path).flatMap((one) => {
    if (one instanceof z.ZodObject) return Object.keys(one.shape);
    if (one instanceof z.ZodRecord) return namesIn(choicesOf([one.keyType as z.ZodType]));
    return [];
  });
  return [...new Set(names)];
}

function explainBound(
  issue: ZodIssue & { readonly code: 'too_small' | 'too_big' },
  side: 'minimum' | 'maximum',
): string {
  const isNumber = issue.origin === 'number' || issue.origin === 'int' || issue.origin === 'bigint';
  const custom = !/^Too (small|big):/.test(issue.message);
  const bound = String('minimum' in issue ? issue.minimum : issue.maximum);
  if (custom) return lowerFirst(issue.message);
  if (!isNumber) {
    const unit = issue.origin === 'string' ? 'characters' : 'items';
    return `must have ${side === 'minimum' ? 'at least' : 'at most'} ${bound} ${unit}`;
  }
  if (issue.inclusive === false) return `must be ${side === 'minimum' ? 'greater' : 'less'} than ${bound}`;
  return `must be ${side === 'minimum' ? 'at least' : 'at most'} ${bound}`;
}

function oneOf(names: readonly string[]): string {
  return `one of: ${listed(names)}`;
}

function listed(names: readonly string[]): string {
  return names.length <= 24 ? names.join(', ') : `${names.slice(0, 24).join(', ')}, ...`;
}

function hint(text: string | undefined): { readonly hint?: string } {
  return text === undefined ? {} : { hint: text };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
