import test from 'ava';
import fc from 'fast-check';
import { longCsv, wideCsv } from '../../../reports/formats/csv.ts';
import type { CellResult, TableConfig } from '../../../reports/results.ts';
import { buildTable } from '../../../reports/table.ts';
import { parseCsv, unguarded } from '../../support/csv.ts';
import { anyText } from '../../support/text.ts';
import { cell, columns, tableOf } from '../support.ts';

function wide(cells: readonly CellResult[], other: Partial<TableConfig> = {}, of = columns): string {
  return wideCsv(buildTable(tableOf(cells, other), cells, of));
}

/** The rows of a wide CSV by the names of its columns. */
function records(text: string): { [name: string]: string }[] {
  const [head, ...rows] = parseCsv(text);
  return rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index]])));
}

test('mean, spread, number and paired difference of every metric; what is missing is empty', (t) => {
  const cells = [
    cell('beit', 0, { top1: 0.5, error: 3 }),
    cell('beit', 1, { top1: 0.75, error: 5 }),
    cell('=peco|x', 0, { top1: 0.75, error: 3 }),
  ];
  t.snapshot(wide(cells, { variants: ['scratch', 'beit', '=peco|x'], baseline: 'beit' }));
});

test('both files have the numbers that the stages reported, in full', (t) => {
  const cells = [cell('a', 0, { top1: 3e-8, error: 1e21 }), cell('b', 0, { top1: 0.1 + 0.2, error: -7 })];
  t.deepEqual(
    records(wide(cells)).map((row) => [row['probe.top1.mean'], row['probe.error.mean']]),
    [
      ['3e-8', '1e+21'],
      ['0.30000000000000004', '-7'],
    ],
  );
  t.deepEqual(
    records(longCsv(cells)).map(({ metric, value }) => [metric, value]),
    [
      ['top1', '3e-8'],
      ['error', '1e+21'],
      ['top1', '0.30000000000000004'],
      ['error', '-7'],
    ],
  );
});

test('a metric that two columns show is there once, and no name twice', (t) => {
  const [share] = columns;
  const percent = { ...share, label: '%', scale: 100 };
  const [head] = parseCsv(
    wide([cell('a', 0, { top1: 0.5 })], {}, [percent, { ...share, label: 'share', scale: 1 }]),
  );
  t.deepEqual(head, [...new Set(head)]);
  t.is(head.filter((name) => name.endsWith('.mean')).length, 1);
});

test('stages that all seeds share are named, and the spread is left out', (t) => {
  const cells = ['a', 'b'].flatMap((name) => [0, 1].map((seed) => cell(name, seed, { top1: seed / 2 })));
  const shared = [{ variant: 'b', task: 'probe', stages: ['tokenizer/b', 'network/vgg'] }];
  t.like(records(wide(cells, { shared })), [
    { variant: 'a', 'probe.top1.shared': '' },
    {
      variant: 'b',
      'probe.top1.shared': 'tokenizer/b network/vgg',
      'probe.top1.n': '2',
      'probe.top1.sd': '',
      'probe.top1.difference': '0',
      'probe.top1.difference_sd': '',
      'probe.top1.difference_low95': '',
      'probe.top1.pairs': '2',
    },
  ]);
});

test('rows that were dropped, and the baseline of each row', (t) => {
  const cells = [cell('beit@size=2', 0, { top1: 0.5 }), cell('peco@size=2', 0, { top1: 0.75 })];
  t.snapshot(
    wide(cells, {
      variants: ['beit@size=1', 'beit@size=2', 'peco@size=2'],
      baselineOf: {
        'beit@size=1': 'beit@size=1',
        'beit@size=2': 'beit@size=2',
        'peco@size=2': 'beit@size=2',
      },
      missing: [
        {
          variant: 'beit@size=1',
          task: 'probe',
          seed: 0,
          reason: 'dropped at rung 1 of 3: psnr 14.21, 7th of 9, best 3 went on',
          dropped: true,
        },
      ],
    }),
  );
});

test('whatever names and numbers there are, both files give them back', (t) => {
  const number = fc.double({ noNaN: true, min: -1e300, max: 1e300 });
  fc.assert(
    fc.property(
      fc.uniqueArray(anyText, { minLength: 1, maxLength: 4 }),
      anyText,
      number,
      (names, metric, value) => {
        const cells = names.map((name) => cell(name, 0, Object.fromEntries([[metric, value]])));
        const [{ label: _, ...column }] = columns;
        const table = parseCsv(wide(cells, {}, [{ ...column, metric, label: 'x' }]));
        t.deepEqual(
          table.slice(1).map(([name, mean]) => [unguarded(name), Number(mean) + 0]),
          names.map((name) => [name, value + 0]),
        );
        t.deepEqual(
          parseCsv(longCsv(cells))
            .slice(1)
            .map(([name, , , ...rest]) => [unguarded(name), unguarded(rest[0]), Number(rest[1])]),
          names.map((name) => [name, metric, value]),
        );
      },
    ),
  );
});
