import type { Edges, StageNode } from './types.ts';

/** The stages that a stage waits for: direct inputs, and those of its leaves. No duplicates. */
export function upstreamStages(node: StageNode): readonly StageNode[] {
  const found = new Set<StageNode>();
  function visit(edges: Edges): void {
    for (const edge of Object.values(edges)) {
      if (edge.type === 'stage') found.add(edge.stage);
      else visit(edge.inputs);
    }
  }
  visit(node.inputs);
  return [...found];
}
