import { z } from 'zod';
import { canonicalJson } from './canonical.ts';
import type { Component } from './component.ts';
import type { Json, JsonObject } from './json.ts';

/** Name of the mark in a schema's metadata; copies of a schema inherit it. */
const mark = 'peco-exp.added';

interface Mark {
  readonly was: Json;
}

/** What a field may have been: any of its values, but not absence. */
type Was<S extends z.ZodType> = undefined extends z.output<S> ? never : z.output<S>;

/**
 * A field that a component gets when results exist already: `added(z.number().default(0), { was: 0 })`. Keys leave it
 * out while it has the value `was`, so that those results stay valid.
 *
 * `was` is what results from before the field mean, so it never changes; the default may, since keys don't look at it.
 * A forgotten `added` costs a rerun. To take the field away again, or to make it one that may be absent, count up
 * `version` of the definition. A field that may be absent needs no `added`: while it is absent, it is in no key. In
 * the schema of list elements or record values `added` marks their fields, not the elements themselves.
 *
 * @throws TypeError if the schema takes `undefined`, or if `was` isn't JSON
 */
export function added<S extends z.ZodType>(schema: S, { was }: { readonly was: NoInfer<Was<S>> }): S {
  canonicalJson(was as Json);
  const holder: z.ZodType<{ readonly field?: unknown }> = z.object({ field: schema });
  const made = [{}, { field: undefined }].map((input) => holder.safeParse(input));
  if (made.some(({ success, data }) => success && data?.field === undefined))
    throw new TypeError(
      'added() is not for a field that may be absent: leave it out, such a field is in no key while it is absent',
    );
  return schema.meta({ [mark]: { was } });
}

/** The config of a component as it counts in keys. */
export function configInKeys({ keyed, config }: Component): JsonObject {
  return keyed ?? config;
}

/**
 * A config without the fields that are `added` and mean what was meant before them. Two configs of one schema that differ
 * have different results here.
 *
 * @param config the schema's output, as plain JSON
 */
export function withoutAdded(schema: z.ZodType, config: JsonObject): JsonObject {
  return strip(schema, config) as JsonObject;
}

function strip(schema: z.ZodType, value: Json): Json {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodNullable)
    return value === null ? null : strip(inner.def.innerType as z.ZodType, value);
  if (inner instanceof z.ZodUnion) return stripOption(inner.options as z.ZodType[], value);
  if (Array.isArray(value)) {
    return (value as readonly Json[]).map((item, index) => {
      const element = elementOf(inner, index);
      return element ? strip(element, item) : item;
    });
  }
  if (!isRecord(value)) return value;
  if (inner instanceof z.ZodObject) return stripFields(inner.shape as Shape, value);
  if (!(inner instanceof z.ZodRecord)) return value;
  const values = inner.valueType as z.ZodType;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, strip(values, item)]));
}

interface Shape {
  readonly [key: string]: z.ZodType | undefined;
}

function stripFields(shape: Shape, value: JsonObject): JsonObject {
  const kept: { [key: string]: Json } = {};
  for (const [key, item] of Object.entries(value)) {
    const field = Object.hasOwn(shape, key) ? shape[key] : undefined;
    const rest = field ? strip(field, item) : item;
    const known = field && markOf(field);
    // A group that was added may have got fields since: they don't count on either side.
    const isAsBefore = known && canonicalJson(rest) === canonicalJson(strip(field, known.was));
    if (!isAsBefore) kept[key] = rest;
  }
  return kept;
}

/**
 * A value of a union, by the option that it is of. Where that isn't plain to see, or wouldn't be any more without the
 * added fields, they stay: two values of two options must not become one.
 */
function stripOption(options: readonly z.ZodType[], value: Json): Json {
  const only = (of: Json) => {
    const [option, ...others] = options.filter((one) => couldBe(one, of));
    return others.length === 0 ? option : undefined;
  };
  const option = only(value);
  if (!option) return value;
  const rest = strip(option, value);
  return only(rest) === option ? rest : value;
}

/** Whether a value may be of a schema, even if fields are missing; yes where that takes more than a look. */
function couldBe(schema: z.ZodType, value: Json): boolean {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodNullable)
    return value === null || couldBe(inner.def.innerType as z.ZodType, value);
  if (inner instanceof z.ZodUnion) return (inner.options as z.ZodType[]).some((one) => couldBe(one, value));
  if (inner instanceof z.ZodLiteral) return inner.values.has(value as never);
  if (inner instanceof z.ZodEnum) return inner.options.includes(value as never);
  if (inner instanceof z.ZodNumber) return typeof value === 'number';
  if (inner instanceof z.ZodString) return typeof value === 'string';
  if (inner instanceof z.ZodBoolean) return typeof value === 'boolean';
  if (inner instanceof z.ZodNull) return value === null;
  if (inner instanceof z.ZodArray || inner instanceof z.ZodTuple) return Array.isArray(value);
  if (inner instanceof z.ZodRecord) return isRecord(value);
  if (!(inner instanceof z.ZodObject)) return true;
  const shape = inner.shape as Shape;
  const { catchall } = inner.def;
  const isOpen = catchall !== undefined && !(catchall instanceof z.ZodNever);
  return (
    isRecord(value) &&
    Object.entries(value).every(([key, item]) => {
      const field = Object.hasOwn(shape, key) ? shape[key] : undefined;
      return field ? couldBe(field, item) : isOpen;
    })
  );
}

/** The schema of what comes out, without what wraps it. */
function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional) return unwrap(schema.def.innerType as z.ZodType);
  if (schema instanceof z.ZodLazy) return unwrap(schema.def.getter() as z.ZodType);
  if (schema instanceof z.ZodPipe) return unwrap(schema.out as z.ZodType);
  const inner = wrappedBy(schema);
  return inner ? unwrap(inner) : schema;
}

/** What a wrapper holds whose value is never absent. */
function wrappedBy(schema: z.ZodType): z.ZodType | undefined {
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodNonOptional
  ) {
    return schema.def.innerType as z.ZodType;
  }
  return undefined;
}

/** None below a wrapper that lets the field be absent: then absence would mean two things. */
function markOf(schema: z.ZodType): Mark | undefined {
  const own = schema.meta()?.[mark] as Mark | undefined;
  if (own) return own;
  const inner = wrappedBy(schema);
  return inner && markOf(inner);
}

function elementOf(schema: z.ZodType, index: number): z.ZodType | undefined {
  if (schema instanceof z.ZodArray) return schema.element as z.ZodType;
  if (!(schema instanceof z.ZodTuple)) return undefined;
  return (schema.def.items[index] ?? schema.def.rest ?? undefined) as z.ZodType | undefined;
}

function isRecord(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
