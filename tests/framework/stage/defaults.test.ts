import test from 'ava';
import fc from 'fast-check';
import { z } from 'zod';
import { canonicalJson } from '../../../framework/stage/canonical.ts';
import { separateDefaults } from '../../../framework/stage/defaults.ts';
import type { JsonObject } from '../../../framework/stage/json.ts';

const perceptual = z.strictObject({ weight: z.number().default(1), layers: z.array(z.string()).default([]) });
const schema = z.strictObject({
  steps: z.number().default(100),
  name: z.string(),
  codebook: z.strictObject({ size: z.number(), decay: z.number().default(0.99) }),
  ema: z.strictObject({ decay: z.number().default(0.9), on: z.boolean().default(false) }).prefault({}),
  fixed: z.strictObject({ a: z.number().default(1) }).default({ a: 2 }),
  perceptual: perceptual.optional(),
  note: z.string().nullable().default(null),
  blocks: z.array(z.strictObject({ width: z.number(), stride: z.number().default(1) })).default([]),
  heads: z.record(z.string(), z.strictObject({ depth: z.number().default(2) })).optional(),
});

function essentialOf(input: z.input<typeof schema>): JsonObject {
  return separateDefaults(schema, JSON.parse(JSON.stringify(schema.parse(input)))).essential;
}

test('what equals a default is left out, wherever it is, and told by path', (t) => {
  const config = schema.parse({ name: 'a', codebook: { size: 8 }, ema: { on: true } });
  const { essential, defaults } = separateDefaults(schema, JSON.parse(JSON.stringify(config)));
  t.deepEqual(essential as object, { name: 'a', codebook: { size: 8 }, ema: { on: true }, fixed: { a: 2 } });
  const left = { steps: 100, 'codebook.decay': 0.99, 'ema.decay': 0.9, note: null, blocks: [] };
  t.deepEqual(defaults as object, left);
});

test('the same inside lists and records of objects', (t) => {
  const config = schema.parse({
    name: 'a',
    codebook: { size: 8 },
    blocks: [{ width: 4 }, { width: 8, stride: 2 }],
    heads: { one: {} },
  });
  const { essential, defaults } = separateDefaults(schema, JSON.parse(JSON.stringify(config)));
  t.deepEqual(essential.blocks as object, [{ width: 4 }, { width: 8, stride: 2 }]);
  t.deepEqual(essential.heads as object, { one: {} });
  t.is(defaults['blocks.0.stride'], 1);
  t.is(defaults['heads.one.depth'], 2);
});

test('fields that may be absent and are, are told', (t) => {
  const given = { name: 'a', codebook: { size: 8 } };
  t.deepEqual(separateDefaults(schema, schema.parse(given) as never).absent as unknown, [
    'heads',
    'perceptual',
  ]);
});

test('a group that may be absent is not left out when all its fields have their defaults', (t) => {
  t.deepEqual(essentialOf({ name: 'a', codebook: { size: 8 }, perceptual: {} }).perceptual, {});
  t.false('perceptual' in essentialOf({ name: 'a', codebook: { size: 8 } }));
});

test('a value that is written out and equal to its default makes no difference', (t) => {
  t.deepEqual(
    essentialOf({ name: 'a', steps: 100, codebook: { size: 8, decay: 0.99 }, ema: { decay: 0.9 } }),
    essentialOf({ name: 'a', codebook: { size: 8 } }),
  );
});

test('configs that differ have different essential parts', (t) => {
  const small = fc.constantFrom(0, 0.9, 0.99, 1, 2, 100);
  const configs = fc.record(
    {
      steps: small,
      name: fc.constantFrom('a', 'b'),
      codebook: fc.record({ size: small, decay: small }, { requiredKeys: ['size'] }),
      ema: fc.record({ decay: small, on: fc.boolean() }, { requiredKeys: [] }),
      fixed: fc.record({ a: small }, { requiredKeys: [] }),
      perceptual: fc.record(
        { weight: small, layers: fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 }) },
        { requiredKeys: [] },
      ),
      note: fc.constantFrom(null, '', 'x'),
      blocks: fc.array(fc.record({ width: small, stride: small }, { requiredKeys: ['width'] }), {
        maxLength: 2,
      }),
      heads: fc.dictionary(fc.constantFrom('a', 'b'), fc.record({ depth: small }, { requiredKeys: [] }), {
        maxKeys: 2,
        noNullPrototype: true,
      }),
    },
    { requiredKeys: ['name', 'codebook'] },
  );
  fc.assert(
    fc.property(configs, configs, (a, b) => {
      const same = canonicalJson(schema.parse(a) as never) === canonicalJson(schema.parse(b) as never);
      t.is(canonicalJson(essentialOf(a)) === canonicalJson(essentialOf(b)), same);
    }),
    { numRuns: 2000 },
  );
});
