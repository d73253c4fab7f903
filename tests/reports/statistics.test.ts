import test from 'ava';
import { summarise } from '../../reports/statistics.ts';

test('mean and sample standard deviation of a hand-computed case', (t) => {
  // mean 5, squares 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32, 32 / 7
  t.deepEqual(summarise([2, 4, 4, 4, 5, 5, 7, 9]), { mean: 5, deviation: Math.sqrt(32 / 7), n: 8 });
});

test('a single value has no spread', (t) => {
  t.deepEqual(summarise([3]), { mean: 3, deviation: undefined, n: 1 });
});

test('nothing to summarise is an error, not NaN', (t) => {
  t.throws(() => summarise([]), { instanceOf: RangeError });
});
