import { z } from 'zod';
import type { WiredInput, WiringIssue } from '../framework/stage/component.ts';
import { suggest } from '../framework/stage/issues.ts';
import { fits } from '../framework/stage/wildcard.ts';
import { distinct } from './cells.ts';

/** What of the table is shown, and in which order. Statistics are those of the whole table all the same. */
export const showSchema = z.strictObject({
  /**
   * Columns in this order, by metric (`top1`: of every task that has it), label (`top-1 %`), task (`probe`: all its
   * columns), task and metric (`probe.top1`), or title (`probe top-1 %`). Absent: all.
   */
  columns: z.array(z.string()).min(1).optional(),
  /** Rows in this order; a `*` stands for any text: `peco@*`. Absent: all. */
  rows: z.array(z.string()).min(1).optional(),
  /** Digits after the point in all columns, instead of their own. */
  precision: z.int().min(0).max(10).optional(),
  /** The rows by the means of this column, the best first; those without one last. Of several columns of a name the first. */
  sort: z.string().optional(),
});

export type Show = z.output<typeof showSchema>;

/** What a column may be named by. */
interface Named {
  readonly task: string;
  readonly metric: string;
  readonly label: string;
}

/** Names by which a column may be asked for. */
export function namesOf({ task, metric, label }: Named): readonly string[] {
  const titles = task === 'tokenizer' ? [] : [`${task} ${label}`];
  return [metric, label, task, `${task}.${metric}`, ...titles, `${task}: ${label}`];
}

/** Names that are of no row and no column. */
export function expectShown(
  { columns = [], rows = [], sort }: Show,
  declared: readonly Pick<Named, 'metric' | 'label'>[],
  table: WiredInput | undefined,
): WiringIssue[] {
  const tasks = (table?.facts.tasks ?? []) as readonly string[];
  const known = tasks.flatMap((task) => declared.flatMap((column) => namesOf({ ...column, task })));
  const column = (path: WiringIssue['path'], name: string): WiringIssue[] =>
    known.includes(name)
      ? []
      : [
          {
            path,
            message: `there is no column "${name}"`,
            ...hintOf(suggest(name, distinct(declared.flatMap(({ metric, label }) => [metric, label])))),
          },
        ];
  return [
    ...columns.flatMap((name, index) => column(['show', 'columns', index], name)),
    ...rows.flatMap((pattern, index) => rowIssues(pattern, ['show', 'rows', index], table)),
    ...(sort === undefined ? [] : column(['show', 'sort'], sort)),
  ];
}

/** Names that are of no row, where a config says something by the names of rows. */
export function expectRows(
  names: readonly string[],
  path: WiringIssue['path'],
  table: WiredInput | undefined,
): WiringIssue[] {
  const variants = rowsOf(table);
  return names.flatMap((name) => (variants.includes(name) ? [] : [noRow(name, [...path, name], variants)]));
}

function rowIssues(pattern: string, path: WiringIssue['path'], table: WiredInput | undefined): WiringIssue[] {
  const variants = rowsOf(table);
  return variants.some((name) => fits(pattern, name)) ? [] : [noRow(pattern, path, variants)];
}

function noRow(name: string, path: WiringIssue['path'], variants: readonly string[]): WiringIssue {
  return { path, message: `there is no row "${name}"`, ...hintOf(suggest(name, variants)) };
}

function rowsOf(table: WiredInput | undefined): readonly string[] {
  return (table?.facts.rows ?? []) as readonly string[];
}

function hintOf(hint: string | undefined): { readonly hint?: string } {
  return hint === undefined ? {} : { hint };
}
