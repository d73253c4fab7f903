import { stringify } from 'csv-stringify/sync';
import type { CellResult } from './results.ts';
import type { AblationTable } from './table.ts';

const options = {
  header: true,
  // A variant called "=1+1" is text for a spreadsheet, not a formula.
  escape_formulas: true,
  cast: { boolean: (value: boolean) => String(value) },
} as const;

/** A row a variant; mean, sd, n and difference to the baseline of every column. */
export function wideCsv({ columns, rows }: AblationTable): string {
  const names = columns.map(({ task, metric }) => `${task}.${metric}`);
  const header = [
    'variant',
    ...names.flatMap((name) => [`${name}.mean`, `${name}.sd`, `${name}.n`, `${name}.difference`]),
  ];
  const records = rows.map(({ variant, cells }) => [
    variant,
    ...cells.flatMap((cell) =>
      cell
        ? [number(cell.mean), number(cell.deviation), String(cell.n), number(cell.difference)]
        : ['', '', '0', ''],
    ),
  ]);
  return stringify(records, { ...options, columns: header });
}

/** A line for every number of every cell, unscaled. */
export function longCsv(results: readonly CellResult[]): string {
  const records = results.flatMap(({ variant, task, seed, metrics }) =>
    Object.entries(metrics).map(([metric, value]) => [variant, task, String(seed), metric, String(value)]),
  );
  return stringify(records, { ...options, columns: ['variant', 'task', 'seed', 'metric', 'value'] });
}

/** Six decimals are far below the noise and the same on every machine that has the same results. */
function number(value: number | undefined): string {
  return value === undefined ? '' : value.toFixed(6);
}
