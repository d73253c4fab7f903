import type { PlannedStage } from '../../../../framework/plan/plan.ts';
import { tableOf } from '../../../../framework/plan/table.ts';
import type { Cell, StageNode } from '../../../../framework/plan/types.ts';
import { Tasks } from '../../../../framework/run/tasks.ts';
import type { Component } from '../../../../framework/stage/component.ts';
import type { Entry } from '../../../../framework/store/types.ts';

export const component: Component = {
  role: 'tokenizer',
  kind: 'fake',
  config: {},
  implementation: {},
  inputs: {},
  files: {},
  issues: [],
};
export const result = { provenance: {} } as Entry;

export function stage(id: string, upstream: readonly StageNode[]): StageNode {
  const inputs = upstream.map((one) => [one.id, { type: 'stage', stage: one }] as const);
  return { id, component, seed: 0, inputs: Object.fromEntries(inputs) };
}

/** A graph of numbered stages, each with the stages that it needs, and a report of all that nothing else needs. */
export function tasksOf(needs: readonly (readonly number[])[], stored: readonly number[] = []): Tasks {
  const nodes: StageNode[] = [];
  for (const [index, upstream] of needs.entries())
    nodes.push(
      stage(
        String(index),
        [...new Set(upstream)].map((one) => nodes[one]!),
      ),
    );
  const needed = new Set(needs.flat());
  const cells: Cell[] = nodes.flatMap((node, index) =>
    needed.has(index) ? [] : [{ variant: node.id, task: 'probe', seed: 0, stage: node }],
  );
  const report = tableOf({
    component: { ...component, role: 'report' },
    experiment: 'test',
    baseline: '0',
    variants: cells.map(({ variant }) => variant),
    cells,
    shared: [],
    changes: [],
  });
  const stages = [...nodes, report].map(
    (node, index) => ({ node, ...(stored.includes(index) ? { entry: result } : {}) }) as PlannedStage,
  );
  return new Tasks({ stages });
}
