import { z } from 'zod';
import { choicesOf, fieldSchemas, schemasAt } from './choices.ts';
import { fieldsAt } from './issues.ts';
import type { Json } from './json.ts';

/** A field of a config, as its schema has it. */
export interface FieldDescription {
  /** `codebook.size`; of what is in the objects of a list `columns[].metric`. */
  readonly path: string;
  /** What it takes, in words: `a whole number of at least 2`. */
  readonly type: string;
  /** Whether a config without it is refused. */
  readonly required: boolean;
  /** Absent: without it there is none, or it follows from other fields. */
  readonly default?: Json;
  readonly doc?: string;
}

export type DocOf = (field: string, fields: readonly string[]) => string | undefined;

const deepest = 6;

/** The fields of a schema, those of nested objects after them. What a schema says of itself wins over `docOf`. */
export function describeFields(schema: z.ZodType, docOf: DocOf = () => undefined): FieldDescription[] {
  return fieldsBelow(schema, [], docOf);
}

function fieldsBelow(schema: z.ZodType, path: readonly string[], docOf: DocOf): FieldDescription[] {
  if (path.length > deepest) return [];
  const isObject = schemasAt(schema, path).some((one) => one instanceof z.ZodObject);
  const names = isObject ? fieldsAt(schema, path) : [];
  const above = schemasAt(schema, path);
  return names.flatMap((name) => {
    const at = [...path, name];
    // Of a union, each option may have the field.
    const own = above.flatMap((one) => fieldSchemas(one, name));
    const wrapped = own.map(peel);
    const first = wrapped.find(({ value }) => value !== undefined);
    const doc = own.map(descriptionOf).find(Boolean) ?? docOf(name, names);
    const described = {
      path: at.join('.').replaceAll(`.${element}`, element),
      type: typeAt(schema, at),
      required: wrapped.every(({ optional }) => !optional),
      ...(first ? { default: first.value as Json } : {}),
      ...(doc === undefined ? {} : { doc }),
    };
    const isList = schemasAt(schema, at).some((one) => one instanceof z.ZodArray);
    return [described, ...fieldsBelow(schema, isList ? [...at, element] : at, docOf)];
  });
}

/** In a path: any element of a list. */
const element = '[]';

/** What a schema says of itself, or what is wrapped by a default or the like. */
function descriptionOf(schema: z.ZodType): string | undefined {
  if (schema.description !== undefined) return schema.description;
  const { innerType, in: input } = schema.def as { readonly innerType?: z.ZodType; readonly in?: z.ZodType };
  const inner = innerType ?? input;
  return inner === undefined ? undefined : descriptionOf(inner);
}

/** An object's fields follow it. */
function typeAt(schema: z.ZodType, path: readonly string[]): string {
  const texts = choicesOf(schemasAt(schema, path)).map(({ text, type }) =>
    type === 'name' ? JSON.stringify(text) : text.replace(/^an object \(.*\)$/, 'an object'),
  );
  const each = [...new Set(texts)];
  if (each.length === 0) return 'anything';
  return each.length === 1 ? each[0]! : `${each.slice(0, -1).join(', ')} or ${each.at(-1)}`;
}

interface Peeled {
  readonly optional: boolean;
  /** Of a default; undefined without one. That of an object which is made of its own fields' defaults is none. */
  readonly value?: unknown;
}

function peel(schema: z.ZodType): Peeled {
  if (schema instanceof z.ZodOptional) return { ...peel(schema.def.innerType as z.ZodType), optional: true };
  if (schema instanceof z.ZodDefault) return { optional: true, value: schema.def.defaultValue };
  if (schema instanceof z.ZodPrefault) {
    const value = schema.def.defaultValue;
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    return { optional: true, ...(isEmpty ? {} : { value }) };
  }
  if (schema instanceof z.ZodPipe) return peel(schema.in as z.ZodType);
  if (schema instanceof z.ZodReadonly || schema instanceof z.ZodNullable)
    return peel(schema.def.innerType as z.ZodType);
  return { optional: false };
}
