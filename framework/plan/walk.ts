import type { Edges, StageNode } from './types.ts';

/**
 * The stages whose results a stage needs: direct inputs, those of its leaves, the stage that it goes on from and
 * those that measure its point for its gate. No duplicates.
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
  if (node.previous) found.add(node.previous);
  for (const evaluation of node.gate?.point ?? []) found.add(evaluation);
  return [...found];
}

/** All that have to settle before it is known whether a stage can run: those, and the competitors of its gate. */
export function awaitedStages(node: StageNode): readonly StageNode[] {
  const upstream = upstreamStages(node);
  return node.gate ? [...new Set([...upstream, ...node.gate.contest.points.flat()])] : upstream;
}

/** The same stages, each after all that it awaits. */
export function inAwaitedOrder(stages: readonly StageNode[]): readonly StageNode[] {
  const rest = new Set(stages);
  const ordered: StageNode[] = [];
  function visit(node: StageNode): void {
    if (!rest.delete(node)) return;
    for (const awaited of awaitedStages(node)) visit(awaited);
    ordered.push(node);
  }
  for (const node of stages) visit(node);
  return ordered;
}

/** URLs of all implementation modules of some stages and of the leaves behind them. */
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
