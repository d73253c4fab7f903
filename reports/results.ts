import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { StageInput } from '../framework/stage/contract.ts';

/** Which stage has the numbers of a variant, a task and a seed. */
export interface CellPlace {
  readonly variant: string;
  readonly task: string;
  readonly seed: number;
  /** Name of the report's input. */
  readonly input: string;
}

/** The part of a report's config that the framework writes. */
export interface TableConfig {
  readonly experiment: string;
  readonly baseline: string;
  readonly variants: readonly string[];
  readonly cells: readonly CellPlace[];
  readonly missing: readonly {
    readonly variant: string;
    readonly task: string;
    readonly seed: number;
    readonly reason: string;
  }[];
}

/** A cell with its numbers. */
export interface CellResult extends CellPlace {
  readonly engine: string;
  readonly metrics: { readonly [name: string]: number };
}

export async function readResults(
  table: TableConfig,
  inputs: { readonly [name: string]: StageInput },
): Promise<CellResult[]> {
  return Promise.all(
    table.cells.map(async (cell) => {
      const text = await readFile(path.join(inputs[cell.input].dir, 'metrics.json'), 'utf8');
      return { ...cell, ...(JSON.parse(text) as Pick<CellResult, 'engine' | 'metrics'>) };
    }),
  );
}
