import { stringify } from 'csv-stringify/sync';
import type { CellResult } from './results.ts';
import type { AblationTable } from './table.ts';

const options = {
  header: true,
  // A variant called "=1+1" is text for a spreadsheet, not a formula.
  escape_formulas: true,
  cast: {
    boolean: (value: boolean) => String(value),
    // Numbers aren't text, or a negative one would be escaped. Six decimals are far below the noise.
    number: (value: number) => value.toFixed(6),
  },
} as const;

/**
 * A row a variant; mean, sd, n and difference to the baseline of every column. Where a sweep changes the baseline, the
 * row that is the baseline of each; where it was halved, why a row was stopped.
 */
export function wideCsv({ compared, columns, rows }: AblationTable): string {
  const halved = rows.some(({ stopped }) => stopped !== undefined);
  const names = columns.map(({ task, metric }) => `${task}.${metric}`);
  const header = [
    'variant',
    ...names.flatMap((name) => [`${name}.mean`, `${name}.sd`, `${name}.n`, `${name}.difference`]),
    ...(compared ? ['baseline'] : []),
    ...(halved ? ['stopped'] : []),
  ];
  const records = rows.map(({ variant, cells, baseline, stopped }) => [
    variant,
    ...cells.flatMap((cell) =>
      cell
        ? [cell.mean, cell.deviation, String(cell.n), cell.difference]
        : [undefined, undefined, '0', undefined],
    ),
    ...(compared ? [baseline ?? ''] : []),
    ...(halved ? [stopped ?? ''] : []),
  ]);
  return stringify(records, { ...options, columns: header });
}

/** A line for every number of every cell, unscaled. */
export function longCsv(results: readonly CellResult[]): string {
  const records = results.flatMap(({ variant, task, seed, metrics }) =>
    Object.entries(metrics).map(([metric, value]) => [variant, task, String(seed), metric, value]),
  );
  return stringify(records, {
    ...options,
    cast: { number: String },
    columns: ['variant', 'task', 'seed', 'metric', 'value'],
  });
}
