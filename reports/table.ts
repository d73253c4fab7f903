import { printable } from '../framework/stage/text.ts';
import type { Column } from './config.ts';
import { shownValue } from './format.ts';
import type { CellResult, TableConfig } from './results.ts';
import { type BySeed, compare, type Difference, type Summary, summarise } from './statistics.ts';

/** A column of the table: a metric of a task. */
export interface TableColumn extends Column {
  readonly task: string;
  /** What it is called; no two columns have one title. */
  readonly title: string;
}

/** Values as stages reported them, not scaled. */
export interface TableCell extends Summary {
  /**
   * Stages that ran once for all seeds of this cell. If there are any, here or in the baseline's cell, the
   * difference has no deviation: the spread that is left says nothing about another run of the whole chain.
   */
  readonly shared: readonly string[];
  /** To the baseline; undefined in the baseline's row, and where the two rows share no seed. */
  readonly difference: Difference | undefined;
  readonly best: boolean;
}

/** A variant of the experiment. */
export interface TableRow {
  readonly variant: string;
  /** The row that this one is compared with: itself for a baseline, null where there is no single one. */
  readonly baseline: string | null;
  /** Why a halved sweep dropped it. */
  readonly dropped?: string;
  /** In the order of the columns; undefined where nothing was measured. */
  readonly cells: readonly (TableCell | undefined)[];
}

/** A table, before it is written in any format. */
export interface AblationTable {
  /** There are several baselines: a sweep changes them. */
  readonly compared: boolean;
  readonly columns: readonly TableColumn[];
  /** Columns that were asked for and that no task has. */
  readonly unmeasured: readonly Column[];
  readonly rows: readonly TableRow[];
}

/** Values of one column by variant. */
type Rows = ReadonlyMap<string, BySeed>;

/** Statistics over seeds, a row a variant. */
export function buildTable(
  table: TableConfig,
  results: readonly CellResult[],
  columns: readonly Column[],
): AblationTable {
  const values = groupValues(results);
  const shown = nameColumns(
    tasksOf(table).flatMap((task) =>
      columns.filter(({ metric }) => values.has(nameOf(task, metric))).map((column) => ({ ...column, task })),
    ),
  );
  const shared = new Map(
    table.shared?.map(({ variant, task, stages }) => [nameOf(variant, task), stages] as const),
  );
  const dropped = new Map(
    table.missing.flatMap((cell) => (cell.dropped ? [[cell.variant, cell.reason] as const] : [])),
  );
  const makers = shown.map((column) => {
    const rows = values.get(nameOf(column.task, column.metric)) ?? new Map();
    return makeCells(column, rows, (variant) => shared.get(nameOf(variant, column.task)) ?? []);
  });
  const rows = table.variants.map((variant): TableRow => {
    const baseline = table.baselineOf ? (table.baselineOf[variant] ?? null) : table.baseline;
    const reason = dropped.get(variant);
    return {
      variant,
      baseline,
      ...(reason === undefined ? {} : { dropped: reason }),
      cells: makers.map((makeCell) => makeCell(variant, baseline)),
    };
  });
  const unmeasured = columns.filter(({ metric }) => !shown.some((column) => column.metric === metric));
  return { compared: table.baselineOf !== undefined, columns: shown, unmeasured, rows };
}

/** The cells of one column. */
function makeCells(column: TableColumn, rows: Rows, sharedBy: (variant: string) => readonly string[]) {
  const best = bestOf(column, rows);
  return (variant: string, baseline: string | null): TableCell | undefined => {
    const own = rows.get(variant);
    if (!own) return undefined;
    const shared = sharedBy(variant);
    const cell = { ...withoutSpread(summarise([...own.values()]), shared), shared, best: best.has(variant) };
    const other = baseline === null || baseline === variant ? undefined : rows.get(baseline);
    const difference = baseline === null || other === undefined ? undefined : compare(own, other);
    if (baseline === null || difference === undefined) return { ...cell, difference: undefined };
    const behind = [...shared, ...sharedBy(baseline)];
    const interval = behind.length > 0 ? undefined : difference.interval;
    return { ...cell, difference: { ...withoutSpread(difference, behind), interval } };
  };
}

function withoutSpread({ mean, deviation, n }: Summary, shared: readonly string[]): Summary {
  return { mean, deviation: shared.length > 0 ? undefined : deviation, n };
}

/**
 * The best rows of a column by the numbers that people see, so that equal ones are marked alike; among those that have
 * all seeds of the column. None where fewer than two have, or where all are equal: then nothing was beaten.
 */
function bestOf({ scale, digits, better }: Column, rows: Rows): ReadonlySet<string> {
  const seeds = new Set([...rows.values()].flatMap((values) => [...values.keys()]));
  const whole = [...rows].filter(([, values]) => values.size === seeds.size);
  const shown = new Map(
    whole.map(([variant, values]) => [
      variant,
      shownValue(summarise([...values.values()]).mean * scale, digits),
    ]),
  );
  const best = better === 'higher' ? Math.max(...shown.values()) : Math.min(...shown.values());
  const winners = [...shown].filter(([, value]) => value === best).map(([variant]) => variant);
  return new Set(winners.length === shown.size ? [] : winners);
}

/** By task and metric, then by variant; seeds in rising order. */
function groupValues(results: readonly CellResult[]): ReadonlyMap<string, Rows> {
  const groups = new Map<string, Map<string, Map<number, number>>>();
  for (const { variant, task, seed, metrics } of [...results].sort((a, b) => a.seed - b.seed)) {
    for (const [metric, value] of Object.entries(metrics)) {
      const rows = entryOf(groups, nameOf(task, metric), () => new Map<string, Map<number, number>>());
      entryOf(rows, variant, () => new Map<number, number>()).set(seed, value);
    }
  }
  return groups;
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}

/** Two names as one, of which no other two are the same. */
function nameOf(...names: readonly string[]): string {
  return JSON.stringify(names);
}

/** Downstream tasks in the order of the experiment, measures of the tokenizer last. */
function tasksOf({ cells }: TableConfig): string[] {
  const tasks = [...new Set(cells.map(({ task }) => task))];
  return [...tasks.filter((task) => task !== 'tokenizer'), ...tasks.filter((task) => task === 'tokenizer')];
}

/** `probe top-1 %`, and the label alone for the tokenizer; with a colon where that would name two columns alike. */
function nameColumns(columns: readonly Omit<TableColumn, 'title'>[]): TableColumn[] {
  const titles = columns.map(({ task, label }) =>
    printable(task === 'tokenizer' ? label : `${task} ${label}`),
  );
  return columns.map((column, index) => {
    const { task, label } = column;
    const unique = titles.filter((title) => title === titles[index]).length === 1;
    return { ...column, title: unique ? titles[index] : printable(`${task}: ${label}`) };
  });
}
