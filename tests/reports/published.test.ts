import test from 'ava';
import type { StageInput } from '../../framework/stage/contract.ts';
import type { JsonObject } from '../../framework/stage/json.ts';
import { type Methods, publishedBeside } from '../../reports/comparable.ts';
import { ablationTable } from '../../reports/config.ts';
import { publishedSentences } from '../../reports/published-text.ts';
import { buildTable } from '../../reports/table.ts';
import { cell, columns, leaf, tableOf } from './support.ts';

const base = { dim: 768, depth: 12, heads: 12, patch: 16 };
const folder = leaf('image-folder');

/** What a task of the papers' size is made of. */
interface Measured {
  readonly kind?: string;
  readonly config?: JsonObject;
  readonly backbone?: JsonObject;
  readonly data?: string;
  readonly images?: number;
  readonly about?: string;
}

function measured(variant: string, top1: number, of: Measured = {}) {
  const { images = 50_000, about = '1,281,167 labels, in minibatches' } = of;
  const stage: StageInput = {
    ...leaf(of.kind ?? 'fine-tune', of.config ?? { view: { size: 224 } }),
    inputs: {
      test: leaf(of.data ?? 'image-folder'),
      pretrained: {
        ...leaf('mim', { backbone: of.backbone ?? base, view: { size: 224 } }),
        inputs: { train: folder },
      },
    },
  };
  return { cell: { ...cell(variant, 0, { top1, mIoU: top1, images }, 'task'), about }, stage };
}

function beside(all: readonly ReturnType<typeof measured>[], methods: Methods = {}) {
  const cells = all.map((one) => one.cell);
  const mIoU = { ...columns[0], metric: 'mIoU', label: 'mIoU %' };
  const table = buildTable(tableOf(cells), cells, [columns[0], mIoU]);
  const inputs = Object.fromEntries(all.map((one) => [one.cell.input, one.stage]));
  return { table, published: publishedBeside(table, methods, cells, inputs) };
}

test('papers stand beneath tasks of their data and size, each number in the column of its task', (t) => {
  const { rows } = beside([measured('beit', 0.8)]).published;
  t.deepEqual(
    rows.map(({ method, epochs, cells }) => [method, epochs, ...cells.map((number) => number?.value)]),
    [
      ['BEiT', 300, 0.8286, undefined],
      ['BEiT', 800, 0.832, undefined],
      ['PeCo', 300, 0.841, undefined],
      ['PeCo', 800, 0.845, undefined],
      ['MAE', 1600, 0.836, undefined],
      ['iBOT', 1600, 0.84, undefined],
      ['BEiT v2', 300, 0.85, undefined],
      ['BEiT v2', 1600, 0.855, undefined],
    ],
  );
  const upernet = { kind: 'upernet', data: 'ade20k', images: 2000, config: { view: { size: 512 } } };
  const other = beside([measured('beit', 0.4, upernet)]).published.rows;
  t.deepEqual(
    other.map(({ method, epochs, cells }) => `${method} ${epochs} ${cells[1]?.value} ${cells[1]?.sure}`),
    [
      'PeCo 300 0.467 quoted',
      'PeCo 800 0.485 quoted',
      'MAE 1600 0.481 quoted',
      'iBOT 1600 0.5 paper',
      'BEiT v2 1600 0.531 paper',
    ],
  );
});

test('no paper stands beneath other data, other sizes or fewer images', (t) => {
  for (const odd of [
    { data: 'fashion-mnist' },
    { images: 10_000 },
    { about: '12,811 labels' },
    { config: { view: { size: 384 } } },
    { backbone: { ...base, dim: 1024 } },
    { kind: 'knn' },
  ]) {
    t.deepEqual(beside([measured('beit', 0.8, odd)]).published.rows, [], JSON.stringify(odd));
  }
});

test('a row that does what a paper does has the difference of the papers beside its own', (t) => {
  const rows = [measured('ours', 0.81), measured('peco', 0.825), measured('beit 2', 0.83)];
  const { table, published } = beside(rows, { ours: 'BEiT', peco: 'PeCo' });
  t.is(published.differences.length, 1);
  t.is(
    publishedSentences(published, table)[0],
    'task top-1 %, peco less ours: +1.50 here, +1.24 (300 epochs), +1.30 (800 epochs) in the papers (PeCo less BEiT)',
  );
  const small = [rows[0], measured('peco', 0.825, { images: 100 })];
  t.deepEqual(beside(small, { ours: 'BEiT', peco: 'PeCo' }).published.differences, []);
});

test('methods are named for rows that there are', (t) => {
  const table = { name: 'the table', facts: { rows: ['beit', 'peco'], tasks: ['probe'] } };
  t.deepEqual(ablationTable({ published: { peco: 'PeCo' } }).expects?.({ table }), []);
  t.deepEqual(ablationTable({ published: { pecco: 'PeCo' } }).expects?.({ table }), [
    {
      path: ['published', 'pecco'],
      message: 'there is no row "pecco"',
      hint: 'did you mean "peco"? one of: beit, peco',
    },
  ]);
  t.is(ablationTable({ published: { peco: 'Peco' as 'PeCo' } }).issues.length, 1);
});
