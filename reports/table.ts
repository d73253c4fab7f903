import type { Column } from './config.ts';
import type { CellResult, TableConfig } from './results.ts';
import { type Summary, summarise } from './statistics.ts';

/** A column of the table: a metric of a task. */
export interface TableColumn extends Column {
  readonly task: string;
}

export interface TableCell extends Summary {
  /** Mean minus the baseline's mean; undefined in the baseline's row and where the baseline has no value. */
  readonly difference: number | undefined;
  readonly best: boolean;
}

export interface TableRow {
  readonly variant: string;
  /** The row that this one is compared with: itself for a baseline, null where there is no single one. */
  readonly baseline: string | null;
  /** Why a halved sweep stopped it. */
  readonly stopped?: string;
  /** In the order of the columns; undefined where nothing was measured. */
  readonly cells: readonly (TableCell | undefined)[];
}

export interface AblationTable {
  /** There are several baselines: a sweep changes them. */
  readonly compared: boolean;
  readonly columns: readonly TableColumn[];
  readonly rows: readonly TableRow[];
}

/** Statistics over seeds, a row a variant. Values are already scaled (percent). */
export function buildTable(
  table: TableConfig,
  results: readonly CellResult[],
  columns: readonly Column[],
): AblationTable {
  const tasks = [...new Set(table.cells.map(({ task }) => task))].sort((a, b) => order(a) - order(b));
  const measured = new Set(
    results.flatMap(({ task, metrics }) => Object.keys(metrics).map((metric) => `${task} ${metric}`)),
  );
  const shown = tasks.flatMap((task) =>
    columns.filter(({ metric }) => measured.has(`${task} ${metric}`)).map((column) => ({ ...column, task })),
  );
  const byCell = groupCells(results);
  const summaries = new Map(
    table.variants.map((variant) => [
      variant,
      shown.map(({ task, metric, scale }): Summary | undefined => {
        const values = (byCell.get(`${variant} ${task}`) ?? [])
          .filter((cell) => metric in cell.metrics)
          .map((cell) => cell.metrics[metric] * scale);
        return values.length > 0 ? summarise(values) : undefined;
      }),
    ]),
  );
  const best = shown.map((column, index) => {
    const means = table.variants.flatMap((variant) => summaries.get(variant)?.[index]?.mean ?? []);
    return column.better === 'higher' ? Math.max(...means) : Math.min(...means);
  });
  const stopped = new Map(
    table.missing.flatMap((cell) => (cell.stopped ? [[cell.variant, cell.reason] as const] : [])),
  );
  const rows = table.variants.map((variant) => {
    const baseline = table.baselineOf ? (table.baselineOf[variant] ?? null) : table.baseline;
    const reason = stopped.get(variant);
    return {
      variant,
      baseline,
      ...(reason === undefined ? {} : { stopped: reason }),
      cells: shown.map((_, index) => {
        const own = summaries.get(variant)?.[index];
        if (!own) return undefined;
        const reference =
          baseline === variant || baseline === null ? undefined : summaries.get(baseline)?.[index]?.mean;
        const difference = reference === undefined ? undefined : own.mean - reference;
        return { ...own, difference, best: own.mean === best[index] };
      }),
    };
  });
  return { compared: table.baselineOf !== undefined, columns: shown, rows };
}

/** The results of each variant and task, by seed. */
function groupCells(results: readonly CellResult[]): ReadonlyMap<string, readonly CellResult[]> {
  const groups = new Map<string, CellResult[]>();
  for (const cell of [...results].sort((a, b) => a.seed - b.seed)) {
    const name = `${cell.variant} ${cell.task}`;
    const group = groups.get(name) ?? [];
    group.push(cell);
    groups.set(name, group);
  }
  return groups;
}

/** Downstream tasks in the order of the experiment, tokenizer measures last. */
function order(task: string): number {
  return task === 'tokenizer' ? 1 : 0;
}
