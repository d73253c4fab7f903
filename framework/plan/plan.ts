import { digestJson } from '../stage/canonical.ts';
import type { Json } from '../stage/json.ts';
import type { Entry, Store } from '../store/types.ts';
import { bundleImplementation, forgetBundles } from './code.ts';
import { createFingerprinter } from './fingerprint.ts';
import { createPrecedents } from './precedent.ts';
import type { ContentKey, Fingerprint, InputKey, StageEdge, StageGraph, StageNode } from './types.ts';

/**
 * - `hit`: the result is stored.
 * - `run`: it is not.
 * - `maybe`: an upstream stage runs first; if that puts out the same bytes as before, this one needn't run.
 */
export type StageStatus = 'hit' | 'run' | 'maybe';

export interface PlannedStage {
  readonly node: StageNode;
  readonly inputKey: InputKey;
  readonly status: StageStatus;
  /** Known where all upstream results are. */
  readonly contentKey?: ContentKey;
  /** The stored result of a `hit`. */
  readonly entry?: Entry;
  /** For people: `stored`, `no stored result`, `depends on tokenizer/peco`. */
  readonly reason: string;
}

/** `stages` in the graph's order. */
export interface Plan {
  readonly graph: StageGraph;
  readonly stages: readonly PlannedStage[];
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
  const inputKeys = new Map<StageNode, InputKey>();
  const entries = new Map<StageNode, Entry>();
  const byInput = createFingerprinter((stage) => inputKeys.get(stage)!, options);
  const byContent = createFingerprinter((stage) => entries.get(stage)!.digest, options);
  const precedents = createPrecedents(options.store);
  const stages: PlannedStage[] = [];
  for (const node of graph.stages) {
    const described = await byInput.describe(node);
    const inputKey = digestJson(described as unknown as Json) as InputKey;
    inputKeys.set(node, inputKey);
    const pending = pendingStage(node, entries);
    if (pending) {
      const known = await precedents.has(described);
      const reason = known ? `depends on ${pending.id}` : 'no stored result';
      stages.push({ node, inputKey, status: known ? 'maybe' : 'run', reason });
      continue;
    }
    const contentKey = digestJson((await byContent.describe(node)) as unknown as Json) as ContentKey;
    const entry = await options.store.lookup(contentKey);
    if (entry) entries.set(node, entry);
    const found = entry
      ? { entry, status: 'hit' as const, reason: 'stored' }
      : { status: 'run' as const, reason: 'no stored result' };
    stages.push({ node, inputKey, contentKey, ...found });
  }
  await options.store.flush();
  return { graph, stages };
}

/**
 * The key of a stage whose upstream results are all known, and what it is made of.
 * `upstream` is asked for the direct inputs and for theirs, all the way up.
 */
export async function fingerprintOf(
  node: StageNode,
  upstream: (node: StageNode) => Entry,
  options: PlanOptions,
): Promise<{ readonly contentKey: ContentKey; readonly fingerprint: Fingerprint }> {
  const fingerprint = await createFingerprinter((stage) => upstream(stage).digest, options).describe(node);
  return { contentKey: digestJson(fingerprint as unknown as Json) as ContentKey, fingerprint };
}

/** The first stage among all that a stage depends on whose result isn't stored. */
function pendingStage(node: StageNode, entries: ReadonlyMap<StageNode, Entry>): StageNode | undefined {
  const visit = (edges: { readonly [name: string]: StageEdge }): StageNode | undefined => {
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
  const urls = new Set<string>();
  const visit = (edges: { readonly [name: string]: StageEdge }): void => {
    for (const edge of Object.values(edges)) {
      if (edge.type === 'stage') continue; // it is among the graph's stages
      if (edge.component.implementation.load !== undefined) urls.add(edge.component.implementation.load);
      visit(edge.inputs);
    }
  };
  for (const { component, inputs } of graph.stages) {
    const { run, load } = component.implementation;
    for (const url of [run, load]) if (url !== undefined) urls.add(url);
    visit(inputs);
  }
  await Promise.all([...urls].map((url) => bundleImplementation(url, { root })));
}
