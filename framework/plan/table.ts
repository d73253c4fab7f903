import { type Change, describeChange } from '../experiment/changes/change.ts';
import { configInKeys } from '../stage/added.ts';
import type { Component } from '../stage/component.ts';
import type { Json } from '../stage/json.ts';
import { roles } from '../stage/roles.ts';
import type { MissingCell, TableConfig } from '../stage/table.ts';
import type { SharedStages } from './shared.ts';
import type { Cell, StageEdge, StageNode } from './types.ts';

interface Table {
  readonly component: Component;
  readonly experiment: string;
  readonly baseline: string;
  readonly baselineOf?: { readonly [variant: string]: string | null };
  readonly variants: readonly string[];
  readonly cells: readonly Cell[];
  readonly shared: readonly SharedStages[];
  readonly changes: readonly Change[];
}

/** The report stage: an input and a line of `config.table` for every cell. */
export function tableOf(table: Table): StageNode {
  const { component, experiment, baseline, baselineOf, variants, shared, changes } = table;
  const others = changes.filter(({ by }) => by !== 'smoke');
  const cells = table.cells.map(({ variant, task, seed }) => ({
    variant,
    task,
    seed,
    input: cellName({ variant, task, seed }),
  }));
  const inputs: { [name: string]: StageEdge } = {};
  for (const cell of table.cells) inputs[cellName(cell)] = { type: 'stage', stage: cell.stage };
  const config = {
    experiment,
    baseline,
    ...(baselineOf ? { baselineOf } : {}),
    variants,
    cells,
    missing: [],
    ...(shared.length > 0 ? { shared } : {}),
    ...(others.length > 0 ? { changes: others.map(describeChange) } : {}),
    ...(others.length < changes.length ? { smoke: true as const } : {}),
  };
  return buildReport(roles[component.role].id!, component, config, inputs);
}

/**
 * The report stage without the inputs that could not be made; its table names them as missing.
 *
 * @param why of an input that is missing
 */
export function withoutCells(
  report: StageNode,
  why: (input: string) => Pick<MissingCell, 'reason' | 'dropped'> | undefined,
): StageNode {
  const table = report.component.config.table as unknown as TableConfig;
  const gone = table.cells.flatMap(({ input, ...place }) => {
    const reason = why(input);
    return reason ? [{ input, missing: { ...place, ...reason } }] : [];
  });
  const names = new Set(gone.map(({ input }) => input));
  const cells = table.cells.filter(({ input }) => !names.has(input));
  const inputs = Object.fromEntries(Object.entries(report.inputs).filter(([name]) => !names.has(name)));
  const missing = [...table.missing, ...gone.map((one) => one.missing)];
  return buildReport(report.id, report.component, { ...table, cells, missing }, inputs);
}

function buildReport(
  id: string,
  component: Component,
  table: TableConfig,
  inputs: { readonly [name: string]: StageEdge },
): StageNode {
  const own = { table: table as unknown as Json };
  const config = { ...component.config, ...own };
  const keyed = { ...configInKeys(component), ...own };
  return { id, component: { ...component, config, keyed }, seed: 0, inputs };
}

function cellName(cell: { readonly variant: string; readonly task: string; readonly seed: number }): string {
  return `${cell.variant}/${cell.task}/${cell.seed}`;
}
