import { fileURLToPath } from 'node:url';
import { openProjectCache } from '../../code/cache.ts';
import { costsAsJson } from '../../plan/costs.ts';
import { type Estimate, estimatePlan, wantsSpeed } from '../../plan/estimate.ts';
import { readRecorded } from '../../plan/past-stages.ts';
import type { Plan } from '../../plan/plan.ts';
import { type ExplainedRoot, explainRoots, findRoots, type Roots } from '../../plan/roots.ts';
import type { StageNode } from '../../plan/types.ts';
import { upstreamStages } from '../../plan/walk.ts';
import { capacityOf } from '../../run/capacity.ts';
import type { ResumePoint } from '../../run/worker/resume.ts';
import type { PecoError } from '../../stage/errors.ts';
import type { Store } from '../../store/types.ts';
import { findSpeed, type KnownSpeed } from '../engine-speed.ts';
import { threadsOf } from '../engines.ts';
import { type ExperimentFlags, type Prepared, prepareExperiment, warnOnStderr } from '../prepare.ts';
import { outputLook, printLines } from '../print.ts';
import { findResume } from '../resumes.ts';
import { formatPlan } from '../text/plan.ts';
import { formatOverrides, formatSmoke } from '../text/text.ts';
import { describeRoot, summarise } from '../text/why.ts';

/** Stages that have a checkpoint, and where they resume. */
type Resumes = ReadonlyMap<StageNode, ResumePoint>;

/** `peco-exp plan FILE`: what would run, why, what it computes, and for how long; what is missing. Runs nothing. */
export async function planCommand(file: string, flags: ExperimentFlags): Promise<number> {
  const prepared = await prepareExperiment(file, { ...flags, writesTables: true }, warnOnStderr);
  const { plan, loaded, store, project } = prepared;
  const recorded = await readRecorded(plan, store);
  const { engine, jobs } = project;
  // What `auto` means is found out by a run.
  const where = { threads: threadsOf(jobs), ...(engine === 'auto' ? {} : { engine }) };
  const measured = wantsSpeed(plan, recorded, where) ? await measure(prepared) : undefined;
  const speed = measured ? { speed: measured.speed } : {};
  const estimate = estimatePlan(plan, recorded, { jobs, ...where, ...speed });
  const resumes = await findResumes(plan, store, engine);
  const { roots, rootOf } = findRoots(plan);
  const explained = await explainRoots(roots, plan, store, mostExplained);
  const memory = capacityOf({ jobs }).memory * 2 ** 20;
  const look = outputLook();
  const view = {
    ...{ plan, estimate, jobs, resumes, memory, look, rootOf, missing: loaded.missing },
    causes: causesOf(explained),
    verbose: flags.verbose ?? false,
  };
  const lines = flags.json
    ? [JSON.stringify(await describePlan(prepared, { estimate, resumes, rootOf, explained }))]
    : [
        ...formatSmoke(loaded.smoke),
        ...formatOverrides(loaded.overrides),
        ...formatPlan({ ...view, ...(measured ? { measured } : {}) }),
      ];
  printLines(lines, look);
  return 0;
}

/** With more, a plan is slower than it is worth; `why` without a stage explains them all. */
const mostExplained = 30;

/** Why roots run, in a few words; of those that differ from nothing that is stored the plan's own reason says it. */
function causesOf(roots: readonly ExplainedRoot[]): ReadonlyMap<StageNode, string> {
  return new Map(
    roots.flatMap(({ stages: [first], nearest }) => {
      const isOpen = first!.reason !== 'no stored result';
      const cause = isOpen || !nearest ? undefined : summarise(nearest.differences);
      return cause === undefined ? [] : [[first!.node, cause] as const];
    }),
  );
}

/** How fast the engine is here; the first time that takes seconds, which it says. */
async function measure({ project }: Prepared): Promise<KnownSpeed | undefined> {
  const { engine, jobs, root } = project;
  const script = fileURLToPath(new URL('./engine-speed.js', import.meta.url));
  const cache = openProjectCache(root).dir;
  const known = await findSpeed(engine, threadsOf(jobs), { cache, script });
  if (known?.measured !== undefined) {
    const took = `${known.measured.toFixed(1)} s`;
    process.stderr.write(
      `measured how fast ${engine} is on this machine (${took}); the next plan knows it\n`,
    );
  }
  return known;
}

interface Described {
  readonly estimate: Estimate;
  readonly resumes: Resumes;
  readonly rootOf: Roots['rootOf'];
  readonly explained: readonly ExplainedRoot[];
}

async function describePlan({ plan, loaded }: Prepared, { estimate, resumes, rootOf, explained }: Described) {
  const inputKeys = await plan.inputKeys();
  const { stages, costs, seconds, unknown } = estimate;
  return {
    experiment: plan.graph.experiment,
    ...(loaded.smoke ? { smoke: loaded.smoke } : {}),
    // Unknown where no duration is.
    estimatedSeconds: stages.size > 0 && unknown === stages.size ? null : seconds,
    stagesOfUnknownDuration: unknown,
    missing: loaded.missing.map(describeMissing),
    roots: explained.map(describeRoot),
    stages: plan.stages.map(({ node, contentKey, status, reason }) => {
      const own = costs.get(node);
      return {
        stage: node.id,
        kind: node.component.kind,
        seed: node.seed,
        status,
        reason,
        needs: upstreamStages(node).map((upstream) => upstream.id),
        inputKey: inputKeys.get(node) ?? null,
        ...(contentKey === undefined ? {} : { contentKey }),
        ...(stages.has(node) ? { estimatedSeconds: stages.get(node) ?? null } : {}),
        ...(own ? { costs: describeCosts(own) } : {}),
        ...(resumes.has(node) ? { resumesAt: resumes.get(node) } : {}),
        ...(rootOf.has(node) ? { root: rootOf.get(node)!.stages[0]!.node.id } : {}),
      };
    }),
  };
}

/** With units in the names; what isn't known is null. */
function describeCosts(costs: Parameters<typeof costsAsJson>[0]) {
  const { parameters, denseFlops, convFlops, images, memory } = costsAsJson(costs);
  return {
    parameters,
    denseFlopsPerImage: denseFlops,
    convFlopsPerImage: convFlops,
    images,
    memoryBytes: memory,
  };
}

function describeMissing({ message, hint, location }: PecoError) {
  return { message, hint: hint ?? null, location: location ?? null };
}

async function findResumes(plan: Plan, store: Store, engine: string): Promise<Resumes> {
  const resumes = new Map<StageNode, ResumePoint>();
  for (const planned of plan.stages) {
    const saved = await findResume(planned, store, engine);
    if (saved) resumes.set(planned.node, saved);
  }
  return resumes;
}
