import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Plan, PlannedStage } from '../plan/plan.ts';
import { mayRun } from '../plan/types.ts';
import { upstreamStages } from '../plan/walk.ts';
import type { Resources } from '../stage/component.ts';
import { isPecoError, PecoError } from '../stage/errors.ts';
import type { InputKey } from '../stage/keys.ts';
import { acceptsMissing, isReport } from '../stage/roles.ts';
import { aheadOf, type SlurmOptions, slurmResourcesOf } from '../stage/slurm.ts';
import type { Store } from '../store/types.ts';
import { type Cluster, checkWanted, readCluster } from './cluster.ts';
import { growUnits, memoryTerms } from './grow.ts';
import type { Dependency, Job, Place, Unit } from './jobs.ts';
import { type BusyTask, limitJobs } from './lanes.ts';
import { findLive, tasksIn } from './live.ts';
import { partition } from './partition.ts';
import { type Queue, readQueue, taskName } from './queue.ts';
import { type JobFlags, Records, type Submission } from './records.ts';
import { commonName, formatScript, jobName } from './script.ts';
import { checkSetup, checkTimes } from './setup.ts';
import { ask } from './tools.ts';
import { isFull, readSubmitLimit, tryJobs } from './trial.ts';

export interface SubmitOptions {
  readonly store: Pick<Store, 'dir' | 'lock'>;
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
  /** What a stage says of itself, or took before. */
  hintsOf(stage: PlannedStage): Resources;
  /** How long a stage is estimated to take; undefined where nothing tells. */
  secondsOf(stage: PlannedStage): number | undefined;
  /** Stages that have ended since the plan was made, by id. */
  readonly ended?: ReadonlySet<string>;
}

export interface SubmittedJob {
  /** Number that Slurm gave it. */
  readonly job: string;
  /** `tokenizer/*` */
  readonly name: string;
  readonly tasks: number;
  readonly stages: number;
}

export interface SubmitResult {
  readonly jobs: readonly SubmittedJob[];
  /** Stages that were queued or running already. */
  readonly live: number;
  /** Their ids. */
  readonly liveStages: readonly string[];
  /** Why the rest was not submitted: Slurm took some jobs, and refused one. */
  readonly refused?: { readonly error: PecoError; readonly stages: number };
}

/** Held while one process submits: others wait, and find its records. */
const submitKey = createHash('sha256').update('submissions to Slurm').digest('hex') as InputKey;

/**
 * Submits the stages of a plan that must run and that no job of Slurm is to make yet. A process that is killed on the way
 * leaves records of all that Slurm has taken; what it hadn't submitted the next call does.
 *
 * @throws PecoError `slurm` before anything is submitted: no Slurm, no such partition, more than a node has
 */
export async function submitPlan(plan: Plan, options: SubmitOptions): Promise<SubmitResult> {
  checkPath(options.store.dir);
  const unlock = await options.store.lock(submitKey);
  try {
    const records = new Records(options.store.dir);
    const situation = await surveyPlan(plan, records, options);
    const { live, cancelled, busy } = situation;
    const there = { live: live.size, liveStages: [...live.keys()] };
    if (situation.units.length === 0) return { jobs: [], ...there };
    const cluster = await readCluster();
    const units = growUnits(situation.units, records, cluster);
    const resources = units.map((unit) => ({ resources: unit.resources, stage: unit.id }));
    checkTimes(resources, ({ time }) => aheadOf(options.slurm, time));
    checkWanted(resources, cluster);
    await checkSetup(resources);
    await tryJobs(resources);
    if (cancelled.length > 0) await ask('scancel', cancelled.map(taskName));
    const limit = await readSubmitLimit(units.map((unit) => unit.resources));
    const parts = partition(units, { live, maxArraySize: Math.min(cluster.maxArraySize, limit) });
    const most = saidOf(options, 'jobs');
    const atOnce = saidOf(options, 'atOnce');
    const limits = { busy, ...(atOnce === undefined ? {} : { atOnce }) };
    const jobs = most === undefined ? parts : limitJobs(parts, { most, ...limits });
    return { ...(await submitAll(jobs, { records, plan, options, cluster })), ...there };
  } finally {
    await unlock();
  }
}

/** What is to be submitted, what is in Slurm already, and tasks of Slurm that give way to what is to be submitted. */
interface Situation {
  readonly units: readonly Unit[];
  readonly live: ReadonlyMap<string, Place>;
  readonly cancelled: readonly Place[];
  /** All tasks of the experiment that stay in Slurm; looked for where their number has a limit. */
  readonly busy: readonly BusyTask[];
}

async function surveyPlan(plan: Plan, records: Records, options: SubmitOptions): Promise<Situation> {
  const open = plan.stages.filter((stage) => mayRun(stage) && !options.ended?.has(stage.node.id));
  const keys = await plan.inputKeys();
  const isLimited = saidOf(options, 'jobs') !== undefined;
  const earlier = isLimited ? records.all().filter(({ file }) => file === options.file) : [];
  const { places, queue } = await findLive(
    open.map(({ node }) => ({ stage: node.id, key: keys.get(node)! })),
    records,
    earlier.map(({ user }) => user),
  );
  const replaced = replacedBy(open, places, queue);
  const cancelled = replaced.filter((place) => queue.task(place)?.state === 'PENDING');
  const gone = new Set(replaced.map(taskName));
  const live = new Map([...places].filter(([, place]) => !gone.has(taskName(place))));
  const ids = new Set(open.map(({ node }) => node.id));
  const units = open
    .filter(({ node }) => !live.has(node.id))
    .map((stage): Unit => {
      const { node } = stage;
      const { component } = node;
      const seconds = options.secondsOf(stage);
      return {
        id: node.id,
        key: keys.get(node)!,
        kind: `${component.role}/${component.kind}`,
        resources: slurmResourcesOf(component, options.slurm, options.hintsOf(stage)),
        ...(seconds === undefined ? {} : { seconds }),
        upstream: upstreamStages(node).flatMap(({ id }) => (ids.has(id) ? [id] : [])),
        tolerant: acceptsMissing(component),
        whole: isReport(component),
      };
    });
  const busy = tasksIn(queue, earlier, records).filter(
    (task) => !cancelled.some((one) => taskName(one) === taskName(task)),
  );
  return { units, live, cancelled, busy };
}

