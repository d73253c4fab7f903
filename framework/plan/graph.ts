import type { Change } from '../experiment/changes/change.ts';
import { isHalving } from '../experiment/changes/halving.ts';
import { baselineName } from '../experiment/rows.ts';
import { get } from '../experiment/tree.ts';
import type { Experiment } from '../experiment/types.ts';
import { listVariants } from '../experiment/variants.ts';
import type { Component } from '../stage/component.ts';
import { declaredRoles, isInRows, roles } from '../stage/roles.ts';
import { Nodes } from './nodes.ts';
import { createRowStages } from './row-stages.ts';
import { halve } from './rungs.ts';
import { sharedByCells } from './shared.ts';
import { tableOf } from './table.ts';
import type { StageGraph } from './types.ts';

/**
 * The DAG of a valid experiment: roles decide the wiring, places that mean the same share one stage. The report says how
 * the experiment was changed.
 */
export function resolveGraph(experiment: Experiment, changes: readonly Change[] = []): StageGraph {
  const nodes = new Nodes();
  const variants = listVariants(experiment);
  const { sweep, seeds } = experiment;
  const stages = createRowStages(seeds, nodes);
  if (isHalving(sweep))
    for (const [part, edges] of halve(variants, sweep, { seeds, nodes })) stages.put(part, edges);
  // What several rows and seeds can share comes first.
  for (const variant of variants)
    for (const part of variant.parts) if (roles[part.role].seeds === 'own') stages.make(variant, part);
  const measured = declaredRoles().filter(({ spec }) => spec.cells !== undefined);
  const cells = measured.flatMap(({ role }) => variants.flatMap((variant) => stages.cells(variant, role)));
  const names = variants.map((variant) => variant.name);
  const baseline = baselineName(experiment);
  const report = reportOf(experiment);
  if (report) {
    const baselineOf = variants.every((variant) => variant.baseline === baseline)
      ? undefined
      : Object.fromEntries(variants.map((variant) => [variant.name, variant.baseline]));
    const table = {
      component: report,
      experiment: experiment.name,
      baseline,
      ...(baselineOf ? { baselineOf } : {}),
      variants: names,
      cells,
      shared: sharedByCells(cells),
      changes,
    };
    nodes.addReport(tableOf(table));
  }
  return {
    experiment: experiment.name,
    changes,
    baseline,
    variants: names,
    stages: nodes.all,
    aliases: nodes.aliases,
    cells,
  };
}

function reportOf(experiment: Experiment): Component | undefined {
  const { declared } = declaredRoles().find((one) => !isInRows(one))!;
  return get(experiment, [declared.group]) as Component | undefined;
}
