import test from 'ava';
import { splitChanges } from '../../reports/changes.ts';
import { ablationTable } from '../../reports/config.ts';
import { shownBy, showPart } from '../../reports/show.ts';
import type { Show } from '../../reports/show-config.ts';
import { buildTable } from '../../reports/table.ts';
import { cell, columns, tableOf } from './support.ts';

const cells = [
  ...['beit', 'peco@size=1', 'peco@size=2', 'pe.o@size=3'].flatMap((variant, row) => [
    cell(variant, 0, { top1: [0.6, 0.9, 0.7, 0.8][row], error: [3, 1, 2, 4][row] }, 'probe'),
    cell(variant, 0, { top1: [0.1, 0.2, 0.3, 0.4][row] }, 'finetune'),
  ]),
  cell('beit', 0, { top1: 0.5 }, 'tokenizer'),
];
const table = buildTable(
  tableOf(cells, { variants: ['scratch', 'beit', 'peco@size=1', 'peco@size=2', 'pe.o@size=3'] }),
  cells,
  columns,
);

function shown(show: Show) {
  const { columns: all, rows } = showPart(table, show);
  return [all.map(({ title }) => title), rows.map(({ variant }) => variant)];
}

test('columns are picked by metric, label, task and metric, or title, in the order that is asked for', (t) => {
  const titles = (...names: string[]) => shown({ columns: names })[0];
  t.deepEqual(shown({})[0], ['probe top-1 %', 'probe error', 'finetune top-1 %', 'top-1 %']);
  t.deepEqual(titles('error', 'top1'), ['probe error', 'probe top-1 %', 'finetune top-1 %', 'top-1 %']);
  t.deepEqual(titles('finetune.top1', 'probe top-1 %'), ['finetune top-1 %', 'probe top-1 %']);
  t.deepEqual(titles('probe'), ['probe top-1 %', 'probe error']);
  t.deepEqual(titles('tokenizer.top1', 'error', 'probe.error'), ['top-1 %', 'probe error']);
});

test('cells go with their columns, and are those of the whole table', (t) => {
  const part = showPart(table, { columns: ['error', 'probe.top1'], rows: ['peco*'] });
  const whole = table.rows.find(({ variant }) => variant === 'peco@size=2')!;
  t.deepEqual(part.rows[1].cells, [whole.cells[1], whole.cells[0]]);
});

test('rows are picked by name in the order that is asked for, a star for any text, and nothing else is special', (t) => {
  const rows = (...names: string[]) => shown({ rows: names })[1];
  t.deepEqual(rows('peco@size=2', 'beit'), ['peco@size=2', 'beit']);
  t.deepEqual(rows('pe.o*', '*@size=*'), ['pe.o@size=3', 'peco@size=1', 'peco@size=2']);
});

test('rows are sorted from the best on, whichever way that is; those without a value come last', (t) => {
  t.deepEqual(shown({ sort: 'probe.top1' })[1], [
    'peco@size=1',
    'pe.o@size=3',
    'peco@size=2',
    'beit',
    'scratch',
  ]);
  t.deepEqual(shown({ sort: 'error', rows: ['*peco*', 'beit'] })[1], ['peco@size=1', 'peco@size=2', 'beit']);
});

test('what is shown by flags is said in words, apart from what changes numbers', (t) => {
  const show: Show = { rows: ['peco*', 'beit'], columns: ['probe.top1'], precision: 0, sort: 'psnr' };
  const set = (change: string) => `${change}, which the file does not set`;
  t.deepEqual(splitChanges([set('report.show.sort: psnr'), 'seeds: [3] instead of [0]'], show), {
    shown: ['Best psnr first'],
    others: ['seeds: [3] instead of [0]'],
  });
  t.deepEqual(splitChanges([set('report.show: {"rows":["peco*","beit"]}')], show).shown, [
    'Rows: peco*, beit',
    'Columns: probe.top1',
    'Best psnr first',
    'Digits after the point: 0',
  ]);
  t.deepEqual(splitChanges(['report.show.rows: null instead of ["a"]', 'report.shown: 1 instead of 2']), {
    shown: ['All rows'],
    others: ['report.shown: 1 instead of 2'],
  });
});

test('facts are of the rows and tasks that are shown', (t) => {
  const shown = (show: Show) => {
    const { cell } = shownBy(showPart(table, show), show);
    return [...new Set(cells.filter(cell).map(({ variant, task }) => `${variant} ${task}`))];
  };
  t.is(shown({}).length, 9);
  t.deepEqual(shown({ rows: ['beit'] }), ['beit probe', 'beit finetune', 'beit tokenizer']);
  t.deepEqual(shown({ rows: ['beit'], columns: ['probe.error'] }), ['beit probe']);
});

test('names of no row and no column are refused with what there is', (t) => {
  const show = {
    columns: ['top1', 'probe.psnr', 'prob.top1', 'top-1 %', 'Probe top-1 %', 'mIoU'],
    rows: ['peco', 'pecoo', 'x*'],
    sort: 'tpo1',
  };
  const facts = { rows: ['beit', 'peco'], tasks: ['probe', 'tokenizer'] };
  const { expects, issues } = ablationTable({
    columns: [columns[0], { ...columns[1], metric: 'mIoU' }],
    show,
  });
  t.deepEqual(issues, []);
  t.snapshot(expects?.({ table: { name: 'the table', facts } }));
  t.deepEqual(ablationTable().expects?.({ table: { name: 'the table', facts } }), []);
});
