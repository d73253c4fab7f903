import test from 'ava';
import fc from 'fast-check';
import { nothingPublished, type Published } from '../../../reports/comparable.ts';
import type { Column } from '../../../reports/config.ts';
import { ablationMarkdown } from '../../../reports/formats/markdown.ts';
import { markdownTable, plain } from '../../../reports/formats/markdown-text.ts';
import type { CellResult, TableConfig } from '../../../reports/results.ts';
import { buildTable } from '../../../reports/table.ts';
import type { Warning } from '../../../reports/warnings.ts';
import { anyText } from '../../support/text.ts';
import { cell, columns, tableOf } from '../support.ts';

interface Options {
  readonly pictures?: readonly string[];
  readonly warnings?: readonly Warning[];
  readonly columns?: readonly Column[];
  readonly facts?: readonly string[];
  readonly published?: Published;
  readonly shown?: readonly string[];
}

function markdown(cells: readonly CellResult[], other: Partial<TableConfig> = {}, options: Options = {}) {
  const config = tableOf(cells, other);
  const table = buildTable(config, cells, options.columns ?? columns);
  return ablationMarkdown({
    ...{ config, table, shown: options.shown ?? [] },
    warnings: options.warnings ?? [],
    facts: options.facts ?? [],
    published: options.published ?? nothingPublished,
    pictures: new Map((options.pictures ?? []).map((name) => [name, Buffer.alloc(0)])),
  });
}

/** The cells of the table's second column, by row. */
function cellsOf(text: string): { [variant: string]: string } {
  const rows = text.split('\n').filter((line) => line.startsWith('| '));
  return Object.fromEntries(
    rows.slice(2).map((row) =>
      row
        .split('|')
        .slice(1, 3)
        .map((part) => part.trim()),
    ),
  );
}

test('the table says how to read it, names the baseline, what is missing, what was used, and what papers report', (t) => {
  const cells = [
    cell('beit', 0, { top1: 0.7, error: 3 }),
    cell('beit', 1, { top1: 0.72, error: 5 }),
    cell('pixel', 0, { top1: 0.71, error: 3 }),
    cell('pixel', 1, { top1: 0.715, error: 5 }),
    cell('-pe|co', 1, { top1: 0.75 }),
  ];
  t.snapshot(
    markdown(
      cells,
      {
        variants: ['scratch', 'beit', 'pixel', '-pe|co'],
        baseline: 'beit',
        missing: [{ variant: '-pe|co', task: 'probe', seed: 0, reason: 'the stage <failed>' }],
      },
      {
        columns: [...columns, { ...columns[0], metric: 'psnr', label: 'PSNR dB' }],
        facts: ['Engine: onnx'],
        pictures: ['reconstructions.png', 'predictions-detection (2).png'],
        published: {
          rows: [
            {
              ...{ method: 'PeCo', epochs: 800 },
              cells: [{ value: 0.845, sure: 'quoted', source: 'another paper' }, undefined],
            },
          ],
          differences: [
            {
              ...{ variant: 'pixel', baseline: 'beit', methods: ['PeCo', 'BEiT'], column: 0, here: 0.0025 },
              papers: [{ epochs: 800, difference: 0.013 }],
            },
          ],
        },
      },
    ),
  );
});

test('with one seed and one row there is nothing to explain but the number', (t) => {
  t.snapshot(markdown([cell('beit', 0, { top1: 0.7 })], {}, { columns: [columns[1], columns[0]] }));
});

test('seeds that share a tokenizer are counted in the cell instead of a spread, and explained below', (t) => {
  const cells = ['beit', 'peco'].flatMap((variant, row) =>
    [0, 1].map((seed) => cell(variant, seed, { top1: 0.65 + row / 100 + seed / 50 })),
  );
  const text = markdown(cells, {
    shared: [{ variant: 'peco', task: 'probe', stages: ['tokenizer/peco', 'network/vgg'] }],
  });
  t.deepEqual(cellsOf(text), {
    'beit (baseline)': '66.00 ± 1.41 (2)',
    peco: '67.00 (2 seeds, 1 tokenizer, 1 network) +1.00',
  });
  t.regex(
    text,
    /\n\(2 seeds, 1 tokenizer, 1 network\): what is named last ran once for all of these seeds\./,
  );
});

test('a single seed has no spread, whatever it shares', (t) => {
  const shared = [{ variant: 'beit', task: 'probe', stages: ['tokenizer/beit'] }];
  t.is(cellsOf(markdown([cell('beit', 0, { top1: 0.7 })], { shared }))['beit (baseline)'], '70.00 (1)');
});

