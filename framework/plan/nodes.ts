import { canonicalJson } from '../stage/canonical.ts';
import type { Component, Role } from '../stage/component.ts';
import { PecoError } from '../stage/errors.ts';
import type { Gate, StageEdge, StageNode } from './types.ts';

type Edges = { readonly [name: string]: StageEdge };

interface Wish {
  /** Taken if no stage of the same meaning exists yet. */
  readonly id: string;
  /** Of the roles that run once per seed of the experiment. */
  readonly seed?: number;
  /** Of which the role gets its share. */
  readonly data: Data;
  /** Beside the datasets of the role. */
  readonly wired?: Edges;
  readonly until?: number;
  readonly previous?: StageNode;
  readonly gate?: Gate;
}

interface Data {
  readonly train: Component;
  readonly test: Component;
}

/** The stages of a graph as it grows; what means the same is there once. */
export interface Nodes {
  /** The stage of a component that has to have one. */
  stage(component: Component, wish: Wish): StageNode;
  /** The same as an input of others: a leaf if the component has nothing to run. */
  edge(component: Component, wish: Wish): StageEdge;
  addReport(report: StageNode): void;
  /** Ids that were asked for and are of stages with another one. */
  aliases(): ReadonlyMap<string, StageNode>;
  /** Every stage after its inputs. */
  all(): readonly StageNode[];
}

/** Which datasets the framework wires to a role; see the table at `Role`. */
const datasetsOf: { readonly [role in Role]: readonly (keyof Data)[] } = {
  dataset: [],
  network: ['train'],
  tokenizer: ['train'],
  evaluation: ['train', 'test'],
  pretraining: ['train'],
  downstream: ['train', 'test'],
  report: [],
};

export function createNodes(): Nodes {
  const byMeaning = new Map<string, StageNode>();
  const meanings = new Map<StageNode, string>();
  const texts = new Map<Component, string>();
  const leaves = new Map<Component, StageEdge>();
  /** How often an id was asked for. */
  const ids = new Map<string, number>();
  const aliases = new Map<string, StageNode>();
  const order: StageNode[] = [];

  function edge(component: Component, wish: Wish): StageEdge {
    if (component.implementation.run !== undefined) return { type: 'stage', stage: stage(component, wish) };
    return { type: 'leaf', component, inputs: nestedEdges(component, wish.data) };
  }

  function stage(component: Component, wish: Wish): StageNode {
    if (component.implementation.run === undefined) {
      const message = `the ${component.role} "${component.kind}" has no code to run`;
      throw new PecoError(message, { code: 'invalid-component', hint: 'give `run` to its defineComponent' });
    }
    const { data, wired, until, previous, gate } = wish;
    // A stage comes after the stages of its nested components: those are made first, here.
    const inputs = { ...datasets(component.role, data), ...wired, ...nestedEdges(component, data) };
    const seed = seedOf(component, wish.seed);
    const entry = gate ? meanings.get(gate.entry)! : '';
    // A row whose stage may be stopped doesn't share it with one whose stage may not; in the store they are one.
    const meaning = [textOf(component), seed, edgeMeanings(inputs), until ?? '', entry].join(' ');
    const existing = byMeaning.get(meaning);
    if (existing) {
      if (existing.id !== wish.id && !aliases.has(wish.id)) aliases.set(wish.id, existing);
      return existing;
    }
    const node: StageNode = {
      id: freeId(wish.id),
      component,
      seed,
      inputs,
      ...(until === undefined ? {} : { until }),
      ...(previous ? { previous } : {}),
      ...(gate ? { gate } : {}),
    };
    byMeaning.set(meaning, node);
    meanings.set(node, String(order.length));
    order.push(node);
    return node;
  }

  function datasets(role: Role, data: Data): Edges {
    return Object.fromEntries(datasetsOf[role].map((name) => [name, leaf(data[name])]));
  }

  function leaf(component: Component): StageEdge {
    let found = leaves.get(component);
    if (!found) {
      found = { type: 'leaf', component, inputs: {} };
      leaves.set(component, found);
    }
    return found;
  }

  function nestedEdges(component: Component, data: Data): Edges {
    const nested = Object.entries(component.inputs);
    return Object.fromEntries(
      nested.map(([name, part]) => [name, edge(part, { id: `${part.role}/${part.kind}`, data })]),
    );
  }

  function edgeMeanings(edges: Edges): string {
    const named = Object.entries(edges).map(([name, item]) => {
      if (item.type === 'stage') return [name, `stage ${meanings.get(item.stage)!}`];
      return [name, `leaf ${textOf(item.component)} ${edgeMeanings(item.inputs)}`];
    });
    return canonicalJson(Object.fromEntries(named));
  }

  function textOf(component: Component): string {
    let text = texts.get(component);
    if (text === undefined) {
      text = canonicalJson(meaningOf(component));
      texts.set(component, text);
    }
    return text;
  }

  function freeId(wanted: string): string {
    const count = (ids.get(wanted) ?? 0) + 1;
    ids.set(wanted, count);
    if (count === 1) return wanted;
    // Somebody may have asked for "vgg-2" itself.
    return freeId(`${wanted}-${count}`);
  }

  return { stage, edge, addReport: (report) => order.push(report), aliases: () => aliases, all: () => order };
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
