import type { StageEdge, StageNode } from '../plan/types.ts';
import type { Entry } from '../store/types.ts';
import type { InputDescriptor, StageJob } from './executors/executor.ts';

/** A bundled implementation module: the file that a stage's process imports, and the packages that it needs. */
export interface Bundle {
  readonly path: string;
  readonly packages: { readonly [name: string]: string };
}

export type BundleModule = (url: string) => Promise<Bundle>;

/** What is known of a job before a place to run it: the job but for its folders and engine. */
export interface JobDescription {
  readonly job: Omit<StageJob, 'outDir' | 'workDir' | 'engine'>;
  readonly packages: { readonly [name: string]: string };
}

/**
 * Describes a stage whose upstream stages all have entries: bundles its module and those that load its inputs, and
 * flattens the graph above it, in which stages share inputs, into a table.
 */
export async function describeJob(
  node: StageNode,
  entryOf: (stage: StageNode) => Entry,
  bundleModule: BundleModule,
): Promise<JobDescription> {
  const run = node.component.implementation.run;
  if (run === undefined)
    throw new Error(`${node.id}: a component of kind "${node.component.kind}" can't be run`);
  const bundle = await bundleModule(run);
  const { after, seed, until } = node;
  const edges = after
    ? { ...node.inputs, previous: { type: 'stage', stage: after.previous } as const }
    : node.inputs;
  const described = await describeInputs(edges, entryOf, bundleModule);
  const { config, files } = node.component;
  return {
    job: {
      stage: node.id,
      bundle: bundle.path,
      config,
      seed,
      files,
      ...(until === undefined ? {} : { until }),
      ...described,
    },
    packages: bundle.packages,
  };
}

/** Stages and leaves as inputs, with all above them, as data. `load` modules are bundled. */
export async function describeInputs(
  edges: { readonly [name: string]: StageEdge },
  entryOf: (stage: StageNode) => Entry,
  bundleModule: BundleModule,
): Promise<Pick<StageJob, 'inputs' | 'descriptors'>> {
  const ids = new Map<object, string>();
  const descriptors: { [id: string]: InputDescriptor } = {};

  async function describeEdge(edge: StageEdge): Promise<string> {
    const subject = edge.type === 'stage' ? edge.stage : edge;
    const component = edge.type === 'stage' ? edge.stage.component : edge.component;
    const known = ids.get(subject);
    if (known !== undefined) return known;
    const id = `${ids.size}:${edge.type === 'stage' ? edge.stage.id : component.kind}`;
    ids.set(subject, id);
    const { load } = component.implementation;
    descriptors[id] = {
      kind: component.kind,
      config: component.config,
      dir: edge.type === 'stage' ? entryOf(edge.stage).dir : '',
      files: component.files,
      inputs: await describeEdges(edge.type === 'stage' ? edge.stage.inputs : edge.inputs),
      ...(load === undefined ? {} : { load: (await bundleModule(load)).path }),
    };
    return id;
  }

  async function describeEdges(some: {
    readonly [name: string]: StageEdge;
  }): Promise<{ [name: string]: string }> {
    const described: { [name: string]: string } = {};
    for (const [name, edge] of Object.entries(some)) described[name] = await describeEdge(edge);
    return described;
  }

  return { inputs: await describeEdges(edges), descriptors };
}
