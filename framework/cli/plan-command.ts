import type { Plan } from '../plan/plan.ts';
import { upstreamStages } from '../run/schedule.ts';
import { type ExperimentFlags, prepareExperiment, warnOnStderr } from './prepare.ts';
import { formatOverrides, formatStatuses } from './render/text.ts';

const mostNeedsShown = 3;

/** `peco-exp plan FILE`: what would run, and why; runs nothing. */
export async function planCommand(file: string, flags: ExperimentFlags): Promise<number> {
  const { plan, loaded } = await prepareExperiment(file, flags, warnOnStderr);
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(describePlan(plan))}\n`);
    return 0;
  }
  process.stdout.write([...formatOverrides(loaded.overrides), ...formatPlan(plan)].join('\n').concat('\n'));
  return 0;
}

/** One line a stage, in an order in which they could run: status, id, why, and what it needs. */
export function formatPlan(plan: Plan): string[] {
  const width = Math.max(...plan.stages.map((stage) => stage.node.id.length));
  const reasonWidth = Math.max(...plan.stages.map((stage) => stage.reason.length));
  const lines = plan.stages.map((stage) => {
    const needs = formatNeeds(upstreamStages(stage.node).map((node) => node.id));
    const line = `  ${stage.status.padEnd(5)}  ${stage.node.id.padEnd(width)}  ${stage.reason.padEnd(reasonWidth)}  ${needs}`;
    return line.trimEnd();
  });
  return [formatStatuses(plan.graph.experiment, plan.stages), ...lines];
}

function formatNeeds(ids: readonly string[]): string {
  if (ids.length === 0) return '';
  return `<- ${ids.length > mostNeedsShown ? `${ids.length} stages` : ids.join(', ')}`;
}

function describePlan(plan: Plan) {
  return {
    experiment: plan.graph.experiment,
    stages: plan.stages.map(({ node, inputKey, contentKey, status, reason }) => ({
      stage: node.id,
      kind: node.component.kind,
      seed: node.seed,
      status,
      reason,
      needs: upstreamStages(node).map((upstream) => upstream.id),
      inputKey,
      ...(contentKey === undefined ? {} : { contentKey }),
    })),
  };
}
