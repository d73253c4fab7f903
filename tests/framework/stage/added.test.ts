import test from 'ava';
import fc from 'fast-check';
import { z } from 'zod';
import { added, withoutAdded } from '../../../framework/stage/added.ts';
import { canonicalJson } from '../../../framework/stage/canonical.ts';
import { defineComponent } from '../../../framework/stage/define.ts';
import type { JsonObject } from '../../../framework/stage/json.ts';

const flat = z.strictObject({ type: z.literal('flat'), value: z.number() });
const cosine = { type: z.literal('cosine'), from: z.number() };

/** As it was, and the same with fields that were added everywhere that a field can be. */
const old = z.strictObject({
  name: z.string(),
  steps: z.number().default(100),
  codebook: z.strictObject({ size: z.number() }),
  perceptual: z.strictObject({ weight: z.number().default(1) }).optional(),
  note: z.string().nullable().default(null),
  blocks: z.array(z.strictObject({ width: z.number() })).default([]),
  heads: z.record(z.string(), z.strictObject({ depth: z.number().default(2) })).optional(),
  pair: z.tuple([z.number(), z.strictObject({ at: z.number() })]).optional(),
  rate: z.discriminatedUnion('type', [flat, z.strictObject(cosine)]).optional(),
  crop: z.union([z.number(), z.strictObject({ scale: z.number() })]).optional(),
  warmup: z.number().optional(),
});
const ema = z.strictObject({
  decay: z.number().default(0.9),
  late: added(z.number().default(1), { was: 1 }),
});
const now = z.strictObject({
  ...old.shape,
  seedless: added(z.boolean().default(false), { was: false }),
  ema: added(ema.prefault({}), { was: { decay: 0.9, late: 1 } }),
  fixed: added(z.strictObject({ a: z.number().default(1) }).default({ a: 2 }), { was: { a: 2 } }),
  list: added(z.array(z.number()).readonly().default([]), { was: [] }),
  codebook: z.strictObject({ size: z.number(), revive: added(z.number().default(0), { was: 0 }) }),
  perceptual: z
    .strictObject({ weight: z.number().default(1), power: added(z.number().default(2), { was: 2 }) })
    .optional(),
  blocks: z
    .array(z.strictObject({ width: z.number(), stride: added(z.number().default(1), { was: 1 }) }))
    .default([]),
  heads: z
    .record(
      z.string(),
      z.strictObject({ depth: z.number().default(2), bias: added(z.boolean().default(true), { was: true }) }),
    )
    .optional(),
  pair: z
    .tuple([z.number(), z.strictObject({ at: z.number(), by: added(z.number().default(1), { was: 1 }) })])
    .optional(),
  rate: z
    .discriminatedUnion('type', [
      flat,
      z.strictObject({ ...cosine, to: added(z.number().default(0), { was: 0 }) }),
    ])
    .optional(),
  crop: z
    .union([
      z.number(),
      z.strictObject({ scale: z.number(), flip: added(z.boolean().default(true), { was: true }) }),
    ])
    .optional(),
});

function inKeys(schema: z.ZodType, input: unknown): JsonObject {
  return withoutAdded(schema, JSON.parse(JSON.stringify(schema.parse(input))));
}

