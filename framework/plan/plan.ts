import { bundleImplementation, forgetBundles } from '../code/code.ts';
import type { Ranking } from '../experiment/changes/selection.ts';
import type { Json } from '../stage/json.ts';
import type { ContentKey, Digest, Fingerprint, InputKey } from '../stage/keys.ts';
import { acceptsMissing } from '../stage/roles.ts';
import type { Document } from '../store/documents.ts';
import type { Entry, Store } from '../store/types.ts';
import { type Drop, describeDrop, fateOf, type Loss, readRanking } from './fate.ts';
import { Fingerprinter, keyOf } from './fingerprint.ts';
import { type FoundEntry, findEntry, type LocateOptions } from './locate.ts';
import { findUnknown } from './missing.ts';
import { createPrecedents, type Precedents } from './precedent.ts';
import type { Edges, StageGraph, StageNode, StageStatus } from './types.ts';
import { implementationsOfAll, upstreamStages } from './walk.ts';

export interface PlannedStage {
  readonly node: StageNode;
  readonly status: StageStatus;
  /** Known where all upstream results are; not of what is dropped or unknown. */
  readonly contentKey?: ContentKey;
  /**
   * What `contentKey` is made of; where that isn't known, pending upstream stages by their input keys, and files that aren't
   * there by words that are no digest.
   */
  readonly fingerprint: Fingerprint;
  /** The stored result of a `hit`. */
  readonly entry?: Entry;
  /** For people: `stored`, `no stored result`, `depends on tokenizer/peco`. */
  readonly reason: string;
  /** The stage upstream that has to run first, of what would run or may. Absent where all that it needs is there. */
  readonly pending?: StageNode;
  /** Of what is dropped: where, and why. */
  readonly drop?: Drop;
}

/** `stages` in the graph's order. */
export interface Plan {
  readonly graph: StageGraph;
  readonly stages: readonly PlannedStage[];
  /** What the digests in the fingerprints stand for. */
  readonly documents: ReadonlyMap<string, Document>;
  /** Files and folders of data by absolute path, with the digests that they had when planning. */
  readonly data: ReadonlyMap<string, Digest>;
  /** Of all stages but the unknown ones. */
  inputKeys(): Promise<ReadonlyMap<StageNode, InputKey>>;
}

/** Says for every stage whether it has to run. Runs nothing and loads no implementation. */
export async function planRun(graph: StageGraph, options: LocateOptions): Promise<Plan> {
  forgetBundles();
  await bundleAll(graph, options.root);
  const planner = new Planner(graph, options);
  const stages: PlannedStage[] = [];
  for (const node of graph.stages) stages.push(await planner.plan(node));
  await options.store.flush();
  const { documents, data } = planner;
  return { graph, stages, documents, data, inputKeys: () => planner.inputKeys.all() };
}

/** Plans the stages of a graph one after the other, each after those that it waits for. */
class Planner {
  readonly inputKeys: InputKeys;
  readonly #fingerprinter: Fingerprinter;
  /** For what rests on files that aren't there. */
  readonly #sketcher: Fingerprinter;
  readonly #unknown: ReadonlyMap<StageNode, string>;
  readonly #store: Store;
  readonly #precedents: Precedents;
  readonly #entries = new Map<StageNode, Entry>();
  readonly #losses = new Map<StageNode, Loss>();
  readonly #rankings = new Map<StageNode, Ranking>();
  /** Stages that may still be dropped: a selection has to run first. */
  readonly #open = new Set<StageNode>();

