import { findExperiment } from '../../experiment/read.ts';
import { mayRun } from '../../plan/types.ts';
import { findProject, type ProjectFlags } from '../../settings/project.ts';
import { Records } from '../../slurm/records.ts';
import { cancelJobs, readStatus } from '../../slurm/status.ts';
import { openStore } from '../../store/store.ts';
import { type ExperimentFlags, prepareExperiment, warnOnStderr } from '../prepare.ts';
import { printLines } from '../print.ts';
import { formatCancelled, formatStatus } from '../text/slurm.ts';
import { formatStatuses } from '../text/text.ts';

/** `peco-exp status FILE`. Returns the exit code. */
export async function statusCommand(file: string, flags: ExperimentFlags): Promise<number> {
  const { plan, store } = await prepareExperiment(file, flags, warnOnStderr);
  const keys = await plan.inputKeys();
  const open = plan.stages.filter(mayRun).flatMap(({ node }) => {
    const key = keys.get(node);
    return key === undefined ? [] : [{ stage: node.id, key }];
  });
  const statuses = open.length === 0 ? new Map() : await readStatus(open, new Records(store.dir));
  if (flags.json) printLines([...statuses].map(([stage, status]) => JSON.stringify({ stage, ...status })));
  else {
    const stages = plan.stages.map(({ status }) => ({ status }));
    printLines([formatStatuses(plan.graph.experiment, stages), ...formatStatus(statuses)]);
  }
  return 0;
}

/** `peco-exp cancel FILE`. Returns the exit code. */
export async function cancelCommand(
  file: string,
  flags: ProjectFlags & { readonly json?: boolean },
): Promise<number> {
  const cwd = process.cwd();
  const { absolute } = findExperiment(file, cwd);
  const { store } = await findProject(absolute, { flags, env: process.env, cwd });
  const tasks = await cancelJobs(absolute, openStore(store));
  printLines(flags.json ? [JSON.stringify({ cancelled: tasks })] : formatCancelled(tasks));
  return 0;
}
