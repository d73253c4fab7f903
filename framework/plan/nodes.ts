import { canonicalJson } from '../stage/canonical.ts';
import type { Component, Role } from '../stage/component.ts';
import { PecoError } from '../stage/errors.ts';
import { hasMembers, inputsOf, nestedId } from '../stage/roles.ts';
import { isReplicable, namedSeed, withSeed } from './replicates.ts';
import type { After, Rung, StageEdge, StageNode } from './types.ts';

type Edges = { readonly [name: string]: StageEdge };

interface Wish {
  /** Taken if no stage of the same meaning exists yet, with `/seed-0` after it unless all seeds share the stage. */
  readonly id: string;
  /** Of the chain that the stage is part of; taken unless the component's config names another. */
  readonly seed: number;
  /** One stage for all seeds of the experiment. */
  readonly shared?: boolean;
  /** Of which the role gets its share. */
  readonly data: Data;
  /** Beside the datasets of the role. */
  readonly wired?: Edges;
  readonly until?: number;
  readonly after?: After;
  readonly rung?: Rung;
}

/** The experiment's datasets, or a row's, by their names. */
type Data = { readonly [name: string]: Component };

/** The stages of a graph as it grows; what means the same is there once. */
export class Nodes {
  /** Every stage after its inputs. */
  readonly all: StageNode[] = [];
  /** Ids that were asked for and are of stages with another one. */
  readonly aliases = new Map<string, StageNode>();
  readonly #byMeaning = new Map<string, StageNode>();
  readonly #meanings = new Map<StageNode, Meaning>();
  readonly #texts = new Map<Component, string>();
  readonly #seeded = new Map<Component, Map<number, Component>>();
  readonly #leaves = new Map<Component, StageEdge>();
  readonly #names = createNames();

  /** The stage of a component that has to have one. */
  stage(declared: Component, wish: Wish): StageNode {
    if (declared.implementation.run === undefined) {
      const message = `the ${declared.role} "${declared.kind}" has no code to run`;
      throw new PecoError(message, { code: 'invalid-component', hint: 'give `run` to its defineComponent' });
    }
    const { data, wired, until, after, rung } = wish;
    const seed = namedSeed(declared) ?? wish.seed;
    const component = this.#componentAt(declared, seed);
    // A stage comes after the stages of its nested components: those are made first, here.
    const nested = this.#nestedEdges(component, { data, seed });
    const inputs = { ...this.#datasets(component.role, data), ...wired, ...nested };
    const node = {
      component,
      seed,
      inputs,
      ...(until === undefined ? {} : { until }),
      ...(after ? { after } : {}),
      ...(rung ? { rung } : {}),
    };
    const meaning = `${this.#meaningOf(node, 'own')} ${seed}`;
    // Without its seed: all stages of a chain that differ in their seeds alone have one name.
    const family = wish.shared ? `shared ${meaning}` : this.#meaningOf(node, 'family');
    const id = this.#names.nameOf(wish.id, family) + (wish.shared ? '' : `/seed-${wish.seed}`);
    const existing = this.#byMeaning.get(meaning);
    if (!existing) return this.#add({ id, ...node }, meaning, family);
    if (existing.id !== id && !this.aliases.has(id)) this.aliases.set(id, existing);
    return existing;
  }

  /** The same as an input of others: a leaf if the component has nothing to run. */
  edge(component: Component, wish: Wish): StageEdge {
    if (component.implementation.run !== undefined)
      return { type: 'stage', stage: this.stage(component, wish) };
    return { type: 'leaf', component, inputs: this.#nestedEdges(component, wish) };
  }

  addReport(report: StageNode): void {
    this.all.push(report);
  }

  #add(node: StageNode, meaning: string, family: string): StageNode {
    this.#byMeaning.set(meaning, node);
    this.#meanings.set(node, { own: String(this.all.length), family: this.#names.numberOf(family) });
    this.all.push(node);
    return node;
  }

  #meaningOf(node: Omit<StageNode, 'id'>, part: keyof Meaning): string {
    const { component, inputs, until, after } = node;
    // A row whose stage may be dropped doesn't share it with one whose stage may not; in the store they are one.
    const point = after ? `${this.#meanings.get(after.selection)![part]}/${after.point}` : '';
    return [this.#textOf(component), this.#edgeMeanings(inputs, part), until ?? '', point].join(' ');
  }

  #componentAt(component: Component, seed: number): Component {
    const known = this.#seeded.get(component) ?? new Map<number, Component>();
    this.#seeded.set(component, known);
    const made = known.get(seed) ?? withSeed(component, seed);
    known.set(seed, made);
    return made;
  }

  #datasets(role: Role, data: Data): Edges {
    const names = Object.entries(inputsOf(role)).filter(([, input]) => hasMembers(input));
    return Object.fromEntries(names.map(([name]) => [name, this.#leaf(data[name]!)]));
  }

  #leaf(component: Component): StageEdge {
    const found = this.#leaves.get(component) ?? { type: 'leaf', component, inputs: {} };
    this.#leaves.set(component, found);
    return found;
  }

  /** What is nested belongs to the chain of what it is nested in. */
  #nestedEdges(component: Component, { data, seed }: Pick<Wish, 'data' | 'seed'>): Edges {
    const nested = Object.entries(component.inputs).map(([name, part]) => {
      const shared = namedSeed(part) !== undefined;
      return [name, this.edge(part, { id: nestedId(part), data, seed, shared })];
    });
    return Object.fromEntries(nested);
  }

  #edgeMeanings(edges: Edges, part: keyof Meaning): string {
    const named = Object.entries(edges).map(([name, item]) => {
      if (item.type === 'stage') return `${name}: stage ${this.#meanings.get(item.stage)![part]}`;
      return `${name}: leaf ${this.#textOf(item.component)} (${this.#edgeMeanings(item.inputs, part)})`;
    });
    return named.sort().join();
  }

  /** A number that stands for what a component means. */
  #textOf(component: Component): string {
    const text = this.#texts.get(component) ?? this.#names.numberOf(canonicalJson(meaningOf(component)));
    this.#texts.set(component, text);
    return text;
  }
}

/** Numbers that stand for what a stage is, and for what it has in common with its like of other seeds. */
interface Meaning {
  readonly own: string;
  readonly family: string;
}

/** The seed of a tokenizer or network is that of its stage: it is counted there. */
function meaningOf(component: Component) {
  const { role, kind, config, implementation, files } = component;
  const { seed: _counted, ...rest } = config;
  const own = isReplicable(component) && namedSeed(component) !== undefined ? rest : config;
  return { role, kind, config: own, run: implementation.run ?? '', load: implementation.load ?? '', files };
}

/** Names of families of stages, each with one owner: a second one that wants `network/vgg` gets `network/vgg-2`. */
function createNames() {
  const taken = new Set<string>();
  /** By the name that was wanted. */
  const given = new Map<string, Map<string, string>>();
  const numbers = new Map<string, string>();
  return {
    nameOf(wanted: string, family: string): string {
      const known = given.get(wanted) ?? new Map<string, string>();
      given.set(wanted, known);
      const own = known.get(family);
      if (own !== undefined) return own;
      // Another may have wanted "vgg-2" itself.
      let count = known.size + 1;
      let name = count === 1 ? wanted : `${wanted}-${count}`;
      for (; taken.has(name); count++) name = `${wanted}-${count + 1}`;
      taken.add(name);
      known.set(family, name);
      return name;
    },
    /** Short for a long text: the same for equal ones. */
    numberOf(text: string): string {
      const number = numbers.get(text) ?? String(numbers.size);
      numbers.set(text, number);
      return number;
    },
  };
}
