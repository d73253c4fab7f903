import { own } from '../framework/stage/own.ts';
import { printable } from '../framework/stage/text.ts';
import { makeColumn, type Rows, type SeedValue, type TableCell } from './column.ts';
import type { Column } from './config.ts';
import type { CellResult, TableConfig } from './results.ts';

/** A column of the table: a metric of a task. */
export interface TableColumn extends Column {
  readonly task: string;
  /** What it is called; no two columns have one title. */
  readonly title: string;
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
  const baselineOf = (variant: string) =>
    table.baselineOf ? (own(table.baselineOf, variant) ?? null) : table.baseline;
  const made = shown.map((column) =>
    makeColumn(column, values.get(nameOf(column.task, column.metric)) ?? new Map(), {
      baselineOf,
      sharedBy: (variant) => shared.get(nameOf(variant, column.task)) ?? [],
    }),
  );
  const rows = table.variants.map((variant): TableRow => {
    const reason = dropped.get(variant);
    return {
      variant,
      baseline: baselineOf(variant),
      ...(reason === undefined ? {} : { dropped: reason }),
      cells: made.map((cells) => cells.get(variant)),
    };
  });
  const unmeasured = columns.filter(({ metric }) => !shown.some((column) => column.metric === metric));
  return { compared: table.baselineOf !== undefined, columns: shown, unmeasured, rows };
}

/** By task and metric, then by variant; seeds in rising order. */
function groupValues(results: readonly CellResult[]): ReadonlyMap<string, Rows> {
  const groups = new Map<string, Map<string, Map<number, SeedValue>>>();
  for (const { variant, task, seed, metrics, test, ...stored } of bySeed(results)) {
    for (const [metric, value] of Object.entries(metrics)) {
      const rows = entryOf(groups, nameOf(task, metric), () => new Map<string, Map<number, SeedValue>>());
      const noise = noiseOf(metric, stored);
      const each = noise === undefined ? {} : { noise, test };
      entryOf(rows, variant, () => new Map<number, SeedValue>()).set(seed, { value, ...each });
    }
  }
  return groups;
}

/** What a stage stored of a metric by which to tell the noise of its test images. */
function noiseOf(
  metric: string,
  { perImage, resampled }: Pick<CellResult, 'perImage' | 'resampled'>,
): SeedValue['noise'] {
  const values = own(perImage, metric);
  if (values) return { of: 'images', images: values.length, values };
  const drawn = own(resampled?.values, metric);
  return resampled && drawn && { of: resampled.draws, images: resampled.images, values: drawn };
}

function bySeed(results: readonly CellResult[]): readonly CellResult[] {
  return [...results].sort((a, b) => a.seed - b.seed);
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
