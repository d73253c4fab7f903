import { z } from 'zod';
import { canonicalJson } from './canonical.ts';
import type { Json, JsonObject } from './json.ts';

/** A config without the fields that have the schema's default, and those fields. */
export interface Essentials {
  readonly essential: JsonObject;
  /** `codebook.decay` -> 0.97; elements of lists by their number: `blocks.0.width`. */
  readonly defaults: { readonly [path: string]: Json };
  /** Fields that may be absent, and are: paths, sorted. */
  readonly absent: readonly string[];
}

/**
 * Parts a config into what its author decided and what the schema's defaults decided. Keys are made of the first part,
 * so that a new field with a default leaves old keys valid. Two configs of one schema that differ have different
 * essential parts: a group that may be absent stays, as `{}`, where it is there and all its fields have their defaults.
 *
 * @param config the schema's output, as plain JSON
 */
export function separateDefaults(schema: z.ZodType, config: JsonObject): Essentials {
  const found: Found = { defaults: {}, absent: [] };
  const essential = withoutDefaults(schema, config, [], found);
  return { essential: (essential ?? {}) as JsonObject, ...found, absent: found.absent.sort() };
}

interface Found {
  readonly defaults: { [path: string]: Json };
  readonly absent: string[];
}

/** Undefined for a value that goes without saying. */
function withoutDefaults(
  schema: z.ZodType,
  value: Json,
  path: readonly string[],
  found: Found,
): Json | undefined {
  const { inner, byDefault } = unwrap(schema);
  if (inner instanceof z.ZodObject && isRecord(value)) {
    // Fields one by one, not the object as a whole: it may get another field some day.
    const kept: { [key: string]: Json } = {};
    for (const [key, item] of Object.entries(value)) {
      const field = (inner.shape as { readonly [key: string]: z.ZodType | undefined })[key];
      const rest = field === undefined ? item : withoutDefaults(field, item, [...path, key], found);
      if (rest !== undefined) kept[key] = rest;
    }
    for (const key of Object.keys(inner.shape))
      if (!(key in value)) found.absent.push([...path, key].join('.'));
    // A group with a default is always there, so leaving it out when it is empty is no ambiguity.
    return byDefault !== undefined && Object.keys(kept).length === 0 ? undefined : kept;
  }
  if (byDefault !== undefined && canonicalJson(byDefault.value) === canonicalJson(value)) {
    found.defaults[path.join('.')] = value;
    return undefined;
  }
  const element = elementOf(inner);
  if (element === undefined || typeof value !== 'object' || value === null) return value;
  // Lists and records of objects: how many there are, and by what names, somebody decided.
  const parts = Object.entries(value).map(
    ([key, item]) => [key, withoutDefaults(element, item, [...path, key], found) as Json] as const,
  );
  return Array.isArray(value) ? parts.map(([, item]) => item) : Object.fromEntries(parts);
}

/** The schema of the elements of a list or record, if they are objects without a default of their own. */
function elementOf(schema: z.ZodType): z.ZodType | undefined {
  const isList = schema instanceof z.ZodArray;
  if (!isList && !(schema instanceof z.ZodRecord)) return undefined;
  const element = (isList ? schema.def.element : schema.def.valueType) as z.ZodType;
  const { inner, byDefault } = unwrap(element);
  return inner instanceof z.ZodObject && byDefault === undefined ? element : undefined;
}

interface Unwrapped {
  readonly inner: z.ZodType;
  /** What a missing field becomes, if the schema says so. */
  readonly byDefault?: { readonly value: Json };
}

function unwrap(schema: z.ZodType): Unwrapped {
  let inner = schema;
  let byDefault: Unwrapped['byDefault'];
  for (;;) {
    if (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
      byDefault ??= parseMissing(inner);
      inner = inner.def.innerType as z.ZodType;
    } else if (inner instanceof z.ZodReadonly || inner instanceof z.ZodOptional) {
      inner = inner.def.innerType as z.ZodType;
    } else {
      return byDefault === undefined ? { inner } : { inner, byDefault };
    }
  }
}

function parseMissing(schema: z.ZodType): Unwrapped['byDefault'] {
  const parsed = schema.safeParse(undefined);
  if (!parsed.success || parsed.data === undefined) return undefined;
  try {
    canonicalJson(parsed.data as Json);
    return { value: parsed.data as Json };
  } catch {
    return undefined; // no JSON, so it can't be compared with one
  }
}

function isRecord(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
