import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { bundleImplementation } from '../code/code.ts';
import { describeDrop } from '../plan/fate.ts';
import { locateStage } from '../plan/locate.ts';
import type { Plan, PlannedStage } from '../plan/plan.ts';
import { withoutCells } from '../plan/table.ts';
import type { StageNode } from '../plan/types.ts';
import { upstreamStages } from '../plan/walk.ts';
import { PecoError } from '../stage/errors.ts';
import type { JsonObject } from '../stage/json.ts';
import { isReport } from '../stage/roles.ts';
import type { MissingCell } from '../stage/table.ts';
import type { Entry, Store } from '../store/types.ts';
import type { Executor, StageJob } from './executors/executor.ts';
import { describeJob } from './job.ts';
import type { StageEnd } from './pages.ts';

/** A report that was made of what is stored. */
export interface RebuiltReport {
  /** The report stage with the cells that are stored. */
  readonly node: StageNode;
  /** Folder of its outputs: of the store, or a temporary one that lives as long as the callback. */
  readonly dir: string;
  readonly outputs: readonly { readonly path: string }[];
  /** Where it is stored: how it was made. */
  readonly provenance?: JsonObject;
}

export interface RebuildOptions {
  readonly store: Store;
  /** Folder of the project: code is named relative to it. */
  readonly root: string;
  readonly executor: Executor;
  readonly stop: AbortSignal;
  readonly kill: AbortSignal;
  onWarning(message: string): void;
}

/**
 * Makes the report of a plan from what is stored, and hands it to `use`. No other stage runs, and the store stays as it
 * is: a report that isn't stored is made in a temporary folder, which is deleted after `use`.
 *
 * @throws PecoError `no-report` for an experiment without one, `not-stored` where no cell is stored, `report-failed` with
 *   what the report's own code says
 */
export async function rebuildReport<T>(
  plan: Plan,
  options: RebuildOptions,
  use: (report: RebuiltReport) => Promise<T>,
): Promise<T> {
  const node = withStoredCells(plan);
  const entries = new Map(plan.stages.flatMap(({ node: one, entry }) => (entry ? [[one, entry]] : [])));
  const entryOf = (stage: StageNode): Entry => entries.get(stage)!;
  const { entry } = await locateStage(node, entryOf, options);
  if (entry) {
    const { dir, outputs, provenance } = entry;
    return use({ node, dir, outputs, provenance });
  }
  const aside = await fs.mkdtemp(path.join(os.tmpdir(), 'peco-exp-report-'));
  try {
    const outDir = path.join(aside, 'out');
    const workDir = path.join(aside, 'work');
    for (const dir of [outDir, workDir]) await fs.mkdir(dir);
    const bundle = (url: string) => bundleImplementation(url, options);
    const { job } = await describeJob(node, entryOf, bundle);
    await execute({ ...job, outDir, workDir, engine: { name: 'none', threads: 1 } }, options);
    return await use({ node, dir: outDir, outputs: await filesIn(outDir) });
  } finally {
    await fs.rm(aside, { recursive: true, force: true });
  }
}

/** The report stage of a plan without the cells that have no result; it names them as missing, with the reason. */
function withStoredCells(plan: Plan): StageNode {
  const report = plan.stages.find(({ node }) => isReport(node.component))?.node;
  if (!report) {
    throw new PecoError(`${plan.graph.experiment} declares no report`, {
      code: 'no-report',
      hint: 'give the experiment `report: ablationTable()`',
    });
  }
  const planned = new Map(plan.stages.map((one) => [one.node, one]));
  const reasons = new Map(
    Object.entries(report.inputs).flatMap(([name, edge]) => {
      const reason = edge.type === 'stage' ? missingReason(planned.get(edge.stage)!, planned) : undefined;
      return reason ? [[name, reason]] : [];
    }),
  );
  if (reasons.size === 0) return report;
  const node = withoutCells(report, (input) => reasons.get(input));
  if (Object.keys(node.inputs).length > 0) return node;
  const [first] = reasons.values();
  throw new PecoError(`no cell of ${plan.graph.experiment}'s table is stored: ${first!.reason}`, {
    code: 'not-stored',
    hint: '`peco-exp run` with the same file and flags makes them',
  });
}

/** How the stages of a plan ended, as far as is stored. */
export function endsOf(plan: Plan): (stage: StageNode) => StageEnd {
  const planned = new Map(plan.stages.map((one) => [one.node, one]));
  return (stage) => {
    const one = planned.get(stage)!;
    if (one.entry) return { entry: one.entry };
    const { reason, dropped } = missingReason(one, planned)!;
    return { missing: reason, ...(dropped ? { dropped } : {}) };
  };
}

/** Why a stage has no result: the first one on the way to it that has none. */
function missingReason(
  cell: PlannedStage,
  planned: ReadonlyMap<StageNode, PlannedStage>,
): Pick<MissingCell, 'reason' | 'dropped'> | undefined {
  if (cell.entry) return undefined;
  if (cell.drop) return { reason: describeDrop(cell.drop), dropped: true };
  const { node, status, reason } = firstMissing(cell, planned);
  return { reason: status === 'unknown' ? `${node.id}: ${reason}` : `${node.id} has no stored result` };
}

function firstMissing(stage: PlannedStage, planned: ReadonlyMap<StageNode, PlannedStage>): PlannedStage {
  for (const upstream of upstreamStages(stage.node)) {
    const one = planned.get(upstream);
    if (one && !one.entry) return firstMissing(one, planned);
  }
  return stage;
}

async function execute(job: StageJob, { executor, stop, kill, onWarning }: RebuildOptions): Promise<void> {
  const result = await executor(job, { stop, kill, onWarning, onProgress: () => {}, onOutput: () => {} });
  if (result.type === 'done') return;
  if (result.type === 'interrupted') throw new PecoError('interrupted', { code: 'interrupted' });
  const { message, hint, location } = result.failure;
  throw new PecoError(`${job.stage} failed: ${message}`, {
    code: 'report-failed',
    ...(hint === undefined ? {} : { hint }),
    ...(location ? { location } : {}),
  });
}

/** Files of a folder, however deep, by names relative to it. */
async function filesIn(dir: string): Promise<{ readonly path: string }[]> {
  const found = await fs.readdir(dir, { recursive: true, withFileTypes: true });
  const names = found.flatMap((item) =>
    item.isFile()
      ? [path.relative(dir, path.join(item.parentPath, item.name)).split(path.sep).join('/')]
      : [],
  );
  return names.sort().map((name) => ({ path: name }));
}
