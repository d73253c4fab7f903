import { z } from 'zod';

/** One of the things that a schema takes: a value, or any of a sort that is described in words. */
export interface Choice {
  readonly text: string;
  /** Whether it is one value: a name (a string), or another one. */
  readonly type: 'name' | 'value' | 'sort';
}

/** The schemas without what wraps them (optional, default, ...), the options of unions one by one. */
export function unwrap(schema: z.ZodType, depth = 0): z.ZodType[] {
  if (depth > 20) return []; // a schema that is made of itself
  const inner = (one: unknown) => unwrap(one as z.ZodType, depth + 1);
  if (schema instanceof z.ZodUnion) return (schema.options as z.ZodType[]).flatMap(inner);
  if (schema instanceof z.ZodPipe)
    return schema.in instanceof z.ZodTransform ? inner(schema.out) : inner(schema.in);
  if (schema instanceof z.ZodIntersection) return [schema.def.left, schema.def.right].flatMap(inner);
  if (schema instanceof z.ZodLazy) return inner(schema.def.getter());
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNonOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodCatch ||
    schema instanceof z.ZodReadonly
  ) {
    return inner(schema.def.innerType);
  }
  if (schema instanceof z.ZodNullable) return [...inner(schema.def.innerType), z.null()];
  return [schema];
}

/** Schemas of what is at a path in a value of the schema: several where there are unions. */
export function schemasAt(schema: z.ZodType, path: readonly (string | number)[]): z.ZodType[] {
  let schemas = [schema];
  for (const key of path) schemas = schemas.flatMap((one) => fieldSchemas(one, key));
  return schemas.flatMap((one) => unwrap(one));
}

/** All that these schemas take, each once, in their order. */
export function choicesOf(schemas: readonly z.ZodType[], depth = 0): readonly Choice[] {
  const found = new Map<string, Choice>();
  const choices = schemas.flatMap((schema) => unwrap(schema)).flatMap((schema) => describe(schema, depth));
  for (const choice of choices) {
    const name = `${choice.type} ${choice.text}`;
    if (!found.has(name)) found.set(name, choice);
  }
  return [...found.values()];
}

function describe(schema: z.ZodType, depth: number): Choice[] {
  if (schema instanceof z.ZodLiteral) return [...schema.values].map(literal);
  if (schema instanceof z.ZodEnum) return schema.options.map(literal);
  if (schema instanceof z.ZodBoolean) return [true, false].map(literal);
  if (schema instanceof z.ZodNull) return [literal(null)];
  const text = describeSort(schema, depth);
  return text === undefined ? [] : [{ text, type: 'sort' }];
}

function literal(value: unknown): Choice {
  return { text: String(value), type: typeof value === 'string' ? 'name' : 'value' };
}

function describeSort(schema: z.ZodType, depth: number): string | undefined {
  if (schema instanceof z.ZodNumber) return describeNumber(schema);
  if (schema instanceof z.ZodString) return 'a string';
  if (schema instanceof z.ZodTuple) return `a list of ${schema.def.items.length}`;
  if (schema instanceof z.ZodArray) {
    // A list of lists may be one of lists of lists.
    const elements = depth > 0 ? [] : choicesOf([schema.element as z.ZodType], depth + 1);
    const texts = elements.map(({ text, type }) => (type === 'name' ? JSON.stringify(text) : text));
    return texts.length === 0 ? 'a list' : `a list (each ${texts.join(' or ')})`;
  }
  if (schema instanceof z.ZodObject) {
    const names = Object.keys(schema.shape);
    return names.length === 0 ? 'an object' : `an object (${names.join(', ')})`;
  }
  if (schema instanceof z.ZodRecord) return 'an object';
  if (schema instanceof z.ZodCustom) {
    // What it is for is known to its own complaint only.
    const message = schema.safeParse(undefined).error?.issues[0]?.message ?? '';
    return /^expected (an? [^,]*)/.exec(message)?.[1];
  }
  return undefined;
}

interface Bound {
  readonly check?: string;
  readonly value?: number;
  readonly inclusive?: boolean;
}

function describeNumber(schema: z.ZodNumber): string {
  const bounds = (schema.def.checks ?? []).map(
    (check): Bound => (check as z.core.$ZodCheck)._zod.def as Bound,
  );
  const whole = schema.isInt ? 'a whole number' : 'a number';
  const low = bounds.find(({ check }) => check === 'greater_than');
  const high = bounds.find(({ check }) => check === 'less_than');
  if (low?.inclusive && high?.inclusive) return `${whole} from ${low.value} to ${high.value}`;
  const parts = [
    ...(low ? [low.inclusive ? `of at least ${low.value}` : `above ${low.value}`] : []),
    ...(high ? [high.inclusive ? `of at most ${high.value}` : `below ${high.value}`] : []),
  ];
  return parts.length === 0 ? whole : `${whole} ${parts.join(' and ')}`;
}

/** Schemas of a field, or of an element, as they are written: with what wraps them. */
export function fieldSchemas(schema: z.ZodType, key: string | number): z.ZodType[] {
  return unwrap(schema).flatMap((one): z.ZodType[] => {
    if (one instanceof z.ZodObject) {
      const shape = one.shape as { readonly [key: string]: z.ZodType | undefined };
      return Object.hasOwn(shape, key) ? [shape[key]!] : [];
    }
    if (one instanceof z.ZodArray) return [one.element as z.ZodType];
    if (one instanceof z.ZodRecord) return [one.valueType as z.ZodType];
    if (one instanceof z.ZodTuple)
      return [one.def.items[Number(key)] as z.ZodType | undefined].filter((item) => item !== undefined);
    return [];
  });
}