const small = fc.constantFrom(0, 0.9, 1, 2, 100);
const optional = <T>(parts: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(parts, { requiredKeys: [] });
const oldParts = {
  name: fc.constantFrom('a', 'b'),
  codebook: fc.record({ size: small }),
  steps: small,
  perceptual: optional({ weight: small }),
  note: fc.constantFrom(null, '', 'x'),
  blocks: fc.array(fc.record({ width: small }), { maxLength: 2 }),
  heads: fc.dictionary(fc.constantFrom('a', 'b'), optional({ depth: small }), {
    maxKeys: 2,
    noNullPrototype: true,
  }),
  pair: fc.tuple(small, fc.record({ at: small })),
  rate: fc.oneof(
    fc.record({ type: fc.constant('flat'), value: small }),
    fc.record({ type: fc.constant('cosine'), from: small }),
  ),
  crop: fc.oneof(small, fc.record({ scale: small })),
  warmup: small,
};
const oldInputs = fc.record(oldParts, { requiredKeys: ['name', 'codebook'] });
const newInputs = fc.record(
  {
    ...oldParts,
    seedless: fc.boolean(),
    ema: optional({ decay: small, late: small }),
    fixed: optional({ a: small }),
    list: fc.array(small, { maxLength: 1 }),
    codebook: fc.record({ size: small, revive: small }, { requiredKeys: ['size'] }),
    perceptual: optional({ weight: small, power: small }),
    blocks: fc.array(fc.record({ width: small, stride: small }, { requiredKeys: ['width'] }), {
      maxLength: 2,
    }),
    heads: fc.dictionary(fc.constantFrom('a', 'b'), optional({ depth: small, bias: fc.boolean() }), {
      maxKeys: 2,
      noNullPrototype: true,
    }),
    pair: fc.tuple(small, fc.record({ at: small, by: small }, { requiredKeys: ['at'] })),
    rate: fc.oneof(
      fc.record({ type: fc.constant('flat'), value: small }),
      fc.record({ type: fc.constant('cosine'), from: small, to: small }, { requiredKeys: ['type', 'from'] }),
    ),
    crop: fc.oneof(small, fc.record({ scale: small, flip: fc.boolean() }, { requiredKeys: ['scale'] })),
  },
  { requiredKeys: ['name', 'codebook'] },
);

test('a field that was added is left out while it has the value from before, wherever it is', (t) => {
  const input = {
    name: 'a',
    codebook: { size: 8 },
    perceptual: {},
    blocks: [{ width: 4 }, { width: 8, stride: 2 }],
    heads: { one: { bias: false }, two: {} },
    rate: { type: 'cosine', from: 1 },
    crop: { scale: 1, flip: false },
  };
  t.deepEqual(inKeys(now, input) as object, {
    name: 'a',
    steps: 100,
    codebook: { size: 8 },
    perceptual: { weight: 1 },
    note: null,
    blocks: [{ width: 4 }, { width: 8, stride: 2 }],
    heads: { one: { depth: 2, bias: false }, two: { depth: 2 } },
    rate: { type: 'cosine', from: 1 },
    crop: { scale: 1, flip: false },
  });
});

test('a config from before the fields has the key that it had', (t) => {
  fc.assert(
    fc.property(oldInputs, (input) => t.deepEqual(inKeys(now, input), inKeys(old, input))),
    { numRuns: 1000 },
  );
});

test('configs that differ differ in keys, and others do not', (t) => {
  const config = (input: unknown) => canonicalJson(now.parse(input) as never);
  fc.assert(
    fc.property(newInputs, newInputs, (a, b) =>
      t.is(canonicalJson(inKeys(now, a)) === canonicalJson(inKeys(now, b)), config(a) === config(b)),
    ),
    { numRuns: 1000 },
  );
  // Two random configs are seldom alike: one in which a single part is another's.
  fc.assert(
    fc.property(newInputs, newInputs, fc.constantFrom(...Object.keys(now.shape)), (a, other, part) => {
      const b = { ...a, [part]: (other as JsonObject)[part] };
      if (!now.safeParse(b).success) return;
      t.is(canonicalJson(inKeys(now, a)) === canonicalJson(inKeys(now, b)), config(a) === config(b));
    }),
    { numRuns: 1500 },
  );
});

test('a default that changes later says itself in the key; the value from before does not', (t) => {
  const before = z.strictObject({ revive: added(z.number().default(5), { was: 5 }) });
  const after = z.strictObject({ revive: added(z.number().default(7), { was: 5 }) });
  t.deepEqual(inKeys(before, {}) as object, {});
  t.deepEqual(inKeys(after, {}) as object, { revive: 7 });
  t.deepEqual(inKeys(after, { revive: 5 }) as object, {});
});

test('a new field without `added` is in the key: results from before are not found by it', (t) => {
  t.deepEqual(inKeys(z.strictObject({ revive: z.number().default(0) }), {}) as object, { revive: 0 });
});

test('marks outlive what a schema is refined and described by', (t) => {
  const schema = z.strictObject({
    a: added(z.number().default(0), { was: 0 })
      .describe('a field')
      .refine((value) => value < 9),
    b: added(z.number(), { was: 0 }).readonly().default(0),
    c: added(z.number().default(0), { was: 0 }).nullable(),
  });
  t.deepEqual(inKeys(schema, { c: null }) as object, { c: null });
  t.deepEqual(inKeys(schema, { a: 1, b: 2, c: 0 }) as object, { a: 1, b: 2, c: 0 });
});

test('a field that may be absent is no added one: absence would mean two things', (t) => {
  const refused = { instanceOf: TypeError, message: /may be absent/ };
  // @ts-expect-error: undefined is among its values
  t.throws(() => added(z.number().optional(), { was: 0 }), refused);
  const later = z.strictObject({ a: added(z.number().default(1), { was: 0 }).optional() });
  const partial = z.strictObject({ a: added(z.number(), { was: 0 }) }).partial();
  for (const schema of [later, partial])
    t.deepEqual(inKeys(schema, { a: 0 }) as object, { a: 0 }, 'a rerun, and no wrong result');
});

test('what could be of two options of a union stays as it is', (t) => {
  const option = z.strictObject({ width: z.number(), bias: added(z.boolean().default(true), { was: true }) });
  const plain = z.strictObject({ width: z.number() });
  const alike = z.strictObject({ part: z.union([plain, option]) });
  t.notDeepEqual(
    inKeys(alike, { part: { width: 1, bias: true } }),
    inKeys(alike, { part: { width: 1 } }),
    'one has a bias, the other has no such field',
  );
  const byKind = z.strictObject({
    part: z.union([
      z.strictObject({ kind: added(z.literal(['a', 'b']), { was: 'a' }), n: z.number() }),
      z.strictObject({ n: z.number() }),
    ]),
  });
  t.notDeepEqual(inKeys(byKind, { part: { kind: 'a', n: 1 } }), inKeys(byKind, { part: { n: 1 } }));
});

test('what a transformation makes is in the key as it is', (t) => {
  const schema = z.strictObject({
    size: z.string().transform((text) => ({ text, length: text.length })),
    old: z.preprocess(
      (value) => value ?? {},
      z.strictObject({ a: added(z.number().default(1), { was: 1 }) }),
    ),
  });
  t.deepEqual(inKeys(schema, { size: 'abc', old: {} }) as object, {
    size: { text: 'abc', length: 3 },
    old: {},
  });
});

test('a component has its config for stages and, for keys, the part that counts', (t) => {
  const made = defineComponent({
    role: 'tokenizer',
    kind: 'grown',
    schema: z.strictObject({
      steps: z.int(),
      warmup: z.int().optional(),
      revive: added(z.number().default(0), { was: 0 }),
    }),
    derive: ({ steps }) => ({ warmup: Math.floor(steps / 10) }),
  });
  const { config, keyed } = made({ steps: 50 });
  t.deepEqual(config as object, { steps: 50, warmup: 5, revive: 0 });
  t.deepEqual(keyed, { steps: 50, warmup: 5 });
  t.deepEqual(made({ steps: 50, revive: 3 }).keyed, { steps: 50, warmup: 5, revive: 3 });
});
