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
  /** In the order of the columns; undefined where nothing was measured. */
  readonly cells: readonly (TableCell | undefined)[];
}

export interface AblationTable {
  readonly baseline: string;
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
  const shown = tasks.flatMap((task) =>
    columns
      .filter(({ metric }) => results.some((cell) => cell.task === task && metric in cell.metrics))
      .map((column) => ({ ...column, task })),
  );
  const summary = (variant: string, { task, metric, scale }: TableColumn): Summary | undefined => {
    const values = results
      .filter((cell) => cell.variant === variant && cell.task === task && metric in cell.metrics)
      .sort((a, b) => a.seed - b.seed)
      .map((cell) => cell.metrics[metric] * scale);
    return values.length > 0 ? summarise(values) : undefined;
  };
  const best = shown.map((column) => {
    const means = table.variants.flatMap((variant) => summary(variant, column)?.mean ?? []);
    return column.better === 'higher' ? Math.max(...means) : Math.min(...means);
  });
  const rows = table.variants.map((variant) => ({
    variant,
    cells: shown.map((column, index) => {
      const own = summary(variant, column);
      if (!own) return undefined;
      const reference = variant === table.baseline ? undefined : summary(table.baseline, column)?.mean;
      const difference = reference === undefined ? undefined : own.mean - reference;
      return { ...own, difference, best: own.mean === best[index] };
    }),
  }));
  return { baseline: table.baseline, columns: shown, rows };
}

/** Downstream tasks in the order of the experiment, tokenizer measures last. */
function order(task: string): number {
  return task === 'tokenizer' ? 1 : 0;
}
