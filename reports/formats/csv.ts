import type { ReportFile } from '../../framework/stage/contract.ts';
import { type CsvValue, formatCsv } from '../../framework/stage/csv.ts';
import { remarksOn } from '../changes.ts';
import type { TableCell } from '../column.ts';
import type { Published } from '../comparable.ts';
import type { CellResult } from '../results.ts';
import type { AblationTable } from '../table.ts';
import type { Warning } from '../warnings.ts';
import type { Format } from './contract.ts';

/** `ablation.csv`, a row a variant, `results.csv`, a line a number, and `published.csv` where papers report the same. */
export const csvFormat: Format = {
  name: 'csv',
  files: ({ config, table, results, warnings, published }) => [
    ...publishedFiles(published, table),
    { name: 'ablation.csv', content: wideCsv(table, { changes: remarksOn(config), warnings }) },
    { name: 'results.csv', content: longCsv(results, remarksOn(config)) },
  ],
};

/** Statistics of a metric in `ablation.csv`, by the ends of their columns' names. */
const statistics: { readonly [name: string]: (cell: TableCell) => CsvValue } = {
  mean: ({ mean }) => mean,
  sd: ({ deviation }) => deviation,
  n: ({ n }) => n,
  difference: ({ difference }) => difference?.mean,
  difference_sd: ({ difference }) => difference?.deviation,
  difference_low95: ({ difference }) => difference?.interval?.[0],
  difference_high95: ({ difference }) => difference?.interval?.[1],
  difference_p: ({ difference }) => difference?.p,
  difference_images_low95: ({ difference }) => difference?.images?.interval[0],
  difference_images_high95: ({ difference }) => difference?.images?.interval[1],
  difference_images_p: ({ difference }) => difference?.images?.p,
  difference_p_holm: ({ difference }) => difference?.corrected,
  pairs: ({ difference }) => difference?.n,
};

interface WideOptions {
  /** See `remarksOn`. */
  readonly changes?: readonly string[];
  readonly warnings?: readonly Warning[];
}

/**
 * A row a variant, not scaled; of every metric, once, however many columns show it: mean, sample standard deviation
 * and number of seeds, then the same of the differences to the baseline, paired by seed, with their 95 % intervals and p
 * values: over seeds by Student's t, over test images by a bootstrap, and the larger one corrected by Holm.
 * Where stages ran once for all seeds, which; where a sweep changes the baseline, the row that is the baseline of each;
 * where it was halved, why a row was dropped; what speaks against a row; of a changed experiment, what was changed.
 */
export function wideCsv(
  { compared, columns, rows }: AblationTable,
  { changes = [], warnings = [] }: WideOptions = {},
): string {
  const changed = changedColumn(changes);
  const halved = rows.some(({ dropped }) => dropped !== undefined);
  const names = columns.map(({ task, metric }) => `${task}.${metric}`);
  const fields = [...names.keys()].filter((index) => names.indexOf(names[index]) === index);
  const sharing = fields.map((field) => rows.some(({ cells }) => (cells[field]?.shared.length ?? 0) > 0));
  const header = [
    'variant',
    ...fields.flatMap((field, index) =>
      [...Object.keys(statistics), ...(sharing[index] ? ['shared'] : [])].map(
        (statistic) => `${names[field]}.${statistic}`,
      ),
    ),
    ...(compared ? ['baseline'] : []),
    ...(halved ? ['dropped'] : []),
    ...(warnings.length > 0 ? ['warning'] : []),
    ...changed.map(() => 'changed'),
  ];
  const records = rows.map(({ variant, cells, baseline, dropped }) => [
    variant,
    ...fields.flatMap((field, index) => [
      ...describe(cells[field]),
      ...(sharing[index] ? [cells[field]?.shared.join(' ')] : []),
    ]),
    ...(compared ? [baseline ?? ''] : []),
    ...(halved ? [dropped ?? ''] : []),
    ...(warnings.length > 0 ? [textsOf(warnings, variant)] : []),
    ...changed,
  ]);
  return formatCsv([header, ...records]);
}

function textsOf(warnings: readonly Warning[], row: string): string {
  return warnings.flatMap(({ variants, text }) => (variants.includes(row) ? [text] : [])).join('; ');
}

function describe(cell: TableCell | undefined): CsvValue[] {
  if (cell) return Object.values(statistics).map((statistic) => statistic(cell));
  return Object.keys(statistics).map((name) => (name === 'n' ? 0 : undefined));
}

/** `published.csv`, a line for every number of a paper, not scaled; no file where there are none. */
function publishedFiles({ rows }: Published, { columns }: AblationTable): ReportFile[] {
  if (rows.length === 0) return [];
  const records = rows.flatMap(({ method, epochs, cells }) =>
    cells.flatMap((number, place) => {
      if (number === undefined) return [];
      const { task, metric } = columns[place];
      return [[method, epochs, task, metric, number.value, number.sure, number.source]];
    }),
  );
  const head = ['method', 'epochs', 'task', 'metric', 'value', 'sure', 'source'];
  return [{ name: 'published.csv', content: formatCsv([head, ...records]) }];
}

/** A line for every number of every cell, not scaled. */
export function longCsv(results: readonly CellResult[], changes: readonly string[] = []): string {
  const changed = changedColumn(changes);
  const records = results.flatMap(({ variant, task, seed, metrics }) =>
    Object.entries(metrics).map(([metric, value]) => [variant, task, seed, metric, value, ...changed]),
  );
  return formatCsv([
    ['variant', 'task', 'seed', 'metric', 'value', ...changed.map(() => 'changed')],
    ...records,
  ]);
}

/** In each row, so that no part of the table can be taken for one of the experiment as its file declares it. */
export function changedColumn(changes: readonly string[]): readonly string[] {
  return changes.length > 0 ? [changes.join('; ')] : [];
}
