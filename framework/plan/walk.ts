import type { Edges, StageNode } from './types.ts';

/**
 * The stages that a stage waits for: direct inputs, those of its leaves, the stage whose training it continues and the
 * selection that lets it. No duplicates.
 */
export function upstreamStages(node: StageNode): readonly StageNode[] {
  const found = new Set<StageNode>();
  function visit(edges: Edges): void {
    for (const edge of Object.values(edges)) {
      if (edge.type === 'stage') found.add(edge.stage);
      else visit(edge.inputs);
    }
  }
  visit(node.inputs);
  if (node.after) found.add(node.after.previous).add(node.after.selection);
  return [...found];
}

/** URLs of all implementation modules of some stages and of the leaves among their inputs. */
export function implementationsOfAll(stages: Iterable<StageNode>): Set<string> {
  const urls = new Set<string>();
  const visit = (edges: Edges): void => {
    for (const edge of Object.values(edges)) {
      if (edge.type === 'stage') continue; // it is among the stages
      add(edge.component.implementation.load);
      visit(edge.inputs);
    }
  };
  const add = (url: string | undefined) => void (url !== undefined && urls.add(url));
  for (const { component, inputs } of stages) {
    add(component.implementation.run);
    add(component.implementation.load);
    visit(inputs);
  }
  return urls;
}