/** What the settings or the experiment say for all jobs. */
function saidOf<K extends keyof SlurmOptions>({ slurm }: SubmitOptions, field: K) {
  return slurm.findLast((one) => one?.[field] !== undefined)?.[field];
}

/**
 * Tasks that wait for the end of others, and don't wait for what is submitted now. A report or a selection that runs already
 * is made without it, so it is made once more.
 */
function replacedBy(
  open: readonly PlannedStage[],
  places: ReadonlyMap<string, Place>,
  queue: Queue,
): Place[] {
  const replaced = new Map<string, Place>();
  for (let before = -1; before !== replaced.size; ) {
    before = replaced.size;
    const isFresh = (id: string): boolean => {
      const place = places.get(id);
      return place === undefined || replaced.has(taskName(place));
    };
    const ids = new Set(open.map(({ node }) => node.id));
    for (const { node } of open) {
      const place = places.get(node.id);
      if (place === undefined) continue;
      if (queue.task(place)?.state !== 'PENDING' && !acceptsMissing(node.component)) continue;
      const waits = upstreamStages(node).filter(({ id }) => ids.has(id));
      if (waits.some(({ id }) => isFresh(id))) replaced.set(taskName(place), place);
    }
  }
  return [...replaced.values()];
}

async function submitAll(
  jobs: readonly Job[],
  around: Around,
): Promise<Omit<SubmitResult, 'live' | 'liveStages'>> {
  const numbers = new Map<Job, string>();
  const done: SubmittedJob[] = [];
  for (const job of jobs) {
    try {
      const number = await submitJob(job, numbers, around);
      numbers.set(job, number);
      const stages = [...job.tasks.values()].flat();
      const name = commonName(stages.map(({ id }) => id));
      done.push({ job: number, name, tasks: job.tasks.size, stages: stages.length });
    } catch (error) {
      if (!isPecoError(error) || (done.length === 0 && !isFull(error.message))) throw error;
      const rest = jobs.slice(done.length).flatMap(({ tasks }) => [...tasks.values()].flat());
      return { jobs: done, refused: { error, stages: rest.length } };
    }
  }
  return { jobs: done };
}

interface Around {
  readonly records: Records;
  readonly plan: Plan;
  readonly options: SubmitOptions;
  readonly cluster: Cluster;
}

/** Record, claims, sbatch, number: killed anywhere in between, the next call finds out how far it came. */
async function submitJob(job: Job, numbers: ReadonlyMap<Job, string>, around: Around): Promise<string> {
  const { records, plan, options, cluster } = around;
  const { experiment } = plan.graph;
  const stages = [...job.tasks.values()].flat();
  const name = commonName(stages.map((unit) => unit.id));
  const { id, dir } = records.newFolder(`${experiment}-${name}`);
  const submission: Submission = {
    format: 1,
    id,
    experiment,
    file: options.file,
    flags: options.flags,
    ...(options.run === undefined ? {} : { run: options.run }),
    ...(stages.some(({ whole }) => whole) ? { whole: true as const } : {}),
    memory: memoryTerms(job.resources, cluster),
    ...(job.lane === undefined ? {} : { lane: job.lane }),
    tasks: Object.fromEntries(
      [...job.tasks].map(([index, units]) => [
        index,
        units.map((unit) => ({ stage: unit.id, key: unit.key })),
      ]),
    ),
    user: process.getuid!(),
    submitted: new Date().toISOString(),
  };
  records.write(submission);
  claimAll(submission, records);
  const atOnce = job.atOnce ?? saidOf(options, 'atOnce');
  const script = formatScript({
    name: jobName(
      experiment,
      stages.map((unit) => unit.id),
    ),
    comment: id,
    dir,
    cwd: options.cwd,
    indices: [...job.tasks.keys()],
    ...(atOnce === undefined ? {} : { atOnce }),
    dependencies: job.dependencies.map((one) => formatDependency(one, numbers)),
    resources: job.resources,
    ahead: aheadOf(options.slurm, job.resources.time),
    node: saidOf(options, 'node') ?? process.execPath,
    program: options.program,
  });
  const file = path.join(dir, 'script.sh');
  fs.writeFileSync(file, script, { mode: 0o755 });
  const number = await sendScript(file, submission, records);
  await records.noteJob(id, number);
  return number;
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

/** Logs are named in lines of scripts, in which a backslash has a meaning to Slurm. @throws PecoError `slurm` */
function checkPath(store: string): void {
  if (!/[\p{Cc}\\]/u.test(store)) return;
  throw new PecoError(`the path of the store has a backslash or a line break: ${JSON.stringify(store)}`, {
    code: 'slurm',
    hint: 'jobs of Slurm can not write their logs there: choose another folder (--store)',
  });
}

function formatDependency({ type, job, index }: Dependency, numbers: ReadonlyMap<Job, string>): string {
  const number = typeof job === 'string' ? job : numbers.get(job)!;
  return `${type}:${number}${index === undefined ? '' : `_${index}`}`;
}
