import fs from 'node:fs';
import path from 'node:path';
import { explainMakeError } from '../files/make-folders.ts';
import type { Plan } from '../plan/plan.ts';
import { isPecoError, PecoError } from '../stage/errors.ts';
import { aheadOf, type SlurmOptions, saidOf } from '../stage/slurm.ts';
import type { Cluster } from './cluster.ts';
import { memoryTerms } from './grow.ts';
import type { Dependency, Job } from './jobs.ts';
import type { LimitedJobs } from './lanes.ts';
import { readQueue } from './queue.ts';
import type { JobFlags, Records, Submission } from './records.ts';
import { commonName, formatScript, jobName } from './script.ts';
import { ask } from './tools.ts';

/** The command that submits. */
export interface Command {
  /** Absolute. */
  readonly file: string;
  /** Where the command was given. */
  readonly cwd: string;
  readonly flags: JobFlags;
  /** Id of the run's record. */
  readonly run?: string;
  /** What settings and experiment say; the later ones win. */
  readonly slurm: readonly (SlurmOptions | undefined)[];
  /** Script of the command line, absolute. */
  readonly program: string;
}

/** What all jobs of a submission have in common. */
export interface Around {
  readonly records: Records;
  readonly plan: Plan;
  readonly options: Command;
  readonly cluster: Cluster;
  readonly limited?: Pick<LimitedJobs, 'lanes' | 'widths'>;
}

/** Record, claims, sbatch, number: killed anywhere in between, the next call finds out how far it came. */
export async function submitJob(
  job: Job,
  numbers: ReadonlyMap<Job, string>,
  around: Around,
): Promise<string> {
  const { records } = around;
  const { file, submission } = prepareJob(job, numbers, around);
  const number = await sendScript(file, submission, records);
  // The job is there: where its number can't be kept, it is found by its comment.
  await records.noteJob(submission.id, number);
  return number;
}

/** Writes all that a job needs. @throws PecoError `slurm`: then nothing is left of it, as far as that can be removed */
function prepareJob(job: Job, numbers: ReadonlyMap<Job, string>, around: Around): Prepared {
  const { records, plan } = around;
  const stages = [...job.tasks.values()].flat();
  const folder = `${plan.graph.experiment}-${commonName(stages.map((unit) => unit.id))}`;
  let submission: Submission | undefined;
  try {
    const { id, dir } = records.newFolder(folder);
    submission = describeJob(job, id, around);
    records.write(submission);
    claimAll(submission, records);
    const file = path.join(dir, 'script.sh');
    fs.writeFileSync(file, scriptOf(job, { id, dir }, numbers, around), { mode: 0o755 });
    return { file, submission };
  } catch (error) {
    if (isPecoError(error)) throw error;
    try {
      if (submission) records.withdraw(submission);
    } catch {
      // It was never sent to Slurm, so the next call submits its stages.
    }
    const why = explainMakeError(error) ?? (error as Error).message;
    throw new PecoError(`the files of a job can't be written to ${records.root}: ${why}`, {
      code: 'slurm',
      cause: error,
    });
  }
}

interface Prepared {
  readonly file: string;
  readonly submission: Submission;
}

function describeJob(job: Job, id: string, { plan, options, cluster, limited }: Around): Submission {
  const tasks = [...job.tasks];
  return {
    format: 1,
    id,
    experiment: plan.graph.experiment,
    file: options.file,
    flags: options.flags,
    ...(options.run === undefined ? {} : { run: options.run }),
    ...(tasks.some(([, units]) => units.some(({ whole }) => whole)) ? { whole: true as const } : {}),
    memory: memoryTerms(job.resources, cluster),
    ...(limited ? { lanes: Object.fromEntries(limited.lanes.get(job)!) } : {}),
    ...(limited?.widths.has(job) ? { width: limited.widths.get(job)! } : {}),
    tasks: Object.fromEntries(
      tasks.map(([index, units]) => [index, units.map((unit) => ({ stage: unit.id, key: unit.key }))]),
    ),
    user: process.getuid!(),
    submitted: new Date().toISOString(),
  };
}

function scriptOf(
  job: Job,
  { id, dir }: { readonly id: string; readonly dir: string },
  numbers: ReadonlyMap<Job, string>,
  { plan, options }: Around,
): string {
  const stages = [...job.tasks.values()].flat().map((unit) => unit.id);
  const atOnce = job.atOnce ?? saidOf(options.slurm, 'atOnce');
  return formatScript({
    name: jobName(plan.graph.experiment, stages),
    comment: id,
    dir,
    cwd: options.cwd,
    indices: [...job.tasks.keys()],
    ...(atOnce === undefined ? {} : { atOnce }),
    dependencies: job.dependencies.map((one) => formatDependency(one, numbers)),
    resources: job.resources,
    ahead: aheadOf(options.slurm, job.resources.time),
    node: saidOf(options.slurm, 'node') ?? process.execPath,
    program: options.program,
  });
}

function claimAll(submission: Submission, records: Records): void {
  for (const [index, stages] of Object.entries(submission.tasks)) {
    for (const { stage, key } of stages) {
      const claim = { submission: submission.id, index: Number(index) };
      // What was there has ended, or this stage would not be submitted.
      if (records.claim(key, claim, records.claimOf(key))) continue;
      records.withdraw(submission);
      throw new PecoError(`another peco-exp submitted ${stage} at the same moment`, {
        code: 'slurm',
        hint: 'run again: what it submitted is found',
      });
    }
  }
}

async function sendScript(file: string, submission: Submission, records: Records): Promise<string> {
  try {
    const answer = await ask('sbatch', ['--parsable', file]);
    // `12` or `12;cluster`; sites print more around it.
    const number = /^(\d+)(;\S*)?$/m.exec(answer)?.[1];
    if (number !== undefined) return number;
    throw new PecoError(`sbatch: no number of a job in its answer "${answer.trim()}"`, { code: 'slurm' });
  } catch (error) {
    // No answer is not a no. Where squeue doesn't say either, the record stays: the next call finds the job by it.
    const queue = await readQueue([submission.user]).catch(() => undefined);
    const job = queue?.jobOf(submission.id);
    if (job !== undefined) return job;
    if (queue !== undefined) records.withdraw(submission);
    throw error;
  }
}

function formatDependency({ type, job, index }: Dependency, numbers: ReadonlyMap<Job, string>): string {
  const number = typeof job === 'string' ? job : numbers.get(job)!;
  return `${type}:${number}${index === undefined ? '' : `_${index}`}`;
}
