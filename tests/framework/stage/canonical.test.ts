import test from 'ava';
import fc from 'fast-check';
import { canonicalJson, cleanConfig, digestJson } from '../../../framework/stage/canonical.ts';
import type { Json } from '../../../framework/stage/json.ts';

const json = fc.jsonValue() as fc.Arbitrary<Json>;

/** The same value with the properties of all objects in another order. */
function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

test('the text is JSON of the same value', (t) => {
  fc.assert(
    fc.property(json, (value) => {
      t.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('the order of properties does not matter', (t) => {
  fc.assert(fc.property(json, (value) => canonicalJson(value) === canonicalJson(reversed(value))));
  t.is(canonicalJson({ b: 1, a: { d: [], c: null } }), '{"a":{"c":null,"d":[]},"b":1}');
});

test('values have the same text only if they are equal', (t) => {
  fc.assert(
    fc.property(json, json, (a, b) => {
      const same = canonicalJson(a) === canonicalJson(b);
      t.is(same, JSON.stringify(reversed(reversed(sorted(a)))) === JSON.stringify(sorted(b)));
    }),
  );
});

/** Independent of the code under test: properties sorted by an array sort of entries. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as { [key: string]: Json });
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([key, item]) => [key, sorted(item)]),
  );
}

test('known digests stay: keys of stored results depend on them', (t) => {
  // printf '{"a":[1,2.5,"x"],"b":null}' | sha256sum
  t.is(
    digestJson({ b: null, a: [1, 2.5, 'x'] }),
    'ebeb83367f9695ff5ceeebf14323134c890fc30c03843f006fdfd18fcb15957f',
  );
});

test('numbers that are equal have one text', (t) => {
  t.is(canonicalJson([1.0, -0, 1e3, 1e21]), '[1,0,1000,1e+21]');
});

test('undefined properties are as if they were not there', (t) => {
  t.is(canonicalJson({ a: undefined, b: 1 } as never), '{"b":1}');
  t.deepEqual(cleanConfig({ b: { a: undefined }, a: 1 }), { b: {}, a: 1 });
  t.deepEqual(Object.keys(cleanConfig({ b: 1, a: 1 })), ['b', 'a']);
});

for (const [title, value] of Object.entries({
  NaN: { a: [Number.NaN] },
  Infinity: { a: Number.POSITIVE_INFINITY },
  function: { run() {} },
  bigint: { a: 1n },
  symbol: { a: Symbol('x') },
  Date: { a: new Date(0) },
  Map: { a: { b: new Map() } },
  'undefined in an array': [undefined],
})) {
  test(`${title} is refused, with its place`, (t) => {
    const error = t.throws(() => canonicalJson(value as never), { instanceOf: TypeError });
    t.snapshot(error.message);
  });
}
