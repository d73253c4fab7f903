import { digestJson } from '../stage/canonical.ts';
import type { Component } from '../stage/component.ts';
import { PecoError } from '../stage/errors.ts';
import type { Json } from '../stage/json.ts';
import type { Store } from '../store/types.ts';
import { bundleImplementation } from './code.ts';
import type { Fingerprint, StageEdge, StageNode } from './types.ts';

/** Counts up when keys are made in another way: everything stored before is then of no use. */
export const keySchema = 1;

export interface FingerprintOptions {
  readonly store: Pick<Store, 'digestFile'>;
  readonly root: string;
}

/** How an upstream stage counts in a key: by the digest of its outputs, or by its input key. */
export type NameStage = (stage: StageNode) => Json;

/** Makes fingerprints; remembers what several stages have in common. */
export interface Fingerprinter {
  describe(node: StageNode): Promise<Fingerprint>;
}

/**
 * A fingerprint holds everything that a stage can see: its own config, seed and code, and of every input, all the way
 * up, its kind, config, files, bytes and the code that loads it. Names of variants, engine and hardware are not in it.
 */
export function createFingerprinter(nameStage: NameStage, options: FingerprintOptions): Fingerprinter {
  const digests = new Map<StageNode | Component, Promise<string>>();

  async function describe(node: StageNode): Promise<Fingerprint> {
    const { component, seed } = node;
    const [closure, files, inputs] = await Promise.all([
      bundleImplementation(component.implementation.run!, options),
      describeFiles(component, options),
      describeEdges(node.inputs),
    ]);
    return {
      schema: keySchema,
      kind: `${component.role}/${component.kind}`,
      config: component.config,
      seed,
      code: closure.code,
      packages: closure.packages,
      inputs,
      ...(files === undefined ? {} : { files }),
    };
  }

  async function describeEdges(edges: {
    readonly [name: string]: StageEdge;
  }): Promise<{ readonly [name: string]: Json }> {
    const described = Object.entries(edges).map(
      async ([name, edge]) => [name, await describeEdge(edge)] as const,
    );
    return Object.fromEntries(await Promise.all(described));
  }

  async function describeEdge(edge: StageEdge): Promise<Json> {
    const component = edge.type === 'stage' ? edge.stage.component : edge.component;
    const nested = edge.type === 'stage' ? edge.stage.inputs : edge.inputs;
    const [files, load, inputs] = await Promise.all([
      describeFiles(component, options),
      digestLoader(component),
      digestEdges(nested),
    ]);
    return {
      kind: `${component.role}/${component.kind}`,
      config: component.config,
      ...(edge.type === 'stage' ? { outputs: nameStage(edge.stage) } : {}),
      ...(files === undefined ? {} : { files }),
      ...(load === undefined ? {} : { load }),
      ...(Object.keys(inputs).length > 0 ? { inputs } : {}),
    };
  }

  /** Inputs of inputs, which loaders and reports may look at: by digest, so that fingerprints stay short. */
  async function digestEdges(edges: {
    readonly [name: string]: StageEdge;
  }): Promise<{ readonly [name: string]: Json }> {
    const digested = Object.entries(edges).map(
      async ([name, edge]) => [name, await digestEdge(edge)] as const,
    );
    return Object.fromEntries(await Promise.all(digested));
  }

  function digestEdge(edge: StageEdge): Promise<string> {
    const identity = edge.type === 'stage' ? edge.stage : edge.component;
    let digest = digests.get(identity);
    if (!digest) {
      digest = describeEdge(edge).then(digestJson);
      digests.set(identity, digest);
    }
    return digest;
  }

  async function digestLoader(component: Component): Promise<string | undefined> {
    if (component.implementation.load === undefined) return undefined;
    const { code, packages } = await bundleImplementation(component.implementation.load, options);
    return digestJson({ code, packages });
  }

  return { describe };
}

async function describeFiles(
  component: Component,
  options: FingerprintOptions,
): Promise<{ readonly [name: string]: string } | undefined> {
  const files = Object.entries(component.files);
  if (files.length === 0) return undefined;
  const digests = files.map(
    async ([name, file]) => [name, await digestOf(file, component, options)] as const,
  );
  return Object.fromEntries(await Promise.all(digests));
}

async function digestOf(file: string, component: Component, options: FingerprintOptions): Promise<string> {
  try {
    return await options.store.digestFile(file);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    const message = `the ${component.role} "${component.kind}" needs the file ${file}, which can't be read (${code})`;
    throw new PecoError(message, { code: 'missing-file', hint: 'check the path in its config', cause });
  }
}
