import type { Estimate } from '../../plan/estimate.ts';
import { withoutSeed } from '../../plan/named.ts';
import type { Plan, PlannedStage } from '../../plan/plan.ts';
import type { EngineSpeed } from '../../plan/rates.ts';
import type { Roots } from '../../plan/roots.ts';
import type { StageNode } from '../../plan/types.ts';
import { upstreamStages } from '../../plan/walk.ts';
import { formatResumePoint, type ResumePoint } from '../../run/worker/resume.ts';
import { formatError, type PecoError } from '../../stage/errors.ts';
import { formatCosts, formatTooLarge } from './costs.ts';
import { foldNames } from './fold.ts';
import { count, formatLong } from './format.ts';
import { type Look, type Paint, paint, plainLook } from './look.ts';
import { formatStatuses } from './text.ts';
import { wrapWords } from './width.ts';

/** What `peco-exp plan` shows. */
export interface PlanView {
  readonly plan: Plan;
  readonly estimate: Estimate;
  readonly jobs: number;
  /** Stages that have a checkpoint, and where they resume. */
  readonly resumes?: ReadonlyMap<StageNode, ResumePoint>;
  readonly missing?: readonly PecoError[];
  /** Which stages run because of which. */
  readonly rootOf?: Roots['rootOf'];
  /** Why the roots run, in a few words. */
  readonly causes?: ReadonlyMap<StageNode, string>;
  /** A line for each stored stage, too. */
  readonly verbose?: boolean;
  /** What was measured of the engine, if times rest on that. */
  readonly measured?: { readonly engine: string; readonly threads: number; readonly speed: EngineSpeed };
  /** Bytes that stages may take here together. */
  readonly memory?: number;
  readonly look?: Look;
}

const mostNeedsShown = 3;
/** Seconds beyond which no one waits for a machine: two weeks. */
const tooLong = 14 * 24 * 3600;

/**
 * What is stored, folded; then a line a stage, in an order in which they could run: status, id, why, how long, and what it
 * needs; then what the stages compute, how long it all takes, and what is missing.
 */
export function formatPlan(view: PlanView): string[] {
  const { plan, estimate, missing = [], look = plainLook } = view;
  const { columns = Number.POSITIVE_INFINITY } = look;
  return [
    formatStatuses(plan.graph.experiment, plan.stages),
    ...formatStored(view, columns),
    ...formatStages(view, columns),
    ...formatCosts(estimate, columns),
    ...formatTotal(view),
    ...formatTooLarge(estimate, view.memory),
    ...formatMissing(missing),
  ];
}

/** `stored  tokenizer/* (4), evaluation/* (4)`: those that do the same in one. */
function formatStored({ plan, verbose, look = plainLook }: PlanView, columns: number): string[] {
  const nodes = verbose ? [] : plan.stages.filter(({ status }) => status === 'hit').map(({ node }) => node);
  if (nodes.length === 0) return [];
  const word = '  stored  ';
  const [first, ...others] = wrapWords(
    `${word}${foldNames(nodes).join(', ')}`,
    columns,
    ' '.repeat(word.length),
  );
  return [`  ${paint('stored', colours.hit, look)}${first!.slice(word.length - 2)}`, ...others];
}

const colours: { readonly [status in PlannedStage['status']]: Paint } = {
  hit: 'green',
  run: 'yellow',
  maybe: 'cyan',
  unknown: 'red',
  dropped: 'dim',
};

function formatStages(view: PlanView, columns: number): string[] {
  const { plan, look = plainLook, verbose = false } = view;
  const stages = plan.stages.filter(({ status }) => verbose || status !== 'hit');
  const rows = stages.map((stage) => cellsOf(stage, view));
  const needs = stages.map(({ node }) => upstreamStages(node).map((upstream) => upstream.id));
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...rows.map((row) => row[column]!.length)));
  const [status, id, reason, time] = fitColumns(widths, columns - 2);
  return rows.map((row, index) => {
    const cells = [
      row[0].padEnd(status),
      shorten(row[1], id).padEnd(id),
      shorten(row[2], reason).padEnd(reason),
      row[3].padEnd(time),
    ].filter((_, column) => widths[column]! > 0);
    const line = `  ${cells.join('  ')}`;
    const whole = `${line}${formatNeeds(needs[index]!, columns - line.length)}`.trimEnd();
    const word = stages[index]!.status;
    return `  ${paint(word, colours[word], look)}${whole.slice(2 + word.length)}`;
  });
}

