import { isDeepStrictEqual } from 'node:util';
import type { StageInput, StageRecord } from '../framework/stage/contract.ts';
import { readHistory } from '../framework/stage/history.ts';
import { splitChanges } from './changes.ts';
import { nothingPublished, type Published, publishedBeside } from './comparable.ts';
import type { AblationTableConfig } from './config.ts';
import { type Examples, readExamples } from './examples.ts';
import { readFacts } from './facts.ts';
import { type CellResult, type InTable, readResults, type TableConfig } from './results.ts';
import { shownBy, showPart } from './show.ts';
import { type AblationTable, buildTable } from './table.ts';
import { unshownTasks } from './unshown.ts';
import { usualColumns } from './usual-columns.ts';
import { type Warning, warningsOf } from './warnings.ts';

/** A finished report: what every format is made of. A function of the results alone. */
export interface Report {
  /** With the changes that are not in `shown`. */
  readonly config: TableConfig;
  /** What of the table is shown by flags, in words; the numbers are those of the whole table. */
  readonly shown: readonly string[];
  readonly table: AblationTable;
  /** Every number of every cell, as stages reported them. */
  readonly results: readonly CellResult[];
  /** What speaks against some of the numbers. */
  readonly warnings: readonly Warning[];
  /** What the numbers rest on, as sentences without their full stops. */
  readonly facts: readonly string[];
  /** What papers report of the same; nothing where the experiment doesn't want it. */
  readonly published: Published;
  /** PNG files by name. */
  readonly pictures: ReadonlyMap<string, Buffer>;
}

/** A line of a stage's history. What isn't finite is text: `NaN`, `Infinity`. */
export type HistoryRow = { readonly [name: string]: unknown };

/** A stage, what it logged, and which of its other outputs a page shows. */
export interface ShownStage extends StageRecord, Examples {
  readonly history: readonly HistoryRow[];
}

/** A report with how its numbers were made: costs, commits, curves. */
export interface FullReport extends Report {
  readonly stages: readonly ShownStage[];
  /** Arguments of peco-exp that make the same results from an empty store. */
  readonly command: readonly string[];
  readonly version: string | null;
}

type Inputs = { readonly [name: string]: StageInput };

/** Reads the results of the cells and makes the table of them; without pictures. */
export async function readReport(
  { columns, published, show, table: whole }: AblationTableConfig & InTable,
  inputs: Inputs,
): Promise<Omit<Report, 'pictures'>> {
  const { changes, ...rest } = whole;
  const { shown, others } = splitChanges(changes ?? [], show);
  const config = others.length > 0 ? { ...rest, changes: others } : rest;
  const results = await readResults(config, inputs);
  const table = makeTable(config, results, { columns, show });
  const isShown = shownBy(table, show);
  const methods = typeof published === 'boolean' ? {} : published;
  return {
    ...{ config, shown, results, table },
    warnings: [
      ...unshownTasks(columns, results.filter(isShown.row)),
      ...(await warningsOf(config, results.filter(isShown.row), inputs)),
    ],
    facts: await readFacts(
      { ...config, cells: config.cells.filter(isShown.cell) },
      results.filter(isShown.cell),
      inputs,
    ),
    published:
      published === false || config.smoke
        ? nothingPublished
        : publishedBeside(table, methods, results, inputs),
  };
}

function makeTable(
  config: TableConfig,
  results: readonly CellResult[],
  { columns, show = {} }: Pick<AblationTableConfig, 'columns' | 'show'>,
): AblationTable {
  const { precision } = show;
  const wanted = precision === undefined ? columns : columns.map((one) => ({ ...one, digits: precision }));
  const table = showPart(buildTable(config, results, wanted), show);
  // The usual columns are for all tasks that there are, of which an experiment has some.
  const isAsked = show.columns !== undefined || !isDeepStrictEqual(columns, usualColumns);
  return isAsked ? table : { ...table, unmeasured: [] };
}

/** What each stage logged, oldest first, and its examples; nothing of a stage that has no result. */
export function readStages(stages: readonly StageRecord[]): Promise<FullReport['stages']> {
  return Promise.all(
    stages.map(async (stage) => {
      if (!stage.result) return { ...stage, history: [] };
      const { dir } = stage.result;
      return { ...stage, history: readHistory(dir), ...(await readExamples(stage.role, dir)) };
    }),
  );
}
