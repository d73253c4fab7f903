import test from 'ava';
import { z } from 'zod';
import { component, defineComponent } from '../../../framework/stage/define.ts';
import { explainZodError } from '../../../framework/stage/issues.ts';

/** One line an issue of a value for the field `it`: `path: message (hint)`. */
function explain(field: z.ZodType, value?: unknown): string[] {
  const schema = z.strictObject({ it: field });
  const input = value === undefined ? {} : { it: value };
  const parsed = schema.safeParse(input);
  const issues = parsed.success ? [] : explainZodError(parsed.error, schema, input);
  return issues.map(({ path, message, hint }) => `${path.join('.')}: ${message}${hint ? ` (${hint})` : ''}`);
}

const network = defineComponent({ role: 'network', kind: 'net', schema: z.strictObject({}) });
const convs = z.int().min(1).max(4);
const cosine = z.strictObject({ type: z.literal('cosine'), steps: z.int() });
const constant = z.strictObject({ type: z.literal('constant'), rate: z.number() });
const stepwise = z.strictObject({ type: z.literal('steps'), at: z.array(z.int()) });

const unions: { readonly [what: string]: readonly [z.ZodType, ...unknown[]] } = {
  'literals one by one': [z.union([z.literal(4), z.literal(8), z.literal(16)]), 5, '8', [8], null, {}],
  'literals at once': [z.literal([4, 8]), 5, '4'],
  'literals of several types': [
    z.union([z.literal('auto'), z.literal(0), z.literal(true), z.null()]),
    'atuo',
    1,
  ],
  'names that look like values': [z.union([z.literal('1'), z.literal(1), z.literal('true')]), 2],
  'a name or a number': [z.union([z.literal('auto'), z.number().nonnegative()]), 'atuo', -1, [1]],
  'a number or a list of them': [z.union([convs, z.array(convs)]), 'two', 7, 1.5, [1, 9], [1, '2'], {}],
  'a choice within a choice': [
    z.union([z.union([z.literal(1), z.literal(2)]), z.union([z.literal('a'), z.array(z.string())])]),
    3,
    'b',
    [1],
  ],
  'a choice that may be absent': [z.union([z.literal('a'), z.literal('b')]).optional(), 'c', null],
  'a choice with a default': [z.union([z.literal('a'), z.literal('b')]).default('a'), 'c'],
  'a choice that may be null': [z.enum(['left', 'right']).nullable(), 'lift', 3],
  'objects told apart by a field': [
    z.discriminatedUnion('type', [cosine, constant, stepwise]),
    { type: 'cosin', steps: 3 },
    { steps: 3 },
    { type: 'cosine', steps: 'x' },
    'cosine',
    [],
  ],
  'objects told apart by a field, in a plain union': [
    z.union([cosine, constant, stepwise]),
    { type: 'cosin', steps: 3 },
    { steps: 3 },
    { type: 'steps', at: [0.5] },
    { type: 'constant', steps: 3 },
    'cosine',
  ],
  'objects or a name': [z.union([z.literal('none'), cosine]), 'no', { type: 'cosine' }, 3],
  'objects of other fields': [
    z.union([z.strictObject({ a: z.int() }), z.strictObject({ b: z.int() })]),
    { c: 1 },
    { a: 'x' },
    1,
  ],
  'a component or a name': [z.union([z.literal('none'), component('network')]), 'nine', 3],
  'choices in a record': [z.record(z.string(), z.union([z.literal(1), z.literal(2)])), { left: 3 }, [], 'x'],
  'a record of chosen names': [
    z.partialRecord(z.enum(['left', 'right']), z.int()),
    { lift: 3 },
    { left: 'x' },
  ],
  'choices in a list': [z.array(z.union([z.literal('a'), z.boolean()])), ['a', 'b', true], 'a'],
  'choices in a pair': [
    z.tuple([z.literal('a'), z.union([z.literal(1), z.literal(2)])]),
    ['b', 1],
    ['a', 3],
    ['a'],
  ],
  'choices behind a transform': [z.union([z.literal('a'), z.literal('b')]).transform((it) => it.length), 'c'],
  'numbers in bounds': [z.union([z.number().gt(0).lt(1), z.literal('auto')]), 2, 'x'],
};

for (const [what, [schema, ...values]] of Object.entries(unions)) {
  test(`every possibility of a choice is listed: ${what}`, (t) => {
    const told = values.map((value) => [JSON.stringify(value), ...explain(schema, value)].join('\n  '));
    for (const lines of told) t.true(lines.includes('\n'), lines);
    t.snapshot([...told, ['nothing', ...explain(schema)].join('\n  ')].join('\n'));
  });
}

test('a value that is a choice is no issue', (t) => {
  t.deepEqual(explain(unions['a number or a list of them']![0], [1, 4]), []);
  t.deepEqual(explain(unions['a component or a name']![0], network({})), []);
  t.deepEqual(explain(unions['objects told apart by a field']![0], { type: 'constant', rate: 0.5 }), []);
});

test('a schema that is made of itself is explained, too', (t) => {
  const tree: z.ZodType = z.lazy(() => z.union([z.int(), z.array(tree)]));
  t.snapshot([explain(tree, 'x'), explain(tree, [1, ['x']]), explain(tree)]);
});

test('multiples, keys and a schema of its own words', (t) => {
  t.deepEqual(explain(z.int().multipleOf(8), 12), ['it: must be a multiple of 8']);
  const own = z.strictObject({ a: z.int() }, { error: () => 'takes a size' });
  t.deepEqual(explain(own, 3), ['it: takes a size']);
});