type Cells = readonly [status: string, id: string, reason: string, time: string];
type Widths = readonly [status: number, id: number, reason: number, time: number];

function cellsOf(stage: PlannedStage, view: PlanView): Cells {
  const { status, node } = stage;
  const saved = view.resumes?.get(node);
  const seconds = view.estimate.stages.get(node);
  return [
    status,
    node.id,
    saved ? `resumes at ${formatResumePoint(saved)}` : reasonOf(stage, view),
    seconds === undefined ? '' : `~${formatLong(seconds)}`,
  ];
}

/** Of a stage that runs because of another one that one's name, however far up it is. */
function reasonOf({ node, pending, reason }: PlannedStage, { rootOf, causes }: PlanView): string {
  const [root] = rootOf?.get(node)?.stages ?? [];
  if (root && pending && root.node !== node) return `because of ${withoutSeed(root.node.id)}`;
  return (root && causes?.get(root.node)) ?? reason;
}

/** Reasons, then ids, are cut where a line would be longer than the terminal. */
function fitColumns([status = 0, id = 0, reason = 0, time = 0]: readonly number[], columns: number): Widths {
  const gaps = 2 * ([status, id, reason, time].filter((width) => width > 0).length - 1);
  const over = status + id + reason + time + gaps - columns;
  if (over <= 0) return [status, id, reason, time];
  const lessReason = Math.min(over, Math.max(0, reason - shortestReason));
  const lessId = Math.min(over - lessReason, Math.max(0, id - shortestId));
  return [status, id - lessId, reason - lessReason, time];
}

const shortestReason = 16;
const shortestId = 24;

/** The end of an id says more than its middle; other texts lose their end. */
function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  const tail = /\/[^/ ]+$/.exec(text)?.[0] ?? '';
  const keep = tail.length < width / 2 ? tail : '';
  return `${text.slice(0, width - keep.length - 1)}…${keep}`;
}

/** As much as there is room for. */
function formatNeeds(ids: readonly string[], room: number): string {
  if (ids.length === 0) return '';
  const some = `  <- ${count(ids.length, 'stage')}`;
  const all = `  <- ${ids.join(', ')}`;
  if (ids.length <= mostNeedsShown && all.length <= room) return all;
  return some.length <= room ? some : '';
}

/** How long it all takes, what that rests on, and whether it is worth beginning. */
function formatTotal({ estimate, jobs, measured }: PlanView): string[] {
  const { stages, costs, seconds, unknown, bases } = estimate;
  if (stages.size === 0) return [];
  if (unknown === stages.size) {
    const isCounted = [...costs.values()].some(({ flops, images }) => flops && images === undefined);
    const why = isCounted ? 'how many images there are is not known' : 'no such stage has run here yet';
    return [`no time can be estimated: ${why}`];
  }
  const rest = unknown === 0 ? '' : `, and ${count(unknown, 'stage')} of unknown duration`;
  const total = `about ${formatLong(seconds)} with ${count(jobs, 'job')}`;
  const like = bases.has('stages') ? ', going by earlier stages' : '';
  const speed = bases.has('engine') && measured ? [`  ${describeSpeed(measured)}`] : [];
  return [`${total}${like}${rest}`, ...speed, ...(seconds > tooLong ? advice : [])];
}

const advice = [
  '  more than two weeks on this machine: see docs/08-engines.md on GPUs',
  '  --smoke tries all of it in minutes',
];

function describeSpeed({ engine, threads, speed }: NonNullable<PlanView['measured']>): string {
  const best = (kind: keyof EngineSpeed) => (speed[kind].at(-1)?.perSecond ?? 0) / 1e9;
  const [dense, conv] = [best('dense'), best('conv')].map((rate) => rate.toPrecision(2));
  return `${engine}, ${count(threads, 'thread')}: ${dense} GFLOP/s here in products, ${conv} in convolutions`;
}

/** What has to be there before it can run, with what to do about it. */
function formatMissing(missing: readonly PecoError[]): string[] {
  if (missing.length === 0) return [];
  const lines = missing.flatMap((problem) => formatError(problem).split('\n'));
  return ['missing, so that it can not run yet:', ...lines.map((line) => `  ${line}`)];
}
