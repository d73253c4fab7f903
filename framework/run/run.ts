import path from 'node:path';
import { explainMakeError } from '../files/make-folders.ts';
import { describeDrop } from '../plan/fate.ts';
import type { Plan } from '../plan/plan.ts';
import type { StageNode } from '../plan/types.ts';
import { isReport } from '../stage/roles.ts';
import { describeFailure } from './attempt.ts';
import { settleStages } from './driver.ts';
import type { RunOptions } from './options.ts';
import type { StageEnd } from './pages.ts';
import type { Emit, RunStatus, StageState } from './record/events.ts';
import { resultsFolderName } from './results-folder.ts';
import type { Task } from './tasks.ts';
import { writeTables } from './write-tables.ts';

export interface RunOutcome {
  readonly status: RunStatus;
  readonly counts: { readonly [state in StageState]: number };
  readonly seconds: number;
  /** Absolute paths of the results that were written, the report's first; empty without a report. */
  readonly files: readonly string[];
}

/** Brings every stage of a plan to its end, on this machine or on others. */
export type Settle = typeof settleStages;

/**
 * Runs the stages of a plan that have no result, as many at once as `jobs` says, and writes the report's results. A failed
 * stage stops only what depends on it; the report is then made with missing cells. Never throws for a stage's failure.
 */
export async function runExperiment(
  plan: Plan,
  options: RunOptions,
  emit: Emit,
  settle: Settle = settleStages,
): Promise<RunOutcome> {
  const started = performance.now();
  const tasks = await settle(plan, options, emit);
  const counts = countStates(tasks);
  const report = tasks.find((task) => isReport(task.node.component));
  let status = runStatus(counts, options.stop.aborted);
  let files: readonly string[] = [];
  if (report?.entry) {
    const { dir, outputs, provenance } = report.entry;
    const { root, results, version = null, source } = options;
    const made = options.run ?? provenance.run;
    const run = typeof made === 'string' ? made : null;
    try {
      const tables = { node: report.node, dir, outputs, timings: timingsOf(tasks), endOf: endsOf(tasks) };
      const onWarning = (message: string) => emit({ type: 'warning', message });
      const about = { root, version, ...source, run, onWarning };
      files = await writeTables(tables, { graph: plan.graph, results, ...about });
    } catch (error) {
      const folder = path.join(results, resultsFolderName(plan.graph.experiment, plan.graph.changes));
      const why = explainMakeError(error) ?? describeFailure(error).message;
      const message = `could not write the results to ${folder}: ${why}; choose another folder with --out`;
      emit({ type: 'warning', message });
      status = 'failed';
    }
  }
  return { status, counts, seconds: (performance.now() - started) / 1000, files };
}

function runStatus(counts: { readonly [state in StageState]: number }, stopped: boolean): RunStatus {
  // A run that stops at the first failure leaves stages open too: it has failed, unless the user stopped it as well.
  const open = counts.interrupted + counts.unstarted > 0;
  if (open && (stopped || counts.failed === 0)) return 'interrupted';
  return counts.failed > 0 ? 'failed' : 'done';
}

function countStates(tasks: readonly Task[]): { readonly [state in StageState]: number } {
  const counts = {
    hit: 0,
    ran: 0,
    shared: 0,
    failed: 0,
    skipped: 0,
    dropped: 0,
    interrupted: 0,
    unstarted: 0,
  };
  for (const task of tasks) counts[task.state] += 1;
  return counts;
}

function timingsOf(tasks: readonly Task[]) {
  return tasks.flatMap(({ node, entry, state }) => {
    if (!entry) return [];
    const { id, component, seed } = node;
    return [{ stage: id, kind: component.kind, seed, provenance: entry.provenance, reused: state !== 'ran' }];
  });
}

/** How each stage ended, for the pages of the report. */
function endsOf(tasks: readonly Task[]): (stage: StageNode) => StageEnd {
  const byNode = new Map(tasks.map((task) => [task.planned.node, task]));
  return (stage) => {
    const { entry, loss, state } = byNode.get(stage)!;
    if (entry) return { entry };
    if (loss?.drop) return { missing: describeDrop(loss.drop), dropped: true };
    return { missing: state === 'failed' ? 'failed' : `${loss?.at.id} failed` };
  };
}
