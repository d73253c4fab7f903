import test from 'ava';
import type { Column } from '../../reports/config.ts';
import type { CellResult, TableConfig } from '../../reports/results.ts';
import { buildTable } from '../../reports/table.ts';
import { cell, columns, tableOf } from './support.ts';

const [top1] = columns;

function build(cells: readonly CellResult[], other: Partial<TableConfig> = {}, of = [top1]) {
  const config = tableOf(cells, other);
  const { rows, ...rest } = buildTable(config, cells, of);
  return { ...rest, rows: Object.fromEntries(rows.map((row) => [row.variant, row.cells[0]])) };
}

test('a row a variant: mean, spread and n, by hand', (t) => {
  const { rows } = build(
    [cell('beit', 0, { top1: 0.5 }), cell('beit', 1, { top1: 0.75 }), cell('peco', 0, { top1: 0.75 })],
    { variants: ['scratch', 'beit', 'peco'], baseline: 'beit' },
  );
  t.is(rows.scratch, undefined);
  // mean 5/8; both are 1/8 away from it; sqrt(2/64)
  t.like(rows.beit, { mean: 0.625, deviation: Math.sqrt(1 / 32), n: 2, difference: undefined });
  t.like(rows.peco, { mean: 0.75, deviation: undefined, n: 1 });
});

test('a difference is of the seeds that both rows have', (t) => {
  const { rows } = build([
    cell('a', 0, { top1: 0.5 }),
    cell('a', 1, { top1: 0.9 }),
    cell('b', 1, { top1: 0.8 }),
  ]);
  // The means, 0.7 and 0.8, would say that b is better; on the seed that both have it is worse.
  t.is(rows.b?.difference?.mean.toFixed(12), '-0.100000000000');
  t.is(rows.b?.difference?.n, 1);
});

test('the spread of a difference is that of its pairs, smaller than that of the rows where they move together', (t) => {
  const { rows } = build([
    ...[0.5, 0.75, 0.25].map((value, seed) => cell('a', seed, { top1: value })),
    ...[0.625, 0.875, 0.5].map((value, seed) => cell('b', seed, { top1: value })),
  ]);
  // Differences 1/8, 1/8, 1/4: mean 1/6, squares 2/24² + (2/24)²... = 1/96, / 2
  t.is(rows.b?.difference?.mean.toFixed(12), (1 / 6).toFixed(12));
  t.is(rows.b?.difference?.deviation?.toFixed(12), Math.sqrt(1 / 192).toFixed(12));
  t.true((rows.b?.deviation ?? 0) > 0.18);
});

test('no difference where no seed is shared, or where the baseline has no value', (t) => {
  const apart = build([cell('a', 0, { top1: 0.5 }), cell('b', 1, { top1: 0.8 })]);
  t.is(apart.rows.b?.difference, undefined);
  const alone = build([cell('b', 0, { top1: 0.8 })], { variants: ['a', 'b'], baseline: 'a' });
  t.is(alone.rows.b?.difference, undefined);
});

test('seeds that share a tokenizer have no spread, and no row has one in its difference to them', (t) => {
  const cells = ['a', 'b', 'c'].flatMap((variant, row) =>
    [0, 1].map((seed) => cell(variant, seed, { top1: row + seed * (row + 1) })),
  );
  const shared = [{ variant: 'b', task: 'probe', stages: ['tokenizer/b'] }];
  const own = build(cells, { shared }).rows;
  t.like(own.b, { mean: 2, deviation: undefined, n: 2, shared: ['tokenizer/b'] });
  t.deepEqual(own.b?.difference, {
    ...{ mean: 1.5, deviation: undefined, n: 2, interval: undefined, p: undefined },
    ...{ images: undefined, corrected: undefined, significant: false },
  });
  t.true((own.c?.deviation ?? 0) > 0);
  t.true((own.c?.difference?.deviation ?? 0) > 0);
  const baseline = build(cells, { shared, baseline: 'b' }).rows;
  t.true((baseline.c?.deviation ?? 0) > 0);
  t.is(baseline.c?.difference?.deviation, undefined);
});

test('where a sweep changes the baseline, each row is compared with its own', (t) => {
  const { rows } = build(
    [
      cell('beit@size=2', 0, { top1: 0.5 }),
      cell('peco@size=2', 0, { top1: 0.75 }),
      cell('other', 0, { top1: 0.7 }),
    ],
    { baselineOf: { 'beit@size=2': 'beit@size=2', 'peco@size=2': 'beit@size=2', other: null } },
  );
  t.deepEqual(
    Object.values(rows).map((one) => one?.difference?.mean),
    [undefined, 0.25, undefined],
  );
});

