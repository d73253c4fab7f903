import { fits } from '../framework/stage/wildcard.ts';
import { distinct } from './cells.ts';
import type { CellPlace } from './results.ts';
import { namesOf, type Show } from './show-config.ts';
import type { AblationTable, TableColumn, TableRow } from './table.ts';

/** The table with the rows and columns that are to be shown. */
export function showPart(table: AblationTable, { columns, rows, sort }: Show = {}): AblationTable {
  const places = columns
    ? distinct(columns.flatMap((name) => placesOf(table.columns, name)))
    : [...table.columns.keys()];
  const shown = rows
    ? distinct(rows.flatMap((pattern) => table.rows.filter(({ variant }) => fits(pattern, variant))))
    : table.rows;
  const [sorting] = sort === undefined ? [] : placesOf(table.columns, sort);
  const sorted = sorting === undefined ? shown : sortedBy(shown, table.columns[sorting], sorting);
  return {
    ...table,
    columns: places.map((place) => table.columns[place]),
    rows: sorted.map((row) => ({ ...row, cells: places.map((place) => row.cells[place]) })),
    unmeasured: table.unmeasured.filter(
      (column) =>
        columns === undefined || columns.some((name) => [column.metric, column.label].includes(name)),
    ),
  };
}

/** Of which rows and cells a table shows something. */
export function shownBy({ columns, rows }: AblationTable, show: Show = {}) {
  const variants = new Set(rows.map(({ variant }) => variant));
  const tasks = new Set(columns.map(({ task }) => task));
  const row = ({ variant }: Pick<CellPlace, 'variant'>) => variants.has(variant);
  const cell = (place: CellPlace) => row(place) && (show.columns === undefined || tasks.has(place.task));
  return { row, cell };
}

function placesOf(columns: readonly TableColumn[], name: string): number[] {
  return [...columns.keys()].filter((place) => namesOf(columns[place]).includes(name));
}

function sortedBy(rows: readonly TableRow[], { better }: TableColumn, place: number): TableRow[] {
  const sign = better === 'higher' ? -1 : 1;
  const meanOf = ({ cells }: TableRow) => cells[place]?.mean;
  const known = rows.filter((row) => meanOf(row) !== undefined);
  return [
    ...known.sort((a, b) => sign * (meanOf(a)! - meanOf(b)!)),
    ...rows.filter((row) => meanOf(row) === undefined),
  ];
}
