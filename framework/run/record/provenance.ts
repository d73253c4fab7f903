import os from 'node:os';
import { costsAsJson, costsOf } from '../../plan/costs.ts';
import type { StageNode } from '../../plan/types.ts';
import { type EngineSpan, formatEngines } from '../../stage/engines.ts';
import type { JsonObject } from '../../stage/json.ts';
import { type Git, readGit } from './git.ts';

/** The job of Slurm that a stage was made by; null where Slurm doesn't say. */
export interface SlurmJob extends JsonObject {
  /** Number of the job; of an array, of the whole. */
  readonly job: string;
  /** `12_3`: as `sacct` and `squeue` name it. */
  readonly task: string;
  /** As the cluster calls it. */
  readonly node: string | null;
  readonly partition: string | null;
  readonly cluster: string | null;
}

/**
 * How an entry was made. Beside the result, never in a key, and without paths. Names of machines are in it only where they
 * are a cluster's.
 */
export interface Provenance extends JsonObject {
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly ended: string;
  /** Wall time of the work that is in the result: from the last checkpoint that was gone on from, and until that. */
  readonly seconds: number;
  /** The step of the checkpoint that the last attempt went on from; null if it began at the beginning. */
  readonly resumedFrom: number | null;
  /** Processes that it took in this run. */
  readonly attempts: number;
  /** What the stage was called in the run that made it. */
  readonly stage: string;
  /** Id of that run; null if it wasn't recorded. Of a stage that a job made, the run that submitted the job. */
  readonly run: string | null;
  /** Absent for what wasn't made by one. */
  readonly slurm?: SlurmJob;
  /** As the stage saw it, defaults included. */
  readonly config: JsonObject;
  /** Images used, all steps together; 0 if the stage counts none. */
  readonly images: number;
  /** As in `metrics.json`: `onnx`, or `onnx, from step 60 tensorflow:bf16` of a training that moved. */
  readonly engine: string;
  /** The same, span by span. What follows the last step was done by the last one. */
  readonly engines: readonly EngineSpan[];
  /** The last engine with its versions, null if the stage opened none. */
  readonly engineDescription: string | null;
  readonly threads: number;
  /** MiB that the last process took at most: what a `resources` hint may say. Null where unknown. */
  readonly peakMemory: number | null;
  /** What of its time, 0 to 1, the last process waited for its data; null where the stage doesn't say. */
  readonly waiting: number | null;
  /** Version of peco-exp; null where it is unknown. */
  readonly version: string | null;
  readonly host: JsonObject;
  /** Third-party packages of the implementation -> version. */
  readonly packages: { readonly [name: string]: string };
  readonly git: Git;
  /** What the stage computed, if its component says so: parameters, FLOPs of an image, images, bytes of memory. */
  readonly costs?: JsonObject;
  /** Made by a smoke run; absent otherwise. */
  readonly smoke?: true;
}

/** What is known of one stage when it has run. */
export interface Making {
  readonly node: StageNode;
  readonly startedAt: Date;
  readonly seconds: number;
  readonly resumedFrom: number | undefined;
  readonly tries: number;
  readonly images: number;
  readonly engines: readonly EngineSpan[];
  readonly engineDescription: string | undefined;
  readonly peakMemory: number | undefined;
  readonly waiting: number | undefined;
  readonly threads: number;
  readonly packages: { readonly [name: string]: string };
}

/** What the stages of a run have in common. */
export interface Circumstances {
  readonly root: string;
  readonly run?: string;
  readonly version?: string;
  /** As the run began; otherwise asked when the first stage has run. */
  readonly git?: Git;
  readonly smoke?: boolean;
  readonly slurm?: SlurmJob;
}

/** Collects provenance for the stages of one run; asks git at most once. */
export function createProvenanceWriter(
  circumstances: Circumstances,
): (making: Making) => Promise<Provenance> {
  const { root, run, version, smoke, slurm } = circumstances;
  let git = circumstances.git === undefined ? undefined : Promise.resolve(circumstances.git);
  return async (making) => {
    git ??= readGit(root);
    const { node, startedAt } = making;
    const costs = costsOf(node);
    return {
      started: startedAt.toISOString(),
      ended: new Date().toISOString(),
      seconds: Math.round(making.seconds * 1000) / 1000,
      resumedFrom: making.resumedFrom ?? null,
      attempts: making.tries,
      stage: node.id,
      run: run ?? null,
      ...(slurm ? { slurm } : {}),
      config: node.component.config,
      images: making.images,
      engine: formatEngines(making.engines),
      engines: making.engines,
      engineDescription: making.engineDescription ?? null,
      threads: making.threads,
      peakMemory: making.peakMemory ?? null,
      waiting: making.waiting === undefined ? null : Math.round(making.waiting * 1000) / 1000,
      version: version ?? null,
      host: describeHost(),
      packages: making.packages,
      git: await git,
      ...(costs ? { costs: costsAsJson(costs) } : {}),
      ...(smoke ? { smoke: true as const } : {}),
    };
  };
}

/** Images per second of wall time, or undefined for a stage that counts no images. */
export function imagesPerSecond(provenance: JsonObject): number | undefined {
  const { images, seconds } = provenance;
  if (typeof images !== 'number' || typeof seconds !== 'number' || images <= 0 || seconds <= 0)
    return undefined;
  return images / seconds;
}

function describeHost(): JsonObject {
  const cpus = os.cpus();
  return {
    os: `${os.platform()} ${os.release()}`,
    arch: os.arch(),
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    node: process.version,
  };
}
