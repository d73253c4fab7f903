import type { Estimate } from '../../plan/estimate.ts';
import type { Plan, PlannedStage } from '../../plan/plan.ts';
import type { EngineSpeed } from '../../plan/rates.ts';
import type { StageNode } from '../../plan/types.ts';
import { upstreamStages } from '../../plan/walk.ts';
import { formatResumePoint, type ResumePoint } from '../../run/worker/resume.ts';
import { formatError, type PecoError } from '../../stage/errors.ts';
import { formatCosts, formatTooLarge } from './costs.ts';
import { count, formatLong } from './format.ts';
import { formatStatuses } from './text.ts';

/** What `peco-exp plan` shows. */
export interface PlanView {
  readonly plan: Plan;
  readonly estimate: Estimate;
  readonly jobs: number;
  /** Stages that have a checkpoint, and where they resume. */
  readonly resumes?: ReadonlyMap<StageNode, ResumePoint>;
  readonly missing?: readonly PecoError[];
  /** What was measured of the engine, if times rest on that. */
  readonly measured?: { readonly engine: string; readonly threads: number; readonly speed: EngineSpeed };
  /** Bytes that stages may take here together. */
  readonly memory?: number;
  /** Width of the terminal; absent: lines are as long as they are. */
  readonly columns?: number;
}

const mostNeedsShown = 3;
/** Seconds beyond which no one waits for a machine: two weeks. */
const tooLong = 14 * 24 * 3600;

/**
 * A line a stage, in an order in which they could run: status, id, why, how long, and what it needs; then what the stages
 * compute, how long it all takes, and what is missing.
 */
export function formatPlan(view: PlanView): string[] {
  const { plan, estimate, missing = [], columns = Number.POSITIVE_INFINITY } = view;
  return [
    formatStatuses(plan.graph.experiment, plan.stages),
    ...formatStages(view, columns),
    ...formatCosts(estimate, columns),
    ...formatTotal(view),
    ...formatTooLarge(estimate, view.memory),
    ...formatMissing(missing),
  ];
}

function formatStages({ plan, estimate, resumes = new Map() }: PlanView, columns: number): string[] {
  const rows = plan.stages.map((stage) => cellsOf(stage, estimate, resumes.get(stage.node)));
  const needs = plan.stages.map(({ node }) => upstreamStages(node).map((upstream) => upstream.id));
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
    return `${line}${formatNeeds(needs[index]!, columns - line.length)}`.trimEnd();
  });
}

type Cells = readonly [status: string, id: string, reason: string, time: string];
type Widths = readonly [status: number, id: number, reason: number, time: number];

function cellsOf({ status, node, reason }: PlannedStage, estimate: Estimate, saved?: ResumePoint): Cells {
  const seconds = estimate.stages.get(node);
  return [
    status,
    node.id,
    saved ? `resumes at ${formatResumePoint(saved)}` : reason,
    seconds === undefined ? '' : `~${formatLong(seconds)}`,
  ];
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
