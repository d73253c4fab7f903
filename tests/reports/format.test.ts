import test from 'ava';
import fc from 'fast-check';
import { formatSigned, formatValue, shownValue } from '../../reports/format.ts';

test('numbers have the digits that were asked for', (t) => {
  t.is(formatValue(72.544, 2), '72.54');
  t.is(formatValue(-1, 1), '−1.0');
  t.is(formatValue(1234567890, 0), '1234567890');
});

test('what is not zero is not shown as zero', (t) => {
  t.is(formatValue(0.00213, 2), '0.0021');
  t.is(formatValue(3e-8, 2), '3.0e-8');
  t.is(formatValue(-0.4, 0), '−0.40');
  t.is(formatValue(5e-324, 10), '4.9e-324');
});

test('huge numbers have a power of ten', (t) => {
  t.is(formatValue(1e21, 2), '1.00e+21');
  t.is(formatValue(-1.5e300, 0), '−1.50e+300');
  t.is(formatValue(1e307 * 100, 0), '∞');
  t.is(shownValue(1e307 * 100, 0), Number.POSITIVE_INFINITY);
});

test('zero has no sign, other differences have theirs', (t) => {
  t.is(formatSigned(0, 2), '0.00');
  t.is(formatSigned(-0, 2), '0.00');
  t.is(formatSigned(0.001, 2), '+0.0010');
  t.is(formatSigned(-0.001, 2), '−0.0010');
  t.is(formatSigned(9.4, 1), '+9.4');
});

test('any number is shown near to what it is, with its sign', (t) => {
  const value = fc.double({ noNaN: true, min: -1e300, max: 1e300 });
  fc.assert(
    fc.property(value, fc.integer({ min: 0, max: 10 }), (number, digits) => {
      const shown = shownValue(number, digits);
      t.is(Math.sign(shown) + 0, Math.sign(number) + 0);
      const allowed = Math.max(0.51 * 10 ** -digits, Math.abs(number) * 0.051);
      t.true(number === shown || Math.abs(shown - number) <= allowed, `${number}: ${shown}`);
    }),
  );
});
