import { canonicalJson } from '../stage/canonical.ts';
import type { Component, Role } from '../stage/component.ts';
import { PecoError } from '../stage/errors.ts';
import type { StageEdge, StageNode } from './types.ts';

type Edges = { readonly [name: string]: StageEdge };

interface Wish {
  /** Taken if no stage of the same meaning exists yet. */
  readonly id: string;
  /** Of the roles that run once per seed of the experiment. */
  readonly seed?: number;
  /** Beside the datasets of the role. */
  readonly wired?: Edges;
}

/** The stages of a graph as it grows; what means the same is there once. */
export interface Nodes {
  /** The stage of a component that has to have one. */
  stage(component: Component, wish: Wish): StageNode;
  /** The same as an input of others: a leaf if the component has nothing to run. */
  edge(component: Component, wish: Wish): StageEdge;
  addReport(report: StageNode): void;
  /** Every stage after its inputs. */
  all(): readonly StageNode[];
}

/** Which datasets the framework wires to a role; see the table at `Role`. */
const datasetsOf: { readonly [role in Role]: readonly string[] } = {
  dataset: [],
  network: ['train'],
  tokenizer: ['train'],
  evaluation: ['train', 'test'],
  pretraining: ['train'],
  downstream: ['train', 'test'],
  report: [],
};

export function createNodes(data: { readonly train: StageEdge; readonly test: StageEdge }): Nodes {
  const byMeaning = new Map<string, StageNode>();
  const meanings = new Map<StageNode, string>();
  const ids = new Set<string>();
  const order: StageNode[] = [];

  function edge(component: Component, wish: Wish): StageEdge {
    if (component.implementation.run !== undefined) return { type: 'stage', stage: stage(component, wish) };
    return { type: 'leaf', component, inputs: nestedEdges(component) };
  }

  function stage(component: Component, wish: Wish): StageNode {
    if (component.implementation.run === undefined) {
      const message = `the ${component.role} "${component.kind}" has no code to run`;
      throw new PecoError(message, { code: 'invalid-component', hint: 'give `run` to its defineComponent' });
    }
    // A stage comes after the stages of its nested components: those are made first, here.
    const inputs = { ...datasets(component.role), ...wish.wired, ...nestedEdges(component) };
    const seed = seedOf(component, wish.seed);
    const meaning = canonicalJson([meaningOf(component), seed, edgeMeanings(inputs)]);
    const existing = byMeaning.get(meaning);
    if (existing) return existing;
    const node: StageNode = { id: freeId(wish.id), component, seed, inputs };
    byMeaning.set(meaning, node);
    meanings.set(node, String(order.length));
    order.push(node);
    return node;
  }

  function datasets(role: Role): Edges {
    return Object.fromEntries(datasetsOf[role].map((name) => [name, data[name as 'train' | 'test']]));
  }

  function nestedEdges(component: Component): Edges {
    const nested = Object.entries(component.inputs);
    return Object.fromEntries(
      nested.map(([name, part]) => [name, edge(part, { id: `${part.role}/${part.kind}` })]),
    );
  }

  function edgeMeanings(edges: Edges): { readonly [name: string]: string } {
    return Object.fromEntries(
      Object.entries(edges).map(([name, item]) => [
        name,
        item.type === 'stage'
          ? `stage ${meanings.get(item.stage)!}`
          : `leaf ${canonicalJson([meaningOf(item.component), edgeMeanings(item.inputs)])}`,
      ]),
    );
  }

  function freeId(wanted: string): string {
    let id = wanted;
    for (let count = 2; ids.has(id); count++) id = `${wanted}-${count}`;
    ids.add(id);
    return id;
  }

  return { stage, edge, addReport: (report) => order.push(report), all: () => order };
}

function meaningOf(component: Component) {
  const { role, kind, config, implementation, files } = component;
  return { role, kind, config, run: implementation.run ?? '', load: implementation.load ?? '', files };
}

/** Tokenizers, networks and evaluations are made once: by seed 0, or by the one that their config names. */
function seedOf(component: Component, seed: number | undefined): number {
  if (seed !== undefined) return seed;
  const own = component.config.seed;
  return typeof own === 'number' && Number.isInteger(own) ? own : 0;
}
