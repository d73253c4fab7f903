import { lacksFiles } from '../experiment/missing.ts';
import type { Component } from '../stage/component.ts';
import type { Edges, StageGraph, StageNode } from './types.ts';
import { upstreamStages } from './walk.ts';

/** Stages that rest on data or weights that aren't there, and why, for people: `train is missing`. */
export function findUnknown({ stages }: StageGraph): ReadonlyMap<StageNode, string> {
  const unknown = new Map<StageNode, string>();
  const looked = new Map<Component, boolean>();
  const isMissing = (component: Component): boolean => {
    const known = looked.get(component) ?? lacksFiles(component);
    looked.set(component, known);
    return known;
  };
  for (const node of stages) {
    const leaf = missingLeaf(node.inputs, isMissing);
    const upstream = upstreamStages(node).find((one) => unknown.has(one));
    if (isMissing(node.component)) unknown.set(node, 'its files are missing');
    else if (leaf !== undefined) unknown.set(node, `${leaf} is missing`);
    else if (upstream) unknown.set(node, `depends on ${upstream.id}`);
  }
  return unknown;
}

/** Name of the first input that is a leaf without its files. */
function missingLeaf(edges: Edges, isMissing: (component: Component) => boolean): string | undefined {
  for (const [name, edge] of Object.entries(edges)) {
    if (edge.type !== 'leaf') continue;
    if (isMissing(edge.component)) return name;
    const inside = missingLeaf(edge.inputs, isMissing);
    if (inside !== undefined) return `${name}.${inside}`;
  }
  return undefined;
}
