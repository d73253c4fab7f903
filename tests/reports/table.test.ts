import test from 'ava';
import { longCsv, wideCsv } from '../../reports/csv.ts';
import { ablationMarkdown } from '../../reports/markdown.ts';
import type { CellResult, TableConfig } from '../../reports/results.ts';
import { buildTable } from '../../reports/table.ts';

const columns = [
  { metric: 'top1', label: 'top-1 %', scale: 100, digits: 2, better: 'higher' as const },
  { metric: 'error', label: 'error', scale: 1, digits: 1, better: 'lower' as const },
];

function cell(variant: string, seed: number, metrics: { [name: string]: number }): CellResult {
  return { variant, task: 'probe', seed, input: `${variant}/probe/${seed}`, engine: 'onnx', metrics };
}

const results = [
  cell('beit', 0, { top1: 0.7, error: 3 }),
  cell('beit', 1, { top1: 0.72, error: 5 }),
  cell('=peco|x', 0, { top1: 0.75, error: 4 }),
];
const config: TableConfig = {
  experiment: 'test',
  baseline: 'beit',
  variants: ['scratch', 'beit', '=peco|x'],
  cells: results,
  missing: [{ variant: '=peco|x', task: 'probe', seed: 1, reason: 'the stage failed' }],
};

test('a row a variant: mean, spread, n and difference to the baseline, by hand', (t) => {
  const table = buildTable(config, results, columns);
  const [scratch, beit, peco] = table.rows;
  t.deepEqual(scratch.cells, [undefined, undefined]);
  t.is(beit.cells[0]?.mean.toFixed(6), '71.000000');
  t.is(beit.cells[0]?.deviation?.toFixed(6), Math.SQRT2.toFixed(6));
  t.is(beit.cells[0]?.difference, undefined);
  t.is(peco.cells[0]?.difference?.toFixed(6), '4.000000');
  t.is(peco.cells[0]?.deviation, undefined);
  t.is(peco.cells[0]?.n, 1);
});

test('best follows the direction of the metric', (t) => {
  const table = buildTable(config, [...results, cell('scratch', 0, { top1: 0.1, error: 9 })], columns);
  t.deepEqual(
    table.rows.map(({ cells }) => cells.map((one) => one?.best)),
    [
      [false, false],
      [false, true],
      [true, true],
    ],
  );
});

test('CSV is wide by row, escapes formulas, and leaves missing cells empty', (t) => {
  t.snapshot(wideCsv(buildTable(config, results, columns)));
});

test('a negative difference is a number for a spreadsheet, not text', (t) => {
  const lower = [results[0], results[1], cell('=peco|x', 0, { top1: 0.6, error: 4 })];
  t.regex(wideCsv(buildTable(config, lower, columns)), /,-11\.000000,/);
});

test('every single number is in the long CSV, unscaled', (t) => {
  t.deepEqual(
    longCsv(results.slice(0, 1)),
    'variant,task,seed,metric,value\nbeit,probe,0,top1,0.7\nbeit,probe,0,error,3\n',
  );
});

test('markdown names baseline, missing cells and what was used, and escapes pipes', (t) => {
  const table = buildTable(config, results, columns);
  t.snapshot(ablationMarkdown({ config, table, results, inputs: {}, published: true }));
});

const swept: TableConfig = {
  ...config,
  baselineOf: {
    'beit@size=1': 'beit@size=1',
    'beit@size=2': 'beit@size=2',
    'peco@size=2': 'beit@size=2',
    other: null,
  },
  variants: ['beit@size=1', 'beit@size=2', 'peco@size=2', 'other'],
  missing: [
    ...[0, 1].map((seed) => ({
      variant: 'beit@size=1',
      task: 'probe',
      seed,
      reason: 'stopped at rung 1 of 3: psnr 14.21, 7th of 9, best 3 went on',
      stopped: true,
    })),
    { variant: 'peco@size=2', task: 'probe', seed: 1, reason: 'the stage failed' },
  ],
};
const points = [
  cell('beit@size=2', 0, { top1: 0.5, error: 3 }),
  cell('peco@size=2', 0, { top1: 0.75, error: 4 }),
  cell('other', 0, { top1: 0.7, error: 4 }),
];

test('where a sweep changes the baseline, each row is compared with its own', (t) => {
  const { rows } = buildTable({ ...swept, cells: points }, points, columns);
  t.deepEqual(
    rows.map(({ cells }) => cells[0]?.difference),
    [undefined, undefined, 25, undefined],
  );
});

test('rows that were stopped are in the tables, as such', (t) => {
  const table = buildTable({ ...swept, cells: points }, points, columns);
  t.snapshot(wideCsv(table));
  t.snapshot(ablationMarkdown({ config: swept, table, results: points, inputs: {}, published: false }));
});
