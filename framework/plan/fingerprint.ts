import fs from 'node:fs';
import { bundleImplementation, type CodeBundle } from '../code/code.ts';
import { configInKeys } from '../stage/added.ts';
import { digestJson } from '../stage/canonical.ts';
import type { Component } from '../stage/component.ts';
import { PecoError } from '../stage/errors.ts';
import type { Json, JsonObject } from '../stage/json.ts';
import type { Digest, Fingerprint } from '../stage/keys.ts';
import { own } from '../stage/own.ts';
import type { Document } from '../store/documents.ts';
import type { Store } from '../store/types.ts';
import type { Edges, StageEdge, StageNode } from './types.ts';

/** Counts up when keys are made in another way: everything stored before is then of no use. */
export const keySchema = 4;

export interface FingerprintOptions {
  readonly store: Pick<Store, 'digestPath'>;
  readonly root: string;
  /** Describes also what rests on files that aren't there. Such a description says so, and makes no key. */
  readonly sketch?: boolean;
}

/** How an upstream stage counts in a key: by the digest of its outputs, or by its input key. */
export type NameStage = (stage: StageNode) => Json;

/** Stands for the digest of a file that isn't there. */
const absent = 'not there' as Digest;

/** The digest that names a fingerprint's entry. */
export function keyOf(fingerprint: Fingerprint): string {
  return digestJson(fingerprint as unknown as Json);
}

/**
 * Makes fingerprints; remembers what several stages have in common. A fingerprint holds everything that a stage can see:
 * its own config, seed and code, and of every input, all the way up, its kind, config, files, bytes and the code that
 * loads it. Names of variants, engine and hardware are not in it. Configs are as `configInKeys` has them.
 */
export class Fingerprinter {
  /** What the digests in its fingerprints stand for. */
  readonly documents = new Map<string, Document>();
  /** Files and folders of data by absolute path, with the digests that they had. */
  readonly data = new Map<string, Digest>();
  readonly #nameStage: NameStage;
  readonly #options: FingerprintOptions;
  readonly #described = new Map<StageNode | Component, Promise<EdgeDescription>>();
  readonly #codes = new Map<string, Promise<Digest>>();

  constructor(nameStage: NameStage, options: FingerprintOptions) {
    this.#nameStage = nameStage;
    this.#options = options;
  }

  async describe(node: StageNode): Promise<Fingerprint> {
    const { component, seed } = node;
    const [code, files, edges] = await Promise.all([
      this.#digestCode(component.implementation.run!),
      this.#describeFiles(component),
      this.#describeEdges(node.inputs),
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

  #put(document: Json): Digest {
    const digest = digestJson(document) as Digest;
    this.documents.set(digest, document);
    return digest;
  }

  async #describeEdges(edges: Edges): Promise<[string, EdgeDescription][]> {
    return Promise.all(
      Object.entries(edges).map(
        async ([name, edge]): Promise<[string, EdgeDescription]> => [name, await this.#describeEdge(edge)],
      ),
    );
  }

  #describeEdge(edge: StageEdge): Promise<EdgeDescription> {
    const identity = edge.type === 'stage' ? edge.stage : edge.component;
    const description = this.#described.get(identity) ?? this.#makeDescription(edge);
    this.#described.set(identity, description);
    return description;
  }

  async #makeDescription(edge: StageEdge): Promise<EdgeDescription> {
    const component = edge.type === 'stage' ? edge.stage.component : edge.component;
    const nested = edge.type === 'stage' ? edge.stage.inputs : edge.inputs;
    const { load } = component.implementation;
    const [files, loader, inputs] = await Promise.all([
      this.#describeFiles(component),
      load === undefined ? undefined : this.#digestCode(load),
      this.#describeEdges(nested),
    ]);
    // Inputs of inputs, which loaders and reports may look at: by digest, so that fingerprints stay short.
    const above = Object.fromEntries(inputs.map(([name, { digest }]) => [name, digest]));
    const own: JsonObject = {
      ...identityOf(component),
      ...(edge.type === 'stage' ? { outputs: this.#nameStage(edge.stage) } : {}),
      ...(files === undefined ? {} : { files }),
      ...(loader === undefined ? {} : { load: loader }),
      ...(inputs.length > 0 ? { inputs: above } : {}),
    };
    return { own, digest: this.#put(own) };
  }

  #digestCode(url: string): Promise<Digest> {
    const bundled = () => bundleImplementation(url, this.#options);
    const digest = this.#codes.get(url) ?? bundled().then((bundle) => this.#put(codeDocument(bundle)));
    this.#codes.set(url, digest);
    return digest;
  }

  async #describeFiles(component: Component): Promise<{ [name: string]: Digest } | undefined> {
    const files = Object.entries(component.files);
    if (files.length === 0) return undefined;
    const digests = files.map(async ([name, file]): Promise<[string, Digest]> => {
      if (this.#options.sketch && !fs.existsSync(file)) return [name, absent];
      const { digest, manifests } = await digestInput(file, component, this.#options.store);
      checkDigest(name, digest, component);
      this.data.set(file, digest);
      for (const [part, manifest] of manifests ?? [])
        if (!this.documents.has(part)) this.documents.set(part, manifest as unknown as Document);
      return [name, digest];
    });
    return Object.fromEntries(await Promise.all(digests));
  }
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

/** @throws PecoError `other-bytes` with both digests, if a file isn't the one that the config means */
function checkDigest(name: string, digest: Digest, { role, kind, files, needed }: Component): void {
  const { sha256, hint } = own(needed, name) ?? {};
  if (sha256 === undefined || digest.startsWith(sha256)) return;
  const wanted = sha256.length < digest.length ? `that begins with ${sha256}` : sha256;
  const message = `the ${role} "${kind}" needs ${files[name]} with a sha256 ${wanted}; it has ${digest}`;
  const remedy = hint ?? 'give the file that is meant, or its sha256';
  throw new PecoError(message, { code: 'other-bytes', hint: remedy });
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
