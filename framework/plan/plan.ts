import { bundleImplementation, forgetBundles } from '../code/code.ts';
import type { Json } from '../stage/json.ts';
import type { ContentKey, Digest, Fingerprint, InputKey } from '../stage/keys.ts';
import type { Entry, Store } from '../store/types.ts';
import { compareFingerprints, type Difference } from './differences.ts';
import { createFingerprinter, keyOf } from './fingerprint.ts';
import { createGates, type Gates } from './gates.ts';
import { createPrecedents } from './precedent.ts';
import type { Edges, StageGraph, StageNode, StageStatus } from './types.ts';
import { implementationsOfAll, inAwaitedOrder, upstreamStages } from './walk.ts';

export interface PlannedStage {
  readonly node: StageNode;
  /** The report as it will be made, without the rows that are stopped; absent if that is `node` itself. */
  readonly reduced?: StageNode;
  readonly status: StageStatus;
  /** Known where all upstream results are; not of what is stopped. */
  readonly contentKey?: ContentKey;
  /** What `contentKey` is made of; where that isn't known, pending upstream stages by their input keys. */
  readonly fingerprint: Fingerprint;
  /** The stored result of a `hit`. */
  readonly entry?: Entry;
  /** For people: `stored`, `no stored result`, `depends on tokenizer/peco`. */
  readonly reason: string;
}

/** `stages` in the graph's order. */
export interface Plan {
  readonly graph: StageGraph;
  readonly stages: readonly PlannedStage[];
  /** What the digests in the fingerprints stand for. */
  readonly documents: ReadonlyMap<string, Json>;
  /** Files and folders of data by absolute path, with the digests that they had when planning. */
  readonly data: ReadonlyMap<string, Digest>;
  /** Of all stages. */
  inputKeys(): Promise<ReadonlyMap<StageNode, InputKey>>;
}

export interface PlanOptions {
  readonly store: Store;
  /** Folder of the project: code is named relative to it. */
  readonly root: string;
}

/** Says for every stage whether it has to run. Runs nothing and loads no implementation. */
export async function planRun(graph: StageGraph, options: PlanOptions): Promise<Plan> {
  forgetBundles();
  await bundleAll(graph, options.root);
  const entries = new Map<StageNode, Entry>();
  const inputKeys = createInputKeys(graph, options);
  const byContent = createFingerprinter(
    (stage) => entries.get(stage)?.digest ?? { pending: inputKeys.of(stage) },
    options,
  );
  const precedents = createPrecedents(options.store);
  const gates = createGates(graph, (stage) => entries.get(stage));

  async function planStage(node: StageNode): Promise<PlannedStage> {
    const stopped = await gates.whyStopped(node);
    const made = gates.reduce(node);
    const about = made === node ? { node } : { node, reduced: made };
    const pending = pendingStage(made, entries);
    if (pending) await inputKeys.compute();
    const fingerprint = await byContent.describe(made);
    if (stopped !== undefined) return { ...about, fingerprint, status: 'stopped', reason: stopped };
    const gate = gateReason(node, gates);
    if (pending) {
      const known = gate !== undefined || gates.isOpen(pending) || (await precedents.has(fingerprint));
      const reason = gate ?? (known ? `depends on ${pending.id}` : 'no stored result');
      return { ...about, fingerprint, status: known ? 'maybe' : 'run', reason };
    }
    const found = await findEntry(fingerprint, options.store);
    if (found.entry) {
      entries.set(node, found.entry);
      return { ...about, ...found, status: 'hit', reason: 'stored' };
    }
    // Its inputs are stored, and may still turn out to be those of a point that lost.
    const above = upstreamStages(node).find((one) => gates.isOpen(one));
    const open = gate ?? (above && `depends on ${above.id}`);
    return { ...about, ...found, status: open ? 'maybe' : 'run', reason: open ?? 'no stored result' };
  }

  const planned = new Map<StageNode, PlannedStage>();
  for (const node of inAwaitedOrder(graph.stages)) planned.set(node, await planStage(node));
  const stages = graph.stages.map((node) => planned.get(node)!);
  await options.store.flush();
  const { documents, data } = byContent;
  return {
    graph,
    stages,
    documents,
    data,
    async inputKeys() {
      await inputKeys.compute();
      return new Map(graph.stages.map((node) => [node, inputKeys.of(node)]));
    },
  };
}