test('differences have their own interval, and say on how many seeds they rest where some have no partner', (t) => {
  const text = markdown([
    ...[0.5, 0.6, 0.7].map((top1, seed) => cell('a', seed, { top1 })),
    ...[0.51, 0.63].map((top1, seed) => cell('b', seed, { top1 })),
    ...[0.51, 0.63].map((top1, seed) => cell('c', seed + 1, { top1 })),
    ...[0.5, 0.6, 0.7].map((top1, seed) => cell('d', seed, { top1 })),
    ...[0.5, 0.6, 0.7, 0.8].map((top1, seed) => cell('e', seed, { top1 })),
  ]);
  // b: +1 and +3; c: -9 and -7; both with a standard error of 1, times 12.706.
  t.deepEqual(cellsOf(text), {
    'a (baseline)': '60.00 ± 10.00 (3)',
    b: '57.00 ± 8.49 (2) +2.00 [−10.71, 14.71]',
    c: '57.00 ± 8.49 (2) −8.00 [−20.71, 4.71]',
    d: '60.00 ± 10.00 (3) 0.00 [0.00, 0.00]',
    e: '65.00 ± 12.91 (4) 0.00 [0.00, 0.00] (3 of 4)',
  });
  t.regex(text, /\(3 of 4\): only so many of its seeds are in the baseline's row too/);
});

test('one seed shows the noise of the test images in braces, and says that it is no more than that', (t) => {
  const right = ['0110', '1110'].map((four) => [...four.repeat(25)].map(Number));
  const cells = right.map((top1, row) => ({
    ...cell(['beit', 'peco'][row], 0, { top1: top1.reduce((sum, one) => sum + one) / 100 }),
    ...{ perImage: { top1 }, test: 'data' },
  }));
  const text = markdown(cells);
  t.regex(text, /paired percentile bootstrap, 10,000 resamples\)/);
  // The interval is that of tests/reports/table.test.ts; a whole number of the 100 images.
  t.regex(cellsOf(text).peco, /^75\.00 \(1\) \+25\.00 \{1[67]\.00, 3[34]\.00\}$/);
  t.regex(text, /\nIn braces its 95 % interval over test images .*: the noise of the test set alone/);
  t.notRegex(text, /In brackets|Bold|beyond the noise/);
  const drawn = [0, 0.2].map((by, row) => ({
    ...cell(['beit', 'peco'][row], 0, { top1: 0.4 + by }, 'drawn'),
    ...{ resampled: { images: 9, draws: 'd', values: { top1: [0.3 + by, 0.5 + by] } }, test: 'data' },
  }));
  const both = markdown([...cells, ...drawn]);
  t.regex(both, /\{20\.00, 20\.00\}/);
  t.regex(both, /bootstrap, 10,000 resamples, 2 where a number is no mean over images\)/);
});

test('a sweep that has just begun says so, and names some of thousands of missing cells', (t) => {
  const missing = (count: number) =>
    Array.from({ length: count }, (_, seed) => ({ variant: 'beit', task: 'probe', seed, reason: 'not run' }));
  const text = markdown([], { baseline: 'beit', variants: ['beit'], missing: missing(2400) });
  t.regex(text, /\n\nThere is no result yet\.\n\n/);
  t.is(text.match(/- Missing: beit, probe, seed \d+: not run\./g)?.length, 20);
  t.regex(text, /\n- Missing: 2,380 more cells; report\.json names all\.\n/);
  t.regex(text, /\n- No result so far has: top-1 % \(top1\), error \(error\)\.\n/);
  t.notRegex(markdown([cell('a', 0, { top1: 1 })], { missing: missing(21) }), /more cells/);
});

test('a spread or a difference that is not zero is not printed as zero', (t) => {
  const text = markdown([
    ...[0.7, 0.70001].map((top1, seed) => cell('a', seed, { top1 })),
    ...[0.69999, 0.7000001].map((top1, seed) => cell('b', seed, { top1 })),
    ...[3e-10, 3e-10].map((top1, seed) => cell('c', seed, { top1 })),
  ]);
  t.deepEqual(cellsOf(text), {
    'a (baseline)': '**70.00** ± 0.00071 (2)',
    b: '70.00 ± 0.00071 (2) −0.00099* [−0.0011, −0.00093]',
    c: '3.0e-8 ± 0.00 (2) −70.00* [−70.01, −69.99]',
  });
});

test('rows that were dropped are in the table, as such, and rows of a swept baseline name theirs', (t) => {
  const cells = [
    cell('beit@size=2', 0, { top1: 0.5, error: 3 }),
    cell('peco@size=2', 0, { top1: 0.75, error: 4 }),
    cell('other', 0, { top1: 0.7, error: 4 }),
  ];
  const reason = 'dropped at rung 1 of 3: psnr 14.21, 7th of 9, best 3 went on';
  t.snapshot(
    markdown(cells, {
      baselineOf: {
        'beit@size=1': 'beit@size=1',
        'beit@size=2': 'beit@size=2',
        'peco@size=2': 'beit@size=2',
        other: null,
      },
      variants: ['beit@size=1', 'beit@size=2', 'peco@size=2', 'other'],
      missing: [
        ...[0, 1].map((seed) => ({ variant: 'beit@size=1', task: 'probe', seed, reason, dropped: true })),
        { variant: 'peco@size=2', task: 'probe', seed: 1, reason: 'the stage failed' },
      ],
    }),
  );
});

test('text is shown as itself', (t) => {
  t.snapshot(plain('| \\| <b>&amp;</b> *a* _b_ snake_case `c` [d](e) ~f~ $g$ \n\u001b[31m'));
});

test('whatever labels and names there are, each is in its own cell on its own line', (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(anyText, { minLength: 1, maxLength: 4 }), anyText, (names, label) => {
      const cells = names.map((name) => cell(name, 0, { top1: 0.5 }));
      const [column] = columns;
      const lines = markdown(cells, {}, { columns: [{ ...column, label }] }).split('\n');
      const table = lines.filter((line) => line.startsWith('|'));
      t.is(table.length, names.length + 2);
      // Bars in text are entities: every bar is a border.
      for (const line of table) t.is(line.match(/\|/g)?.length, 3);
      t.is(new Set(table.map((line) => [...line].length)).size, 1);
    }),
  );
});

test('cells of any width stand one below the other', (t) => {
  t.deepEqual(
    markdownTable([
      ['a', '日本'],
      ['👩b', '1'],
    ]),
    ['| a   |  日本 |', '| --- | --: |', '| 👩b  |   1 |'],
  );
});
