import type { Plan, PlannedStage } from '../../plan/plan.ts';
import { explainRoots, findRoots } from '../../plan/roots.ts';
import type { Edges } from '../../plan/types.ts';
import { mayRun } from '../../plan/types.ts';
import { findNearest } from '../../plan/why.ts';
import type { Store } from '../../store/types.ts';
import { type ExperimentFlags, findPlanned, prepareExperiment, warnOnStderr } from '../prepare.ts';
import { printLines } from '../print.ts';
import { findResume } from '../resumes.ts';
import { describeRoot, type Explanation, formatRoots, formatWhy } from '../text/why.ts';

/**
 * `peco-exp why FILE [STAGE]`: in which fields a stage differs from the nearest stored result; one explanation after the
 * other if the name means several, such as those of all seeds. Without a stage: the same of all that run by themselves, not
 * because another one does. Runs nothing.
 */
export async function whyCommand(
  file: string,
  stage: string | undefined,
  flags: ExperimentFlags,
): Promise<number> {
  const { plan, store, project } = await prepareExperiment(file, flags, warnOnStderr);
  if (stage === undefined) {
    const roots = await explainRoots(findRoots(plan).roots, plan, store, Number.POSITIVE_INFINITY);
    printLines(flags.json ? [JSON.stringify({ roots: roots.map(describeRoot) })] : formatRoots(roots));
    return 0;
  }
  const texts: string[] = [];
  for (const planned of findPlanned(plan, stage)) {
    const explanation = await explain(planned, plan, store, project.engine);
    texts.push(flags.json ? JSON.stringify(asJson(explanation)) : formatWhy(explanation).join('\n'));
  }
  printLines([texts.join(flags.json ? '\n' : '\n\n')]);
  return 0;
}

async function explain(
  planned: PlannedStage,
  plan: Plan,
  store: Store,
  engine: string,
): Promise<Explanation> {
  const open = new Set(plan.stages.filter(mayRun).map(({ node }) => node.id));
  const { node, fingerprint } = planned;
  // A report has no input for what was dropped.
  const inputs = Object.entries(node.inputs).filter(([name]) => name in fingerprint.inputs);
  const upstream = stagesOf(Object.fromEntries(inputs));
  const pending = Object.fromEntries(Object.entries(upstream).filter(([, id]) => open.has(id)));
  const nearest = mayRun(planned) ? await findNearest(planned, plan, store) : undefined;
  const saved = await findResume(planned, store, engine);
  return { planned, pending, upstream, ...(nearest ? { nearest } : {}), ...(saved ? { saved } : {}) };
}

/** Ids of the stages that make inputs, by input name; those further up as `pretrained.tokenizer`. */
function stagesOf(edges: Edges, prefix = ''): { [input: string]: string } {
  const found: { [input: string]: string } = {};
  for (const [name, edge] of Object.entries(edges)) {
    if (edge.type === 'stage') found[prefix + name] = edge.stage.id;
    else Object.assign(found, stagesOf(edge.inputs, `${prefix}${name}.`));
  }
  return found;
}

function asJson({ planned, nearest, pending, upstream, saved }: Explanation) {
  const { node, status, reason, contentKey, fingerprint } = planned;
  return {
    stage: node.id,
    status,
    reason,
    ...(contentKey === undefined ? {} : { contentKey }),
    ...(saved ? { resumesAt: saved } : {}),
    fingerprint,
    upstream,
    pending,
    nearest: nearest ? { key: nearest.key, differences: nearest.differences } : null,
  };
}
