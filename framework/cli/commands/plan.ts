import { type Estimate, estimatePlan } from '../../plan/estimate.ts';
import { readRecorded } from '../../plan/past-stages.ts';
import type { Plan } from '../../plan/plan.ts';
import type { StageNode } from '../../plan/types.ts';
import { upstreamStages } from '../../plan/walk.ts';
import { formatResumePoint, type ResumePoint } from '../../run/worker/resume.ts';
import { formatError, type PecoError } from '../../stage/errors.ts';
import type { Store } from '../../store/types.ts';
import { type ExperimentFlags, prepareExperiment, warnOnStderr } from '../prepare.ts';
import { findResume } from '../resumes.ts';
import { count, formatDuration } from '../text/format.ts';
import { formatOverrides, formatSmoke, formatStatuses } from '../text/text.ts';

const mostNeedsShown = 3;

/** Stages that have a checkpoint of the engine, and where they resume. */
type Resumes = ReadonlyMap<StageNode, ResumePoint>;

/** `peco-exp plan FILE`: what would run, why, and for how long; runs nothing. */
export async function planCommand(file: string, flags: ExperimentFlags): Promise<number> {
  const { plan, loaded, store, project } = await prepareExperiment(
    file,
    { ...flags, writesTables: true },
    warnOnStderr,
  );
  const estimate = estimatePlan(plan, await readRecorded(plan, store), project.jobs);
  const resumes = await findResumes(plan, store, project.engine);
  const lines = flags.json
    ? [
        JSON.stringify({
          ...(await describePlan(plan, estimate, resumes)),
          missing: loaded.missing.map(asJson),
        }),
      ]
    : [
        ...formatSmoke(loaded.smoke),
        ...formatOverrides(loaded.overrides),
        ...formatPlan(plan, estimate, project.jobs, resumes),
        ...formatMissing(loaded.missing),
      ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

/** What has to be there before it can run, with what to do about it. */
function formatMissing(missing: readonly PecoError[]): string[] {
  if (missing.length === 0) return [];
  const lines = missing.flatMap((problem) => formatError(problem).split('\n'));
  return ['missing, so it can not run yet:', ...lines.map((line) => `  ${line}`)];
}

function asJson({ message, hint, location }: PecoError) {
  return { message, hint: hint ?? null, location: location ?? null };
}

/** One line a stage, in an order in which they could run: status, id, why, how long, and what it needs. */
export function formatPlan(
  plan: Plan,
  estimate: Estimate,
  jobs: number,
  resumes: Resumes = new Map(),
): string[] {
  const rows = plan.stages.map(({ status, node, reason }) => {
    const seconds = estimate.stages.get(node);
    const saved = resumes.get(node);
    return [
      status,
      node.id,
      saved ? `resumes at ${formatResumePoint(saved)}` : reason,
      seconds === undefined ? '' : `~${formatDuration(seconds)}`,
      formatNeeds(upstreamStages(node).map((upstream) => upstream.id)),
    ];
  });
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => {
    const cells = row.flatMap((text, column) =>
      widths[column] === 0 ? [] : text.padEnd(widths[column] ?? 0),
    );
    return `  ${cells.join('  ')}`.trimEnd();
  });
  return [formatStatuses(plan.graph.experiment, plan.stages), ...lines, ...formatEstimate(estimate, jobs)];
}

function formatEstimate({ stages, seconds, unknown }: Estimate, jobs: number): string[] {
  if (stages.size === 0) return [];
  if (unknown === stages.size) return ['no time can be estimated: no such stage has run here yet'];
  const rest = unknown === 0 ? '' : `, and ${count(unknown, 'stage')} of unknown duration`;
  return [`about ${formatDuration(seconds)} with ${count(jobs, 'job')}, going by earlier stages${rest}`];
}

function formatNeeds(ids: readonly string[]): string {
  if (ids.length === 0) return '';
  return `<- ${ids.length > mostNeedsShown ? `${ids.length} stages` : ids.join(', ')}`;
}

async function describePlan(plan: Plan, estimate: Estimate, resumes: Resumes) {
  const inputKeys = await plan.inputKeys();
  return {
    experiment: plan.graph.experiment,
    estimatedSeconds: estimate.seconds,
    stages: plan.stages.map(({ node, contentKey, status, reason }) => {
      const seconds = estimate.stages.get(node);
      return {
        stage: node.id,
        kind: node.component.kind,
        seed: node.seed,
        status,
        reason,
        needs: upstreamStages(node).map((upstream) => upstream.id),
        inputKey: inputKeys.get(node),
        ...(contentKey === undefined ? {} : { contentKey }),
        ...(seconds === undefined ? {} : { estimatedSeconds: seconds }),
        ...(resumes.has(node) ? { resumesAt: resumes.get(node) } : {}),
      };
    }),
  };
}

async function findResumes(plan: Plan, store: Store, engine: string): Promise<Resumes> {
  const resumes = new Map<StageNode, ResumePoint>();
  for (const planned of plan.stages) {
    const saved = await findResume(planned, store, engine);
    if (saved) resumes.set(planned.node, saved);
  }
  return resumes;
}