/** Input keys of a graph. They are needed where something is pending, and for people who ask: computed at need. */
function createInputKeys(graph: StageGraph, options: PlanOptions) {
  const keys = new Map<StageNode, InputKey>();
  let computed: Promise<void> | undefined;
  async function computeAll(): Promise<void> {
    const byInput = createFingerprinter((stage) => keys.get(stage)!, options);
    for (const node of graph.stages) keys.set(node, keyOf(await byInput.describe(node)) as InputKey);
  }
  return {
    of: (node: StageNode) => keys.get(node)!,
    compute() {
      computed ??= computeAll();
      return computed;
    },
  };
}

interface FoundEntry {
  readonly contentKey: ContentKey;
  readonly fingerprint: Fingerprint;
  readonly entry?: Entry;
}

/** The stored result that a fingerprint names, if there is one. */
async function findEntry(fingerprint: Fingerprint, store: Pick<Store, 'lookup'>): Promise<FoundEntry> {
  const contentKey = keyOf(fingerprint) as ContentKey;
  const entry = await store.lookup(contentKey);
  return { contentKey, fingerprint, ...(entry ? { entry } : {}) };
}

/** The entry of a stage whose upstream results are all known, or the key that its result will have. */
export interface LocatedStage extends FoundEntry {
  /** What the digests in the fingerprint stand for. */
  readonly documents: ReadonlyMap<string, Json>;
}

/** `upstream` is asked for the direct inputs and for theirs, all the way up. */
export async function locateStage(
  node: StageNode,
  upstream: (node: StageNode) => Entry,
  options: PlanOptions,
): Promise<LocatedStage> {
  const fingerprinter = createFingerprinter((stage) => upstream(stage).digest, options);
  const { documents } = fingerprinter;
  return { ...(await findEntry(await fingerprinter.describe(node), options.store)), documents };
}

/**
 * In what the inputs of a stage differ now from what they were when it was located: data that somebody edits, or a
 * package that somebody installs, while it is being used. Project code is not looked at again, since a stage runs the
 * bundle that was made when it was planned.
 */
export async function findChangedInputs(
  node: StageNode,
  located: Pick<LocatedStage, 'fingerprint' | 'documents'>,
  upstream: (node: StageNode) => Entry,
  options: PlanOptions,
): Promise<readonly Difference[]> {
  const fingerprinter = createFingerprinter((stage) => upstream(stage).digest, options);
  const now = await fingerprinter.describe(node);
  const packages = await changedPackages(node, options);
  if (keyOf(now) === keyOf(located.fingerprint)) return packages;
  const read = (digest: string) => located.documents.get(digest) ?? fingerprinter.documents.get(digest);
  return [...compareFingerprints(located.fingerprint, now, read), ...packages];
}

async function changedPackages(node: StageNode, options: PlanOptions): Promise<Difference[]> {
  const changed = new Map<string, Difference>();
  for (const url of implementationsOf(node)) {
    const { packages, currentPackages } = await bundleImplementation(url, options);
    const now = currentPackages();
    for (const path of new Set([...Object.keys(packages), ...Object.keys(now)])) {
      const [before, after] = [packages[path], now[path]];
      if (before !== after) changed.set(path, { type: 'package', path, before, after });
    }
  }
  return [...changed.values()];
}

/** URLs of the modules that a stage's process may load: its own, and those that load its inputs, all the way up. */
function implementationsOf(node: StageNode): Set<string> {
  const urls = new Set<string>();
  const seen = new Set<object>();
  const visit = (edges: Edges): void => {
    for (const edge of Object.values(edges)) {
      const subject = edge.type === 'stage' ? edge.stage : edge;
      if (seen.has(subject)) continue;
      seen.add(subject);
      const { load } = (edge.type === 'stage' ? edge.stage : edge).component.implementation;
      if (load !== undefined) urls.add(load);
      visit(subject.inputs);
    }
  };
  if (node.component.implementation.run !== undefined) urls.add(node.component.implementation.run);
  visit(node.inputs);
  return urls;
}

/** What decides whether a stage runs, if stored numbers don't. */
function gateReason(node: StageNode, gates: Gates): string | undefined {
  if (!node.gate || !gates.isOpen(node)) return undefined;
  const { kept, entrants, rung } = node.gate.contest;
  return `if among the best ${kept} of ${entrants} at rung ${rung}`;
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
