import fs from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { type BySeed, compare, summarise } from '../../reports/statistics.ts';
import { probabilityBeyond, quantileOfT } from '../../reports/student.ts';

const fixture = JSON.parse(fs.readFileSync(new URL('../fixtures/student.json', import.meta.url), 'utf8')) as {
  readonly quantiles: readonly (readonly [probability: number, freedom: number, value: number])[];
  readonly pairs: readonly {
    readonly own: readonly number[];
    readonly other: readonly number[];
    readonly mean: number;
    readonly sd: number;
    readonly interval: readonly [number, number];
    readonly p: number;
  }[];
  readonly tails: readonly (readonly [t: number, freedom: number, p: number])[];
};

function bySeed(values: readonly number[]): BySeed {
  return new Map(values.map((value, seed) => [seed, value]));
}

function close(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-11 * Math.max(1, Math.abs(b));
}

test('mean and sample standard deviation of a hand-computed case', (t) => {
  // mean 5, squares 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32, 32 / 7
  const { mean, deviation, n } = summarise([2, 4, 4, 4, 5, 5, 7, 9]);
  t.is(mean, 5);
  t.is(deviation?.toFixed(12), Math.sqrt(32 / 7).toFixed(12));
  t.is(n, 8);
});

test('a single value has no spread', (t) => {
  t.deepEqual(summarise([3]), { mean: 3, deviation: undefined, n: 1 });
});

test('nothing to summarise is an error, not NaN', (t) => {
  t.throws(() => summarise([]), { instanceOf: RangeError });
});

test('huge and tiny values are summarised like others', (t) => {
  for (const unit of [1e308, 1e200, 1e-200, 1e-308]) {
    const { mean, deviation } = summarise([unit, 1.5 * unit]);
    t.true(close(mean / unit, 1.25), `${unit}`);
    t.true(close((deviation ?? 0) / unit, Math.sqrt(0.125)), `${unit}`);
  }
});

test('equal values have that value as their mean, and no spread at all', (t) => {
  const value = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(value, fc.integer({ min: 2, max: 9 }), (same, n) => {
      const summary = summarise(new Array<number>(n).fill(same));
      t.true(summary.mean === same, `${same}: ${summary.mean}`);
      t.is(summary.deviation, 0);
    }),
  );
});

test("quantiles of Student's t are those of scipy", (t) => {
  for (const [probability, freedom, value] of fixture.quantiles)
    t.true(close(quantileOfT(probability, freedom), value), `${probability}, ${freedom}`);
});

test("tails of Student's t are those of scipy", (t) => {
  for (const [value, freedom, p] of fixture.tails)
    t.true(close(probabilityBeyond(value, freedom), p), `${value}, ${freedom}`);
});

test('paired differences, their 95 % interval and p value are those of scipy', (t) => {
  for (const { own, other, mean, sd, interval, p } of fixture.pairs) {
    const difference = compare(bySeed(own), bySeed(other));
    t.is(difference?.n, own.length);
    t.true(close(difference?.mean ?? Number.NaN, mean));
    t.true(close(difference?.deviation ?? Number.NaN, sd));
    t.true(close(difference?.interval?.[0] ?? Number.NaN, interval[0]));
    t.true(close(difference?.interval?.[1] ?? Number.NaN, interval[1]));
    t.true(close(difference?.p ?? Number.NaN, p));
  }
});

test('only seeds that both have are compared, in any order', (t) => {
  const own = new Map([
    [3, 8],
    [1, 5],
    [7, 100],
  ]);
  const other = new Map([
    [1, 4],
    [2, 50],
    [3, 5],
  ]);
  // 5 - 4 and 8 - 5
  t.like(compare(own, other), { mean: 2, n: 2 });
  t.is(compare(own, new Map([[2, 1]])), undefined);
});

test('a single pair has a difference without spread or interval', (t) => {
  t.deepEqual(compare(bySeed([0.75]), bySeed([0.5])), {
    mean: 0.25,
    deviation: undefined,
    n: 1,
    interval: undefined,
    p: undefined,
  });
});

test('rounding is no difference: the same changes in another order', (t) => {
  // (0.1 - 0.2) + (0.2 - 0.3) + (0.3 - 0.1) is 5.6e-17 in floating point.
  const moved = compare(bySeed([0.1, 0.2, 0.3]), bySeed([0.2, 0.3, 0.1]));
  t.is(moved?.mean, 0);
  t.is(moved?.p, 1);
  // 0.75 - 0.7 and 0.85 - 0.8 differ by 1e-16 in floating point.
  t.is(compare(bySeed([0.75, 0.85]), bySeed([0.7, 0.8]))?.deviation, 0);
});

test('seeds that gain the same have no interval and no p value, as nothing says how far others would be', (t) => {
  // R's t.test refuses such data as "essentially constant".
  const gain = compare(bySeed([0.75, 0.875]), bySeed([0.5, 0.625]));
  t.deepEqual(gain, { mean: 0.25, deviation: 0, n: 2, interval: undefined, p: undefined });
  t.like(compare(bySeed([0.5, 0.625]), bySeed([0.5, 0.625])), { mean: 0, interval: [0, 0], p: 1 });
});

test('a difference turns its sign with its rows', (t) => {
  const value = fc.double({ noNaN: true, min: -1e300, max: 1e300 });
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 5 }), (pairs) => {
      const own = bySeed(pairs.map(([a]) => a));
      const other = bySeed(pairs.map(([, b]) => b));
      const [there, back] = [compare(own, other), compare(other, own)];
      t.true(there?.mean === -(back?.mean ?? Number.NaN));
      t.is(there?.deviation, back?.deviation);
    }),
  );
});
