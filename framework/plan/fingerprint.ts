import { bundleImplementation, type CodeBundle } from '../code/code.ts';
import { configInKeys } from '../stage/added.ts';
import { digestJson } from '../stage/canonical.ts';
import type { Component } from '../stage/component.ts';
import { PecoError } from '../stage/errors.ts';
import type { Json, JsonObject } from '../stage/json.ts';
import type { Digest, Fingerprint } from '../stage/keys.ts';
import type { Store } from '../store/types.ts';
import type { Edges, StageEdge, StageNode } from './types.ts';

/** Counts up when keys are made in another way: everything stored before is then of no use. */
export const keySchema = 4;

export interface FingerprintOptions {
  readonly store: Pick<Store, 'digestPath'>;
  readonly root: string;
}

/** How an upstream stage counts in a key: by the digest of its outputs, or by its input key. */
export type NameStage = (stage: StageNode) => Json;

/** Makes fingerprints; remembers what several stages have in common. */
export interface Fingerprinter {
  describe(node: StageNode): Promise<Fingerprint>;
  /** What the digests in its fingerprints stand for. */
  readonly documents: ReadonlyMap<string, Json>;
  /** Files and folders of data by absolute path, with the digests that they had. */
  readonly data: ReadonlyMap<string, Digest>;
}

/** The digest that names a fingerprint's entry. */
export function keyOf(fingerprint: Fingerprint): string {
  return digestJson(fingerprint as unknown as Json);
}

/**
 * A fingerprint holds everything that a stage can see: its own config, seed and code, and of every input, all the way
 * up, its kind, config, files, bytes and the code that loads it. Names of variants, engine and hardware are not in it.
 * Configs are as `configInKeys` has them.
 */
export function createFingerprinter(nameStage: NameStage, options: FingerprintOptions): Fingerprinter {
  const documents = new Map<string, Json>();
  const data = new Map<string, Digest>();
  const described = new Map<StageNode | Component, Promise<EdgeDescription>>();
  const codes = new Map<string, Promise<Digest>>();

  function put(document: Json): Digest {
    const digest = digestJson(document) as Digest;
    documents.set(digest, document);
    return digest;
  }

  async function describe(node: StageNode): Promise<Fingerprint> {
    const { component, seed } = node;
    const [code, files, edges] = await Promise.all([
      digestCode(component.implementation.run!),
      describeFiles(component),
      describeEdges(node.inputs),
    ]);
    return {
      schema: keySchema,
      ...identityOf(component),
      seed,
      code,
      inputs: Object.fromEntries(edges.map(([name, edge]) => [name, edge.own])),
      ...(node.until === undefined ? {} : { until: node.until }),
      ...(files === undefined ? {} : { files }),
    };
  }

  async function describeEdges(edges: Edges): Promise<[string, EdgeDescription][]> {
    return Promise.all(
      Object.entries(edges).map(
        async ([name, edge]): Promise<[string, EdgeDescription]> => [name, await describeEdge(edge)],
      ),
    );
  }

  function describeEdge(edge: StageEdge): Promise<EdgeDescription> {
    const identity = edge.type === 'stage' ? edge.stage : edge.component;
    let description = described.get(identity);
    if (!description) {
      description = makeDescription(edge);
      described.set(identity, description);
    }
    return description;
  }

  async function makeDescription(edge: StageEdge): Promise<EdgeDescription> {
    const component = edge.type === 'stage' ? edge.stage.component : edge.component;
    const nested = edge.type === 'stage' ? edge.stage.inputs : edge.inputs;
    const { load } = component.implementation;
    const [files, loader, inputs] = await Promise.all([
      describeFiles(component),
      load === undefined ? undefined : digestCode(load),
      describeEdges(nested),
    ]);
    // Inputs of inputs, which loaders and reports may look at: by digest, so that fingerprints stay short.
    const above = Object.fromEntries(inputs.map(([name, { digest }]) => [name, digest]));
    const own: JsonObject = {
      ...identityOf(component),
      ...(edge.type === 'stage' ? { outputs: nameStage(edge.stage) } : {}),
      ...(files === undefined ? {} : { files }),
      ...(loader === undefined ? {} : { load: loader }),
      ...(inputs.length > 0 ? { inputs: above } : {}),
    };
    return { own, digest: put(own) };
  }

  function digestCode(url: string): Promise<Digest> {
    let digest = codes.get(url);
    if (!digest) {
      digest = bundleImplementation(url, options).then((bundle) => put(codeDocument(bundle)));
      codes.set(url, digest);
    }
    return digest;
  }

  async function describeFiles(component: Component): Promise<{ [name: string]: Digest } | undefined> {
    const files = Object.entries(component.files);
    if (files.length === 0) return undefined;
    const digests = files.map(async ([name, file]): Promise<[string, Digest]> => {
      const { digest, manifest } = await digestInput(file, component, options.store);
      data.set(file, digest);
      if (manifest && !documents.has(digest)) documents.set(digest, manifest() as unknown as Json);
      return [name, digest];
    });
    return Object.fromEntries(await Promise.all(digests));
  }

  return { describe, documents, data };
}

interface EdgeDescription {
  readonly own: JsonObject;
  readonly digest: Digest;
}

function identityOf(component: Component): { kind: string; version?: number; config: JsonObject } {
  const { role, kind, version } = component;
  return {
    kind: `${role}/${kind}`,
    ...(version === undefined ? {} : { version }),
    config: configInKeys(component),
  };
}

function codeDocument({ entry, code, aliases, settings, packages }: CodeBundle): Json {
  return { entry, code, aliases, settings, packages };
}

/** @throws PecoError `missing-file` */
export async function digestInput(
  file: string,
  component: Component,
  store: Pick<Store, 'digestPath'>,
): ReturnType<Store['digestPath']> {
  try {
    return await store.digestPath(file);
  } catch (cause) {
    const { code = 'unreadable', path: culprit = file } = cause as NodeJS.ErrnoException;
    const message = `the ${component.role} "${component.kind}" needs ${culprit}, which can't be read (${code})`;
    throw new PecoError(message, { code: 'missing-file', hint: 'check the path in its config', cause });
  }
}
