import test from 'ava';
import fc from 'fast-check';
import { BadJson, readLists } from '../../../../components/data/decode/json-lists.ts';

/** A text in parts of these lengths, in turn, in one array as `disk.parts` has them. */
function* partsOf(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  const array = new Uint8Array(bytes.length);
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const part = bytes.subarray(at, at + lengths[n % lengths.length]!);
    array.set(part);
    yield array.subarray(0, part.length);
    at += part.length;
  }
}

function objects(stringUnit: 'binary' | 'binary-ascii') {
  const value = fc.jsonValue({ depthSize: 'small', stringUnit });
  return fc.record({ a: fc.array(value), 'b"]': value, c: fc.array(value), d: value });
}
const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });

test('elements of lists are those of JSON.parse, with their places, however the file is cut into parts', (t) => {
  fc.assert(
    fc.property(
      objects('binary'),
      lengths,
      fc.constantFrom(0, 2),
      fc.boolean(),
      (whole, cut, indent, mark) => {
        const text = JSON.stringify(whole, null, indent);
        const bytes = Buffer.from(mark ? `\uFEFF${text}` : text);
        const found: { readonly [list: string]: unknown[] } = { a: [], c: [] };
        const fields = readLists(partsOf(bytes, cut), ['a', 'c'], ({ list, index, start, length, parse }) => {
          t.is(index, found[list]!.length);
          const parsed = parse();
          t.deepEqual(JSON.parse(bytes.toString('utf8', start, start + length)), parsed);
          found[list]!.push(parsed);
        });
        t.deepEqual(fields, Object.keys(whole));
        t.deepEqual(found, JSON.parse(JSON.stringify({ a: whole.a, c: whole.c })));
      },
    ),
    { numRuns: 80 },
  );
});

test('of a text with one change the lists are those of JSON.parse, or it is refused', (t) => {
  const change = fc.record({ at: fc.nat(), to: fc.constantFrom(...'[]{}",:0\\ x'), cut: fc.boolean() });
  fc.assert(
    fc.property(objects('binary-ascii'), lengths, change, (whole, cut, { at, to, cut: ends }) => {
      const text = JSON.stringify({ a: whole.a, c: whole.c });
      const place = at % text.length;
      const changed = text.slice(0, place) + (ends ? '' : to + text.slice(place + 1));
      const read = (): { a: unknown[]; c: unknown[] } => {
        const found: { [list: string]: unknown[] } = { a: [], c: [] };
        readLists(partsOf(Buffer.from(changed), cut), ['a', 'c'], ({ list, parse }) =>
          found[list]!.push(parse()),
        );
        return found as { a: unknown[]; c: unknown[] };
      };
      let expected: { a?: unknown; c?: unknown };
      try {
        expected = JSON.parse(changed);
      } catch {
        t.throws(read, { instanceOf: BadJson }, changed);
        return;
      }
      if (Object.keys(expected).length === 2 && Array.isArray(expected.a) && Array.isArray(expected.c))
        t.deepEqual(read(), expected as never);
    }),
    { numRuns: 150 },
  );
});
