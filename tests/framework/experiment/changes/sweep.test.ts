import test from 'ava';
import fc from 'fast-check';
import { parseSweep } from '../../../../framework/experiment/changes/flags.ts';
import { rungsOf, survivorsOf } from '../../../../framework/experiment/changes/halving.ts';
import {
  choice,
  integer,
  logUniform,
  powerOfTwo,
  random,
  uniform,
} from '../../../../framework/experiment/changes/sample.ts';
import {
  chain,
  type Point,
  problemsOf,
  product,
  sweepOver,
  zip,
} from '../../../../framework/experiment/changes/sweep.ts';

/** One to four fields, each with one to five values that differ. */
const axes = fc.dictionary(
  fc.stringMatching(/^[a-d]$/),
  fc.uniqueArray(fc.oneof(fc.integer(), fc.string()), { minLength: 1, maxLength: 5 }),
  { minKeys: 1, maxKeys: 4 },
);

test('a single value in the place of a list is an error that says what to write', (t) => {
  for (const combine of [product, zip]) {
    t.deepEqual(problemsOf(combine({ a: [1], b: 3 as never })), [
      { path: ['sweep', 'b'], message: 'is a value, not a list', hint: 'write [3]' },
    ]);
  }
});

test('a product has every combination once, the last list varying fastest', (t) => {
  t.deepEqual(product({ a: [1, 2], b: ['x', 'y'] }), [
    { a: 1, b: 'x' },
    { a: 1, b: 'y' },
    { a: 2, b: 'x' },
    { a: 2, b: 'y' },
  ]);
  fc.assert(
    fc.property(axes, (lists) => {
      const points = product(lists);
      const sizes = Object.values(lists).map((values) => values.length);
      t.is(
        points.length,
        sizes.reduce((a, b) => a * b, 1),
      );
      // The digits of the number of a point, in a system whose bases are the sizes, say which values it has.
      for (const [number, point] of points.entries()) {
        let rest = number;
        for (const [path, values] of Object.entries(lists).reverse()) {
          t.is(point[path], values[rest % values.length]);
          rest = Math.floor(rest / values.length);
        }
      }
    }),
  );
});

test('products nest: of products, zips and chains', (t) => {
  const nested = product(zip({ a: [1, 2], b: [3, 4] }), chain({ c: [5] }, { d: [6, 7] }));
  t.deepEqual(nested, [
    { a: 1, b: 3, c: 5 },
    { a: 1, b: 3, d: 6 },
    { a: 1, b: 3, d: 7 },
    { a: 2, b: 4, c: 5 },
    { a: 2, b: 4, d: 6 },
    { a: 2, b: 4, d: 7 },
  ]);
  fc.assert(
    fc.property(axes, (lists) => {
      const one = Object.entries(lists).map(([path, values]) => ({ [path]: values }));
      t.deepEqual(product(...one), product(lists));
    }),
  );
});

test('zip takes the first of each, then the second of each', (t) => {
  t.deepEqual(zip({ a: [1, 2], b: [3, 4] }, [{ c: 5 }, { c: 6 }]), [
    { a: 1, b: 3, c: 5 },
    { a: 2, b: 4, c: 6 },
  ]);
});

test('a value or a point that is there twice is an error; values that only look alike are two', (t) => {
  const told = (sweep: unknown) => problemsOf(sweep).map(({ path, message }) => [path, message]);
  t.deepEqual(told(product({ a: [64, 128, 64], b: [[1], [1]] })), [
    [['sweep', 'a'], 'has 64 twice'],
    [['sweep', 'b'], 'has [1] twice'],
  ]);
  t.deepEqual(told(zip({ a: [1, 2, 1], b: [3, 4, 3] })), [
    [['sweep'], 'zip makes the point {"a":1,"b":3} twice'],
  ]);
  t.deepEqual(told(zip({ a: [1, 1], b: [3, 4] })), []);
  t.deepEqual(told(product({ a: [1, '1', null, 'null', [1], [1, 1]] })), []);
  t.deepEqual(told(chain({ a: [1, 2] }, { a: [2, 3] })), []);
  t.deepEqual(parseSweep(['a.b=64,64.0']).problems, [
    { path: ['a', 'b'], message: 'has 64 twice', hint: 'give each value once', origin: 'sweep' },
  ]);
});

test('chain has the points of its parts one after another', (t) => {
  fc.assert(
    fc.property(fc.array(axes, { maxLength: 4 }), (parts) => {
      const expected: Point[] = parts.flatMap((part) => [...product(part)]);
      t.deepEqual([...chain(...parts)], expected);
    }),
  );
});

