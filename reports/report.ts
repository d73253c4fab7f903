import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { StageInput, StageRecord } from '../framework/stage/contract.ts';
import type { AblationTableConfig } from './config.ts';
import { readFacts } from './facts.ts';
import { type PublishedResult, publishedResults } from './published.ts';
import { absent, type CellResult, type InTable, readResults, type TableConfig } from './results.ts';
import { type AblationTable, buildTable } from './table.ts';

/** A finished report: what every format is made of. A function of the results alone. */
export interface Report {
  readonly config: TableConfig;
  readonly table: AblationTable;
  /** Every number of every cell, as stages reported them. */
  readonly results: readonly CellResult[];
  /** What the numbers rest on, as sentences without their full stops. */
  readonly facts: readonly string[];
  /** What the papers report; empty where the experiment doesn't want it. */
  readonly published: readonly PublishedResult[];
  /** PNG files by name. */
  readonly pictures: ReadonlyMap<string, Buffer>;
}

/** A line of a stage's history. What isn't finite is text: `NaN`, `Infinity`. */
export type HistoryRow = { readonly [name: string]: unknown };

/** A report with how its numbers were made: costs, commits, curves. */
export interface FullReport extends Report {
  readonly stages: readonly (StageRecord & { readonly history: readonly HistoryRow[] })[];
  /** Arguments of peco-exp that make the same results from an empty store. */
  readonly command: readonly string[];
  readonly version: string | null;
}

type Inputs = { readonly [name: string]: StageInput };

/** Reads the results of the cells and makes the table of them; without pictures. */
export async function readReport(
  { columns, published, table: config }: AblationTableConfig & InTable,
  inputs: Inputs,
): Promise<Omit<Report, 'pictures'>> {
  const results = await readResults(config, inputs);
  return {
    config,
    results,
    table: buildTable(config, results, columns),
    facts: await readFacts(config, results, inputs),
    published: published && !config.smoke ? publishedResults : [],
  };
}

/** What each stage logged, oldest first; nothing of a stage that logged nothing or has no result. */
export function readHistories(stages: readonly StageRecord[]): Promise<FullReport['stages']> {
  return Promise.all(
    stages.map(async (stage) => ({
      ...stage,
      history: stage.result ? await readHistory(stage.result.dir) : [],
    })),
  );
}

async function readHistory(dir: string): Promise<readonly HistoryRow[]> {
  const text = (await readFile(path.join(dir, 'metrics.jsonl'), 'utf8').catch(absent)) ?? '';
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as HistoryRow]));
}
