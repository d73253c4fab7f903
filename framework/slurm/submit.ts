import type { Plan, PlannedStage } from '../plan/plan.ts';
import { mayRun } from '../plan/types.ts';
import { upstreamStages } from '../plan/walk.ts';
import type { Resources } from '../stage/component.ts';
import { isPecoError, PecoError } from '../stage/errors.ts';
import { acceptsMissing, isReport } from '../stage/roles.ts';
import { aheadOf, saidOf, slurmResourcesOf } from '../stage/slurm.ts';
import type { Store } from '../store/types.ts';
import { checkWanted, readCluster } from './cluster.ts';
import { growUnits } from './grow.ts';
import type { Job, Place, Unit } from './jobs.ts';
import { limitJobs } from './lanes.ts';
import { findLive, tasksIn } from './live.ts';
import type { BusyTask } from './open-lanes.ts';
import { partition } from './partition.ts';
import { type Queue, taskName } from './queue.ts';
import { lockSubmissions, Records } from './records.ts';
import { commonName } from './script.ts';
import { type Around, type Command, submitJob } from './send.ts';
import { checkSetup, checkTimes } from './setup.ts';
import { ask } from './tools.ts';
import { isFull, readSubmitLimit, tryJobs } from './trial.ts';

export interface SubmitOptions extends Command {
  readonly store: Pick<Store, 'dir' | 'lock'>;
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
  /** Ids of those that were submitted now. */
  readonly submittedStages: readonly string[];
  /** Why the rest was not submitted: Slurm took some jobs, and refused one. */
  readonly refused?: { readonly error: PecoError; readonly stages: number };
}

/**
 * Submits the stages of a plan that must run and that no job of Slurm is to make yet. A process that is killed on the way
 * leaves records of all that Slurm has taken; what it hadn't submitted the next call does.
 *
 * @throws PecoError `slurm` before anything is submitted: no Slurm, no such partition, more than a node has
 */
export async function submitPlan(plan: Plan, options: SubmitOptions): Promise<SubmitResult> {
  checkPath(options.store.dir);
  const unlock = await lockSubmissions(options.store);
  try {
    const records = new Records(options.store.dir);
    const situation = await surveyPlan(plan, records, options);
    const { live, cancelled, busy } = situation;
    const there = { live: live.size, liveStages: [...live.keys()] };
    if (situation.units.length === 0) return { jobs: [], submittedStages: [], ...there };
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
    const most = saidOf(options.slurm, 'jobs');
    const atOnce = saidOf(options.slurm, 'atOnce');
    const limits = { busy, ...(atOnce === undefined ? {} : { atOnce }) };
    const limited = most === undefined ? undefined : limitJobs(parts, { most, ...limits });
    const around = { records, plan, options, cluster, ...(limited ? { limited } : {}) };
    return { ...(await submitAll(limited?.jobs ?? parts, around)), ...there };
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
  const isLimited = saidOf(options.slurm, 'jobs') !== undefined;
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
  const ids = new Set(open.map(({ node }) => node.id));
  for (let before = -1; before !== replaced.size; ) {
    before = replaced.size;
    const isFresh = (id: string): boolean => {
      const place = places.get(id);
      return place === undefined || replaced.has(taskName(place));
    };
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
  const submittedStages: string[] = [];
  for (const job of jobs) {
    try {
      const number = await submitJob(job, numbers, around);
      numbers.set(job, number);
      const stages = [...job.tasks.values()].flat();
      const name = commonName(stages.map(({ id }) => id));
      done.push({ job: number, name, tasks: job.tasks.size, stages: stages.length });
      submittedStages.push(...stages.map(({ id }) => id));
    } catch (error) {
      if (!isPecoError(error) || (done.length === 0 && !isFull(error.message))) throw error;
      const rest = jobs.slice(done.length).flatMap(({ tasks }) => [...tasks.values()].flat());
      return { jobs: done, submittedStages, refused: { error, stages: rest.length } };
    }
  }
  return { jobs: done, submittedStages };
}

/** Logs are named in lines of scripts, in which a backslash has a meaning to Slurm. @throws PecoError `slurm` */
function checkPath(store: string): void {
  if (!/[\p{Cc}\\]/u.test(store)) return;
  throw new PecoError(`the path of the store has a backslash or a line break: ${JSON.stringify(store)}`, {
    code: 'slurm',
    hint: 'jobs of Slurm can not write their logs there: choose another folder (--store)',
  });
}