function best(
  values: { readonly [variant: string]: readonly (number | undefined)[] },
  column: Column = top1,
) {
  const cells = Object.entries(values).flatMap(([variant, seeds]) =>
    seeds.flatMap((value, seed) => (value === undefined ? [] : [cell(variant, seed, { top1: value })])),
  );
  const { rows } = build(cells, {}, [column]);
  return Object.keys(values).filter((variant) => rows[variant]?.best);
}

test('a row that is called as what every object has, and has no baseline, is compared with none', (t) => {
  const cells = [cell('beit', 0, { top1: 0.5 }), cell('constructor', 0, { top1: 0.75 })];
  const table = buildTable(tableOf(cells, { baselineOf: { beit: 'beit' } }), cells, [top1]);
  t.deepEqual(
    table.rows.map(({ baseline }) => baseline),
    ['beit', null],
  );
});

test('best follows the direction of the metric', (t) => {
  const values = { a: [0.1, 0.1001], b: [0.7, 0.7], c: [0.3, 0.3] };
  t.deepEqual(best(values), ['b']);
  // The baseline, which both others are behind.
  t.deepEqual(best(values, { ...top1, better: 'lower' }), ['a']);
});

test('rows that look equal are best together', (t) => {
  const rows = { c: [0.7, 0.7001], a: [0.72001, 0.72012], b: [0.72003, 0.72014] };
  t.deepEqual(best(rows), ['a', 'b']);
});

test('nothing is best where nothing was beaten', (t) => {
  t.deepEqual(best({ a: [0.7, 0.7] }), []);
  t.deepEqual(best({ a: [0.72001, 0.72001], b: [0.72004, 0.72004] }), []);
});

test('a row that lacks a seed is not best by its lucky ones', (t) => {
  t.deepEqual(best({ b: [0.5, 0.6], a: [0.6, 0.701], c: [undefined, 0.9] }), ['a']);
  t.deepEqual(best({ a: [0.5, 0.7], c: [undefined, 0.9] }), []);
});

/** A pair of seeds that are this far above those of `a`, with the mean in the middle. */
const above = (low: number, high: number) => [0.5 + low, 0.6 + high];

test('nothing is best within the noise: of one seed, or of seeds that disagree', (t) => {
  const a = [0.5, 0.6];
  t.deepEqual(best({ a: [0.5], b: [0.9] }), []);
  // All seeds gain the same, as shares of a few codes do.
  t.deepEqual(best({ a: [0.5, 0.625], b: [0.75, 0.875] }), []);
  t.deepEqual(best({ a, b: above(0.3, 0.1) }), []);
  t.deepEqual(best({ a, b: above(0.21, 0.19) }), ['b']);
  // The baseline is best, but not beyond the noise of all.
  t.deepEqual(best({ a, b: above(-0.3, -0.1), c: above(-0.201, -0.2) }), []);
});

test('p values are corrected for the rows of the column, and only for those that were tested', (t) => {
  // Differences 0.2 ± 0.01: t = 20 with one degree of freedom, p = 1 - atan(20) / (π / 2).
  const p = 1 - (2 / Math.PI) * Math.atan(20);
  const cells = (names: string) =>
    [...names].flatMap((name) =>
      (name === 'a' ? [0.5, 0.6] : above(0.21, 0.19)).map((value, seed) => cell(name, seed, { top1: value })),
    );
  const one = build([...cells('ab'), cell('c', 0, { top1: 0.7 })]).rows;
  t.true(Math.abs((one.b?.difference?.corrected ?? 0) - p) < 1e-12);
  t.true(one.b?.difference?.significant);
  t.like(one.c?.difference, { corrected: undefined, significant: false });
  const two = build(cells('abc')).rows;
  t.true(Math.abs((two.b?.difference?.corrected ?? 0) - 2 * p) < 1e-12);
  t.false(two.b?.difference?.significant);
});

/** A cell with a value for each image, whose mean is the metric. */
function seen(variant: string, seed: number, right: string, test = 'data'): CellResult {
  const perImage = { top1: [...right].map(Number) };
  const top1 = perImage.top1.reduce((sum, one) => sum + one, 0) / right.length;
  return { ...cell(variant, seed, { top1 }), perImage, test };
}

