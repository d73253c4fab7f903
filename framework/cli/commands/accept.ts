import { acceptStage } from '../../plan/accept.ts';
import type { Difference } from '../../plan/differences.ts';
import { fateOf, type Loss, readRanking } from '../../plan/fate.ts';
import { locateStage } from '../../plan/locate.ts';
import type { StageNode } from '../../plan/types.ts';
import { upstreamStages } from '../../plan/walk.ts';
import { findNearest } from '../../plan/why.ts';
import { PecoError } from '../../stage/errors.ts';
import type { ContentKey } from '../../stage/keys.ts';
import type { Entry } from '../../store/types.ts';
import {
  type ExperimentFlags,
  findPlanned,
  type Prepared,
  prepareExperiment,
  warnOnStderr,
} from '../prepare.ts';
import { printLines } from '../print.ts';
import { formatDifferences } from '../text/why.ts';

export interface AcceptFlags extends ExperimentFlags {
  readonly all?: boolean;
  /** Also where more than code and packages differs. */
  readonly anything?: boolean;
}

/**
 * `peco-exp accept FILE STAGE...`: declares that what changed since the nearest stored result doesn't matter to these
 * stages. Their keys then name that result; the entries say so, and which fields differ. Returns the exit code: 1 where it was
 * not done for a stage.
 */
export async function acceptCommand(
  file: string,
  stages: readonly string[],
  flags: AcceptFlags,
): Promise<number> {
  if (stages.length === 0 && !flags.all) {
    throw new PecoError('no stage is named', { code: 'usage', hint: 'name stages, or give --all' });
  }
  const prepared = await prepareExperiment(file, { ...flags, willRun: true }, warnOnStderr);
  const { plan } = prepared;
  const wanted = new Set(stages.flatMap((name) => findPlanned(plan, name)));
  const outcomes: Outcome[] = [];
  const entries = new Map<StageNode, Entry>();
  const losses = new Map<StageNode, Loss>();
  for (const planned of plan.stages) {
    const { node, entry } = planned;
    const fate = fateOf(node, {
      lossOf: (stage) => losses.get(stage),
      // Those of selections that were accepted before, too.
      rankingOf: (stage) => (entries.has(stage) ? readRanking(stage, entries.get(stage)!) : undefined),
    });
    if ('loss' in fate) {
      losses.set(node, fate.loss);
      if (wanted.has(planned)) outcomes.push(nothingToDo(node, 'dropped'));
    } else if (entry) {
      entries.set(node, entry);
      if (wanted.has(planned)) outcomes.push(nothingToDo(node, 'stored'));
    } else if (flags.all || wanted.has(planned)) {
      const accepted = await acceptOne(fate.node, entries, prepared, flags);
      outcomes.push(accepted.outcome);
      if (accepted.entry) entries.set(node, accepted.entry);
    }
  }
  printLines(flags.json ? [JSON.stringify({ stages: outcomes })] : outcomes.flatMap(formatOutcome));
  return outcomes.some(({ outcome }) => outcome === 'refused' || outcome === 'impossible') ? 1 : 0;
}

/** What became of a stage; with `--json` it is printed as it is. */
interface Outcome {
  readonly stage: string;
  readonly outcome: 'accepted' | 'stored' | 'dropped' | 'refused' | 'impossible';
  readonly message: string;
  /** The result that it is from now on. */
  readonly from?: ContentKey;
  readonly differences: readonly Difference[];
}

function formatOutcome({ stage, message, differences }: Outcome): string[] {
  return [`${stage}  ${message}`, ...formatDifferences(differences)];
}

function nothingToDo({ id }: StageNode, outcome: 'stored' | 'dropped'): Outcome {
  return { stage: id, outcome, message: `is ${outcome}: nothing to accept`, differences: [] };
}

async function acceptOne(
  node: StageNode,
  entries: ReadonlyMap<StageNode, Entry>,
  { store, project }: Prepared,
  flags: AcceptFlags,
): Promise<{ readonly outcome: Outcome; readonly entry?: Entry }> {
  const impossible = (message: string) => ({
    outcome: { stage: node.id, outcome: 'impossible', message, differences: [] } as const,
  });
  const missing = upstreamStages(node).find((one) => !entries.has(one));
  if (missing) return impossible(`can't be accepted: ${missing.id}, which it needs, has no result`);
  const located = await locateStage(node, (one) => entries.get(one)!, {
    store,
    root: project.root,
  });
  if (located.entry) return { outcome: nothingToDo(node, 'stored'), entry: located.entry };
  const nearest = await findNearest(located, located, store);
  if (!nearest) return impossible('nothing of its kind is stored: it has to run');
  const meant = nearest.differences.filter(({ type }) => type !== 'code' && type !== 'package');
  if (meant.length > 0 && !flags.anything) {
    const message =
      "is not accepted: it would pass for what it isn't, since these differ (--anything accepts that too)";
    return { outcome: { stage: node.id, outcome: 'refused', message, differences: meant } };
  }
  const entry = await acceptStage(located, nearest, store);
  const { key, differences } = nearest;
  const message = `accepted: its result is ${key.slice(0, 12)} from now on, although these differ`;
  return { outcome: { stage: node.id, outcome: 'accepted', message, from: key, differences }, entry };
}
