import type { StageInput } from '../../framework/stage/contract.ts';
import type { JsonObject } from '../../framework/stage/json.ts';
import type { Column } from '../../reports/config.ts';
import type { CellResult, TableConfig } from '../../reports/results.ts';

export const columns: readonly Column[] = [
  { metric: 'top1', label: 'top-1 %', scale: 100, digits: 2, better: 'higher' },
  { metric: 'error', label: 'error', scale: 1, digits: 1, better: 'lower' },
];

/** A component that is no stage, as a report sees it. */
export function leaf(kind: string, config: JsonObject = {}): StageInput {
  return {
    ...{ kind, config, dir: '', files: {}, inputs: {} },
    load: () => Promise.reject(new Error('a report loads nothing')),
  };
}

export function cell(
  variant: string,
  seed: number,
  metrics: { [name: string]: number },
  task = 'probe',
): CellResult {
  return { variant, task, seed, input: `${variant}/${task}/${seed}`, engine: 'onnx', metrics };
}

/** The table of these cells, with rows in the order of their first cells; the first is the baseline. */
export function tableOf(cells: readonly CellResult[], other: Partial<TableConfig> = {}): TableConfig {
  const variants = [...new Set(cells.map(({ variant }) => variant))];
  return { experiment: 'test', baseline: variants[0], variants, cells, missing: [], ...other };
}
