import os from 'node:os';
import type { SlurmJob } from '../run/record/provenance.ts';

type Environment = { readonly [name: string]: string | undefined };

/** What Slurm gave to a job on its node. */
export interface Allocation {
  /** `12_3` */
  readonly task: string;
  /** Number of the job; of an array, of the whole. */
  readonly job: string;
  readonly cores: number;
  /** MiB; absent where Slurm doesn't limit it. */
  readonly memory?: number;
  /** For the provenance of what it makes. */
  readonly origin: SlurmJob;
}

/** Of the process around us; undefined outside of a job. */
export function readAllocation(env: Environment): Allocation | undefined {
  const id = env.SLURM_JOB_ID;
  if (id === undefined) return undefined;
  const job = env.SLURM_ARRAY_JOB_ID ?? id;
  const index = env.SLURM_ARRAY_TASK_ID;
  const cores =
    numberOf(env.SLURM_CPUS_PER_TASK) ?? numberOf(env.SLURM_CPUS_ON_NODE) ?? os.availableParallelism();
  const perCore = numberOf(env.SLURM_MEM_PER_CPU);
  const memory = numberOf(env.SLURM_MEM_PER_NODE) ?? (perCore === undefined ? undefined : perCore * cores);
  const task = index === undefined ? job : `${job}_${index}`;
  return {
    task,
    job,
    cores,
    origin: {
      ...{ job, task },
      node: env.SLURMD_NODENAME ?? env.SLURM_JOB_NODELIST ?? null,
      partition: env.SLURM_JOB_PARTITION ?? null,
      cluster: env.SLURM_CLUSTER_NAME ?? null,
    },
    ...(memory === undefined ? {} : { memory }),
  };
}

/** Undefined for what is missing or 0, which means no limit. */
function numberOf(text: string | undefined): number | undefined {
  const number = Number(text);
  return text !== undefined && Number.isFinite(number) && number > 0 ? number : undefined;
}
