import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import type { Component, ConfigIssue } from './component.ts';

type Path = readonly (string | number)[];
type ZodIssue = z.core.$ZodIssue;

/** Zod's words for types, in the words of people. */
const plainNames: { readonly [type: string]: string } = {
  int: 'whole number',
  record: 'object',
  array: 'list',
};

/** Zod's issues as ours: one per unknown field, each with the path of the field and a hint. */
export function explainZodError(error: z.ZodError, schema: z.ZodType, input: unknown): ConfigIssue[] {
  return error.issues.flatMap((issue) => explainIssue(issue, [], schema, input));
}

/** `did you mean "b"?` if something near is among the names, and what there is. Undefined if there are no names. */
export function suggest(name: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const nearest = closest(name, names as string[]);
  const tolerance = Math.max(name.length > 3 ? 2 : 1, Math.floor(name.length / 3));
  const isNear = distance(name.toLowerCase(), nearest.toLowerCase()) <= tolerance;
  return isNear ? `did you mean "${nearest}"? ${oneOf(names)}` : oneOf(names);
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
      const names = fieldsAt(schema, path);
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: 'unknown field',
        ...hint(suggest(key, names)),
      }));
    }
    case 'invalid_value': {
      const names = issue.values.map(String);
      if (value === undefined) return [{ path, message: 'is missing', hint: oneOf(names) }];
      const hints = typeof value === 'string' ? suggest(value, names) : oneOf(names);
      return [{ path, message: 'not one of the possible values', ...hint(hints) }];
    }
    case 'invalid_type': {
      const expected = withArticle(plainNames[issue.expected] ?? issue.expected);
      return [{ path, message: value === undefined ? `is missing: ${expected}` : `expected ${expected}` }];
    }
    case 'too_small':
      return [{ path, message: explainBound(issue, 'minimum') }];
    case 'too_big':
      return [{ path, message: explainBound(issue, 'maximum') }];
    case 'invalid_union': {
      const branches = [...issue.errors].sort((a, b) => a.length - b.length || depthOf(b) - depthOf(a));
      // The branch that nearly fits is the one that the user meant.
      const best = branches[0];
      if (best === undefined || best.length === 0) return [{ path, message: issue.message }];
      return best.flatMap((inner) => explainIssue(inner as ZodIssue, path, schema, input));
    }
    default:
      return [{ path, message: lowerFirst(issue.message) }];
  }
}

/** Names of the fields of the object schema at a path; of all branches where there are several. */
export function fieldsAt(schema: z.ZodType, path: Path): string[] {
  let schemas = [schema];
  for (const key of path) schemas = schemas.flatMap((one) => stepInto(one, key));
  const objects = schemas.flatMap(unwrap).filter((one) => one instanceof z.ZodObject);
  return [...new Set(objects.flatMap((one) => Object.keys(one.shape)))];
}

function stepInto(schema: z.ZodType, key: string | number): z.ZodType[] {
  return unwrap(schema).flatMap((one): z.ZodType[] => {
    if (one instanceof z.ZodObject) {
      const field = (one.shape as { readonly [key: string]: z.ZodType | undefined })[key];
      return field === undefined ? [] : [field];
    }
    if (one instanceof z.ZodArray) return [one.element as z.ZodType];
    if (one instanceof z.ZodRecord) return [one.valueType as z.ZodType];
    if (one instanceof z.ZodTuple)
      return [one.def.items[Number(key)] as z.ZodType | undefined].filter((item) => !!item);
    return [];
  });
}

function unwrap(schema: z.ZodType): z.ZodType[] {
  if (schema instanceof z.ZodUnion) return (schema.options as z.ZodType[]).flatMap(unwrap);
  if (schema instanceof z.ZodPipe) return unwrap(schema.in as z.ZodType);
  if (schema instanceof z.ZodIntersection)
    return [schema.def.left, schema.def.right].flatMap((one) => unwrap(one as z.ZodType));
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly
  ) {
    return unwrap(schema.def.innerType as z.ZodType);
  }
  return [schema];
}

function depthOf(issues: readonly { readonly path: readonly unknown[] }[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length));
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
  const shown = names.length <= 24 ? names.join(', ') : `${names.slice(0, 24).join(', ')}, ...`;
  return `one of: ${shown}`;
}

function hint(text: string | undefined): { readonly hint?: string } {
  return text === undefined ? {} : { hint: text };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