test('one seed has no spread, but the noise of the test images where results of the same images are stored', (t) => {
  const base = seen('a', 0, '0110'.repeat(25));
  const better = '1110'.repeat(25);
  const { rows } = build([
    base,
    seen('b', 0, better),
    seen('c', 0, better, 'other'),
    seen('d', 0, better.slice(4)),
  ]);
  t.like(rows.b, {
    deviation: undefined,
    difference: { interval: undefined, p: undefined, corrected: undefined },
  });
  const { interval, images } = rows.b!.difference!.images!;
  t.is(images, 100);
  // A quarter of the images is gained: sqrt(0.25 · 0.75 / 100) = 0.0433, times 1.96.
  t.true(Math.abs(interval[0] - 0.165) < 0.011 && Math.abs(interval[1] - 0.335) < 0.011);
  t.is(rows.c?.difference?.images, undefined);
  t.is(rows.d?.difference?.images, undefined);
});

/** A cell with values on drawn test sets. */
function drawn(variant: string, seed: number, values: readonly number[], more: object = {}): CellResult {
  const resampled = { images: 50, draws: 'these', values: { top1: values }, ...more };
  return { ...cell(variant, seed, { top1: 0.5 }), resampled, test: 'data' };
}

test('metrics that are no means have the noise of the same drawn test sets, the mean over seeds', (t) => {
  const base = Array.from({ length: 1000 }, (_, index) => Math.sin(index));
  const by = (noise: number) => base.map((value, index) => value + noise * index);
  const { rows } = build([
    ...[0, 1].map((seed) => drawn('a', seed, base)),
    drawn('b', 0, by(1e-4)),
    drawn('b', 1, by(3e-4)),
    drawn('c', 0, by(1e-4), { draws: 'others' }),
    drawn('d', 0, by(1e-4), { images: 51 }),
    drawn('e', 0, by(1e-4).slice(1)),
  ]);
  const { interval, ...noise } = rows.b!.difference!.images!;
  // Differences are 0, 2e-4, to 0.1998: np.quantile(np.arange(1000) * 2e-4, [0.025, 0.975]). One of them is at most 0.
  t.true(Math.abs(interval[0] - 0.004995) < 1e-9 && Math.abs(interval[1] - 0.194805) < 1e-9);
  t.deepEqual(noise, { p: (2 * 2) / 1001, images: 50, resamples: 1000 });
  for (const other of ['c', 'd', 'e']) t.is(rows[other]?.difference?.images, undefined);
});

test('of several seeds each image has its mean difference, and both kinds of noise must be exceeded', (t) => {
  // Each of six seeds gains the same image of 50, one of them another one, too: t = 7 over seeds.
  const seeds = [...Array(6).keys()];
  const { rows } = build([
    ...seeds.map((seed) => seen('a', seed, '0'.repeat(50))),
    ...seeds.map((seed) => seen('b', seed, `1${seed === 0 ? 1 : 0}${'0'.repeat(48)}`)),
  ]);
  const { difference } = rows.b!;
  t.like(difference, { n: 6, significant: false });
  t.true(difference!.p! < 0.001);
  // So many test sets have neither, and count on either side.
  const none = (48 / 50) ** 50;
  t.true(Math.abs(difference!.corrected! - 2 * none) < 0.02, String(difference!.corrected));
});

test('two columns have two titles, whatever tasks and labels there are', (t) => {
  const [a, b] = ['probe x', 'x'].map((label, index) => ({ ...top1, metric: `m${index}`, label }));
  const cells = [cell('v', 0, { m0: 1, m1: 2 }, 'tokenizer'), cell('v', 0, { m1: 3 }, 'probe')];
  const { columns: shown } = build(cells, {}, [a, b]);
  t.deepEqual(
    shown.map(({ title }) => title),
    ['probe: x', 'tokenizer: probe x', 'x'],
  );
});

test('names of metrics that objects have anyway are like others', (t) => {
  const odd = ['__proto__', 'constructor', 'toString'].map((metric) => ({ ...top1, metric, label: metric }));
  const metrics = JSON.parse('{ "__proto__": 1 }') as { [name: string]: number };
  const { columns: shown, unmeasured } = build([cell('a', 0, metrics)], {}, odd);
  t.deepEqual(
    shown.map(({ metric }) => metric),
    ['__proto__'],
  );
  t.deepEqual(
    unmeasured.map(({ metric }) => metric),
    ['constructor', 'toString'],
  );
});
