import { bundleImplementation } from '../code/code.ts';
import type { ContentKey, Fingerprint } from '../stage/keys.ts';
import { type Document, documentIn } from '../store/documents.ts';
import type { Entry, Store } from '../store/types.ts';
import { compareFingerprints, type Difference } from './differences.ts';
import { Fingerprinter, keyOf } from './fingerprint.ts';
import type { Edges, StageNode } from './types.ts';

export interface LocateOptions {
  readonly store: Store;
  /** Folder of the project: code is named relative to it. */
  readonly root: string;
}

export interface FoundEntry {
  readonly contentKey: ContentKey;
  readonly fingerprint: Fingerprint;
  readonly entry?: Entry;
}

/** The stored result that a fingerprint names, if there is one. */
export async function findEntry(fingerprint: Fingerprint, store: Pick<Store, 'lookup'>): Promise<FoundEntry> {
  const contentKey = keyOf(fingerprint) as ContentKey;
  const entry = await store.lookup(contentKey);
  return { contentKey, fingerprint, ...(entry ? { entry } : {}) };
}

/** The entry of a stage whose upstream results are all known, or the key that its result will have. */
export interface LocatedStage extends FoundEntry {
  /** What the digests in the fingerprint stand for. */
  readonly documents: ReadonlyMap<string, Document>;
}

/** `upstream` is asked for the direct inputs and for theirs, all the way up. */
export async function locateStage(
  node: StageNode,
  upstream: (node: StageNode) => Entry,
  options: LocateOptions,
): Promise<LocatedStage> {
  const fingerprinter = new Fingerprinter((stage) => upstream(stage).digest, options);
  const { documents } = fingerprinter;
  return { ...(await findEntry(await fingerprinter.describe(node), options.store)), documents };
}

/**
 * Inputs that changed since the stage was looked up: data that was edited, or a package that was installed, while it ran.
 * Project code is not looked at again, since a stage runs the bundle that was made when it was planned.
 */
export async function findChangedInputs(
  node: StageNode,
  located: Pick<LocatedStage, 'fingerprint' | 'documents'>,
  upstream: (node: StageNode) => Entry,
  options: LocateOptions,
): Promise<readonly Difference[]> {
  const { store } = options;
  const fresh = { digestPath: (file: string) => store.digestPath(file, { fresh: true }) };
  const fingerprinter = new Fingerprinter((stage) => upstream(stage).digest, { ...options, store: fresh });
  const now = await fingerprinter.describe(node);
  const packages = await changedPackages(node, options);
  if (keyOf(now) === keyOf(located.fingerprint)) return packages;
  const read = (digest: string) =>
    documentIn(located.documents, digest) ?? documentIn(fingerprinter.documents, digest);
  return [...compareFingerprints(located.fingerprint, now, read), ...packages];
}

async function changedPackages(node: StageNode, options: LocateOptions): Promise<Difference[]> {
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
