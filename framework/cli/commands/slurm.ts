import fs from 'node:fs';
import path from 'node:path';
import { type Estimate, estimatePlan } from '../../plan/estimate.ts';
import { readRecorded } from '../../plan/past-stages.ts';
import type { RunEvent } from '../../run/record/events.ts';
import { finishedEvent } from '../../run/record/finished.ts';
import type { RunLog } from '../../run/record/log.ts';
import type { Settle } from '../../run/run.ts';
import type { JobFlags } from '../../slurm/records.ts';
import { settleOnSlurm } from '../../slurm/settle.ts';
import { type SubmitOptions, type SubmitResult, submitPlan } from '../../slurm/submit.ts';
import { formatDuration } from '../../stage/duration.ts';
import { errorAsJson } from '../json/error.ts';
import type { ExperimentFlags, Prepared } from '../prepare.ts';
import { printLines } from '../print.ts';
import { describeStart } from '../running.ts';
import { formatPath } from '../text/format.ts';
import { formatSubmitted } from '../text/slurm.ts';
import { formatRunStarted, formatWarning } from '../text/text.ts';

/** Stages of a run that are jobs of Slurm now. */
export interface Submitted {
  /** Exit code of a command that leaves them alone. */
  readonly code: number;
  /** Stays with them until they have ended. */
  readonly settle: Settle;
}

export interface SubmitStagesOptions {
  readonly flags: ExperimentFlags;
  /** What was said before. */
  readonly early: readonly RunEvent[];
  /** Record of the run; absent where it can't be kept. */
  readonly log: RunLog | undefined;
}

/**
 * `peco-exp run FILE --executor slurm` of a plan in which stages must run: submits those that no job is to make yet, and
 * says so. Where that is all, the record of the run is left to its jobs.
 */
export async function submitStages(
  prepared: Prepared,
  { flags, early, log }: SubmitStagesOptions,
): Promise<Submitted> {
  const seconds = await estimateStages(prepared);
  const run = log === undefined ? {} : { run: log.id };
  const submit = (ended: ReadonlySet<string> = new Set()) =>
    submitPlan(prepared.plan, { ...optionsOf(prepared, flags, seconds), ...run, ended });
  if (!flags.watch) for (const event of beginningOf(prepared, early)) log?.record(event);
  const submitted = await submit().catch((error: unknown) => {
    log?.discard();
    throw error;
  });
  if (!flags.watch) leave(log, submitted);
  if (flags.json)
    printLines([
      JSON.stringify({ time: new Date().toISOString(), type: 'submitted', ...submittedAsJson(submitted) }),
    ]);
  else {
    const folder = formatPath(path.join(prepared.store.dir, 'slurm'));
    // One that watches says the rest in its own time.
    const warnings = early.flatMap((event) => (event.type === 'warning' ? formatWarning(event) : []));
    const before = flags.watch ? [] : [...formatRunStarted(describeStart(prepared)), ...warnings];
    printLines([...before, ...formatSubmitted(submitted, folder, flags.watch ?? false)]);
  }
  return {
    code: submitted.refused ? 1 : 0,
    settle: (plan, options, emit) => settleOnSlurm(plan, options, emit, { submitted, submit }),
  };
}

/** What is printed with `--json`: its schema is that of the event `submitted`. */
export function submittedAsJson(result: SubmitResult) {
  const { refused, liveStages: _live, submittedStages: _submitted, ...submitted } = result;
  if (refused === undefined) return submitted;
  return { ...submitted, refused: { ...refused, error: errorAsJson(refused.error) } };
}

/** What stages of their kind took before, in seconds; read only where jobs are made by it. */
async function estimateStages({ plan, store, project, loaded }: Prepared): Promise<Estimate['stages']> {
  const layers = [project.slurm, loaded.experiment.slurm].flatMap((one) =>
    one === undefined ? [] : [one, ...Object.values(one.stages ?? {})],
  );
  if (!layers.some((one) => typeof one.pack === 'string' || 'jobs' in one)) return new Map();
  // How fast this machine is says nothing of the nodes.
  return estimatePlan(plan, await readRecorded(plan, store), { jobs: 1, engine: project.engine }).stages;
}

/** What is known of a run before its jobs. */
function beginningOf(prepared: Prepared, early: readonly RunEvent[]): readonly RunEvent[] {
  const stored = prepared.plan.stages.flatMap(({ node, entry }) =>
    entry ? [finishedEvent(node.id, 'hit', entry)] : [],
  );
  return [describeStart(prepared), ...early, ...stored];
}

/** No process stays with this run; one that submitted nothing is no run. */
function leave(log: RunLog | undefined, { jobs, liveStages }: SubmitResult): void {
  if (jobs.length === 0) log?.discard();
  for (const stage of liveStages) log?.record({ type: 'stage-waiting', stage });
  log?.leave();
}

function optionsOf(prepared: Prepared, flags: ExperimentFlags, seconds: Estimate['stages']): SubmitOptions {
  const { loaded, store, project } = prepared;
  return {
    store,
    file: loaded.file,
    cwd: process.cwd(),
    flags: jobFlags(prepared, flags),
    slurm: [project.slurm, loaded.experiment.slurm],
    program: fs.realpathSync(process.argv[1]!),
    hintsOf: ({ node }) => node.component.resources ?? {},
    secondsOf: ({ node }) => seconds.get(node),
  };
}

/** What a job has to be told: places and settings as they are here, wherever they were said. */
function jobFlags({ project, store }: Prepared, flags: ExperimentFlags): JobFlags {
  const { set, sweep, tasks, seeds, smoke, upto } = flags;
  const given = Object.entries({ set, sweep, tasks, seeds, smoke, upto }).filter(
    ([, value]) => value !== undefined,
  );
  return {
    ...Object.fromEntries(given),
    store: store.dir,
    out: project.results,
    engine: project.engine,
    retries: project.retries,
    timeout: project.timeout === undefined ? 'none' : formatDuration(project.timeout),
  };
}