test('combinators never throw: what is wrong is kept, and passed on by those around them', (t) => {
  const wrong = [
    zip({ a: [1, 2], b: [3] }),
    product({ a: [] }),
    product({ a: [1] }, { a: [2] }),
    product({ a: Array.from({ length: 400 }, (_, i) => i) }, { b: Array.from({ length: 300 }, (_, i) => i) }),
    random(0, { a: uniform(0, 1) }),
    random(3, { a: uniform(1, 0), b: logUniform(0, 1), c: [], d: powerOfTwo(5, 7), e: integer(0.5, 2) }),
  ];
  t.snapshot(wrong.map(problemsOf));
  for (const sweep of wrong) {
    t.is(sweep.length, 0);
    t.deepEqual(problemsOf(chain(product({ z: [1] }), sweep)), problemsOf(sweep));
    t.true(problemsOf(product(sweep, { z: [1] })).length >= problemsOf(sweep).length);
  }
});

test('random points are the same for the same seed; more points or fields leave them as they are', (t) => {
  const space = { a: uniform(-1, 1), b: choice(['x', 'y', 'z']) };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(), (n, seed) => {
      const points = random(n, space, seed);
      t.is(points.length, n);
      t.deepEqual(random(n + 3, space, seed).slice(0, n), points);
      const more = random(n, { c: integer(1, 3), ...space }, seed);
      t.deepEqual(
        more.map(({ a, b }) => ({ a, b })),
        points,
      );
    }),
  );
  t.notDeepEqual(random(5, space, 0), random(5, space, 1));
});

test('random values are in their bounds and spread over all of them', (t) => {
  const space = {
    real: uniform(2, 6),
    scale: logUniform(0.001, 1000),
    whole: integer(3, 6),
    power: powerOfTwo(60, 1024),
    name: ['a', 'b'],
  };
  const points = random(2000, space, 7);
  const column = (name: string) => points.map((point) => point[name] as number);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  t.true(column('real').every((value) => value >= 2 && value <= 6));
  t.true(column('scale').every((value) => value >= 0.001 && value <= 1000));
  // Five standard errors: 4 / sqrt(12) and 6 / sqrt(12) over sqrt(2000).
  t.true(Math.abs(mean(column('real')) - 4) < 0.13);
  t.true(Math.abs(mean(column('scale').map(Math.log10))) < 0.2);
  t.deepEqual([...new Set(column('whole'))].sort(), [3, 4, 5, 6]);
  t.deepEqual(
    [...new Set(column('power'))].sort((a, b) => a - b),
    [64, 128, 256, 512, 1024],
  );
  t.deepEqual([...new Set(column('name'))].sort(), ['a', 'b'] as never);
  t.true(
    column('real').every((value) => String(value).length <= 5),
    'short enough for a name',
  );
});

test('a flag multiplies the points of the file, and replaces the values of a path that it names', (t) => {
  const file = product({ a: [1, 2], b: [3, 4] });
  t.deepEqual(
    [...sweepOver(file, { b: [9] })],
    [
      { a: 1, b: 9 },
      { a: 2, b: 9 },
    ],
  );
  t.is(sweepOver(file, { c: [5, 6] }).length, 8);
  t.deepEqual([...sweepOver([{}], { c: [5, 6] })], [{ c: 5 }, { c: 6 }]);
});

test('rungs end with the training, and one of eta points goes on, at least one', (t) => {
  const metric = 'psnr';
  t.deepEqual(rungsOf({ metric, rungs: [50, 100, 200] }, 200), [50, 100, 200]);
  t.deepEqual(rungsOf({ metric, rungs: [50, 100] }, 180), [50, 100, 180]);
  t.deepEqual(rungsOf({ metric, rungs: { first: 20, eta: 3 } }, 200), [20, 60, 180, 200]);
  t.deepEqual(rungsOf({ metric, rungs: { first: 50, eta: 2 } }, 200), [50, 100, 200]);
  const rungs = [10];
  t.is(survivorsOf({ metric, rungs }, 9), 3);
  t.is(survivorsOf({ metric, rungs, eta: 2 }, 9), 4);
  t.is(survivorsOf({ metric, rungs, keep: 0.29 }, 100), 29);
  t.is(survivorsOf({ metric, rungs: { first: 1, eta: 4 } }, 9), 2);
  t.is(survivorsOf({ metric, rungs }, 1), 1);
});