  constructor(graph: StageGraph, options: LocateOptions) {
    this.#store = options.store;
    this.#precedents = createPrecedents(options.store);
    this.#unknown = findUnknown(graph);
    this.inputKeys = new InputKeys(graph, this.#unknown, options);
    const name = (stage: StageNode): Json =>
      this.#entries.get(stage)?.digest ?? { pending: this.inputKeys.of(stage) ?? 'unknown' };
    this.#fingerprinter = new Fingerprinter(name, options);
    this.#sketcher = new Fingerprinter(name, { ...options, sketch: true });
  }

  get documents(): ReadonlyMap<string, Document> {
    return new Map([...this.#sketcher.documents, ...this.#fingerprinter.documents]);
  }

  get data(): ReadonlyMap<string, Digest> {
    return this.#fingerprinter.data;
  }

  async plan(node: StageNode): Promise<PlannedStage> {
    const fate = fateOf(node, {
      lossOf: (stage) => this.#losses.get(stage),
      rankingOf: (selection) => this.#rankings.get(selection),
    });
    if ('loss' in fate) return this.#drop(node, fate.loss);
    const openInput = upstreamStages(node).find((one) => this.#open.has(one));
    const chance = this.#chanceOf(node);
    if (chance !== undefined || openInput) this.#open.add(node);
    const pending = pendingStage(fate.node, this.#entries);
    const missing = this.#unknown.get(node);
    if (missing !== undefined) {
      await this.inputKeys.compute();
      const sketched = await this.#sketcher.describe(fate.node);
      return { node, fingerprint: sketched, status: 'unknown', reason: missing };
    }
    const fingerprint = await this.#describe(fate.node, pending);
    if (pending) {
      const known =
        chance !== undefined || this.#open.has(pending) || (await this.#precedents.has(fingerprint));
      const reason = chance ?? (known ? `depends on ${pending.id}` : 'no stored result');
      return { node, fingerprint, status: known ? 'maybe' : 'run', reason, pending };
    }
    const { entry, ...found } = await findEntry(fingerprint, this.#store);
    // Which inputs a report or a selection will have isn't known while one of them may be dropped.
    if (entry && !(openInput && acceptsMissing(node.component))) return this.#hit(node, { ...found, entry });
    const reason = chance ?? (openInput && `depends on ${openInput.id}`);
    return {
      ...{ node, ...found, status: reason ? 'maybe' : 'run', reason: reason ?? 'no stored result' },
      ...(openInput ? { pending: openInput } : {}),
    };
  }

  async #drop(node: StageNode, loss: Loss): Promise<PlannedStage> {
    this.#losses.set(node, loss);
    const fingerprint = await this.#describe(node, pendingStage(node, this.#entries));
    const reason = loss.at === node && loss.drop ? describeDrop(loss.drop) : `depends on ${loss.at.id}`;
    return { node, fingerprint, status: 'dropped', reason, ...(loss.drop ? { drop: loss.drop } : {}) };
  }

  #hit(node: StageNode, found: FoundEntry & { readonly entry: Entry }): PlannedStage {
    this.#entries.set(node, found.entry);
    try {
      const ranking = readRanking(node, found.entry);
      if (ranking) this.#rankings.set(node, ranking);
    } catch {
      // The rung stays open; the run tells what is wrong.
    }
    return { node, ...found, status: 'hit', reason: 'stored' };
  }

  /** What decides whether a stage runs, while its selection has no result. */
  #chanceOf({ after }: StageNode): string | undefined {
    if (!after || this.#rankings.has(after.selection)) return undefined;
    const { survivors, points, number } = after.selection.rung!;
    return `if among the best ${survivors} of ${points} at rung ${number}`;
  }

  async #describe(node: StageNode, pending: StageNode | undefined): Promise<Fingerprint> {
    if (pending) await this.inputKeys.compute();
    return (this.#unknown.has(node) ? this.#sketcher : this.#fingerprinter).describe(node);
  }
}

/** Input keys of a graph. They are needed where something is pending, and for people who ask: computed at need. */
class InputKeys {
  readonly #graph: StageGraph;
  readonly #unknown: ReadonlyMap<StageNode, string>;
  readonly #options: LocateOptions;
  readonly #keys = new Map<StageNode, InputKey>();
  #computed: Promise<void> | undefined;

  constructor(graph: StageGraph, unknown: ReadonlyMap<StageNode, string>, options: LocateOptions) {
    this.#graph = graph;
    this.#unknown = unknown;
    this.#options = options;
  }

  of(node: StageNode): InputKey | undefined {
    return this.#keys.get(node);
  }

  compute(): Promise<void> {
    this.#computed ??= this.#computeAll();
    return this.#computed;
  }

  async all(): Promise<ReadonlyMap<StageNode, InputKey>> {
    await this.compute();
    return this.#keys;
  }

  async #computeAll(): Promise<void> {
    const byInput = new Fingerprinter((stage) => this.of(stage)!, this.#options);
    for (const node of this.#graph.stages.filter((one) => !this.#unknown.has(one)))
      this.#keys.set(node, keyOf(await byInput.describe(node)) as InputKey);
  }
}

/** The first stage among all that a stage depends on whose result isn't stored. */
function pendingStage(node: StageNode, entries: ReadonlyMap<StageNode, Entry>): StageNode | undefined {
  const visit = (edges: Edges): StageNode | undefined => {
    for (const edge of Object.values(edges)) {
      if (edge.type === 'leaf') {
        const inside = visit(edge.inputs);
        if (inside) return inside;
      } else if (!entries.has(edge.stage)) {
        return edge.stage;
      }
    }
    return undefined;
  };
  return visit(node.inputs);
}

/** Asks for all implementations at once: one call of esbuild instead of one per module. */
async function bundleAll(graph: StageGraph, root: string): Promise<void> {
  await Promise.all(
    [...implementationsOfAll(graph.stages)].map((url) => bundleImplementation(url, { root })),
  );
}
