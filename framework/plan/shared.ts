import { isReplicable } from './replicates.ts';
import type { Cell, Edges, StageNode } from './types.ts';

/** Tokenizers and networks that all seeds of a variant and a task share: their n numbers come from one training. */
export interface SharedStages {
  readonly variant: string;
  readonly task: string;
  /** Ids. */
  readonly stages: readonly string[];
}

/** For each variant and task with several seeds; those that share none are left out. */
export function sharedByCells(cells: readonly Cell[]): readonly SharedStages[] {
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const name = `${cell.variant} ${cell.task}`;
    groups.set(name, [...(groups.get(name) ?? []), cell]);
  }
  const trained = createTrained();
  return [...groups.values()].flatMap((group) => {
    const [{ variant, task, stage: first }, ...others] = group as [Cell, ...Cell[]];
    if (others.length === 0) return [];
    const shared = [...trained(first)].filter((node) =>
      others.every(({ stage }) => trained(stage).has(node)),
    );
    return shared.length === 0 ? [] : [{ variant, task, stages: shared.map(({ id }) => id) }];
  });
}

/** The tokenizers and networks that a stage's result was made with, all the way up. */
function createTrained() {
  const known = new Map<StageNode, ReadonlySet<StageNode>>();
  function inEdges(edges: Edges): StageNode[] {
    return Object.values(edges).flatMap((edge) => {
      if (edge.type === 'leaf') return inEdges(edge.inputs);
      const { stage } = edge;
      return [...(isReplicable(stage.component) ? [stage] : []), ...trained(stage)];
    });
  }
  function trained(node: StageNode): ReadonlySet<StageNode> {
    const found = known.get(node) ?? new Set(inEdges(node.inputs));
    known.set(node, found);
    return found;
  }
  return trained;
}
