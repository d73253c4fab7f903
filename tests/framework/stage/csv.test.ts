import test from 'ava';
import fc from 'fast-check';
import { formatCsv } from '../../../framework/stage/csv.ts';
import { parseCsv, unguarded } from '../../support/csv.ts';
import { anyText } from '../../support/text.ts';

test('numbers have all their digits, and undefined is an empty field', (t) => {
  t.is(
    formatCsv([
      [0.1 + 0.2, 3e-8, 1e21, -0, -5],
      [5e-324, Number.MAX_VALUE, undefined, '', 100],
    ]),
    '0.30000000000000004,3e-8,1e+21,-0,-5\n5e-324,1.7976931348623157e+308,,,100\n',
  );
});

test('text that a spreadsheet would compute is kept from it, and text that looks kept is too', (t) => {
  t.is(
    formatCsv([['=1+1', '-ema', '+x', '@x', "'=1+1", "o'x", 'a=1']]),
    "'=1+1,'-ema,'+x,'@x,''=1+1,o'x,a=1\n",
  );
});

test('whatever text there is, it stays in its field', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyText, anyText), { minLength: 1 }), (rows) => {
      const read = parseCsv(formatCsv(rows));
      t.deepEqual(
        read.map((fields) => fields.map(unguarded)),
        rows,
      );
      for (const field of read.flat()) t.notRegex(field, /^[=+\-@\t\r]/);
    }),
  );
});

test('every number reads as the same number', (t) => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      t.is(Number(parseCsv(formatCsv([[value]]))[0][0]), value);
    }),
  );
});
