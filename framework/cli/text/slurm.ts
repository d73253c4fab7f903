import { commonName } from '../../slurm/script.ts';
import type { StageStatus } from '../../slurm/status.ts';
import type { SubmitResult } from '../../slurm/submit.ts';
import { formatError } from '../../stage/errors.ts';
import { count, formatPath, formatProgress } from './format.ts';
import { formatFailure } from './text.ts';

const mostJobs = 20;

/** Which jobs there are now, and how to come back to them. `folder` is where their scripts and logs are. */
export function formatSubmitted(
  { jobs, live, refused }: SubmitResult,
  folder: string,
  watches: boolean,
): string[] {
  const stages = jobs.reduce((sum, job) => sum + job.stages, 0);
  const there = live > 0 ? [`${count(live, 'stage')} already queued or running`] : [];
  const fresh =
    jobs.length > 0 ? [`submitted ${count(jobs.length, 'job')} with ${count(stages, 'stage')}`] : [];
  const shown = jobs
    .slice(0, mostJobs)
    .map(({ job, name, tasks }) => `  ${job}  ${name}  ${count(tasks, 'task')}`);
  const more = jobs.length > mostJobs ? [`  and ${jobs.length - mostJobs} more`] : [];
  const problem = refused
    ? [
        `${count(refused.stages, 'stage')} not submitted: ${formatError(refused.error)}`,
        '  what was submitted runs; run again to submit the rest',
      ]
    : [];
  return [
    ...there,
    ...fresh,
    ...shown,
    ...more,
    ...problem,
    `scripts and logs: ${folder}`,
    ...(watches
      ? []
      : [
          'peco-exp status FILE shows how far they are, run --watch stays with them, peco-exp cancel FILE ends them',
        ]),
  ];
}

/** What runs and what failed one by one, the rest in groups. */
export function formatStatus(statuses: ReadonlyMap<string, StageStatus>): string[] {
  const lines: string[] = [];
  const groups = new Map<string, string[]>();
  for (const [stage, status] of statuses) {
    const group = groupOf(status);
    if (group === undefined) lines.push(...formatOne(stage, status));
    else groups.set(group, [...(groups.get(group) ?? []), stage]);
  }
  const rest = [...groups].map(
    ([group, stages]) => `${commonName(stages)}  ${count(stages.length, 'stage')} ${group}`,
  );
  return [...lines, ...rest];
}

function groupOf(status: StageStatus): string | undefined {
  switch (status.state) {
    case 'not submitted':
      return 'not submitted';
    case 'skipped':
      return `skipped, because ${status.because} failed`;
    case 'waiting':
      return `waiting in job ${status.task.split('_')[0]} (${status.reason})`;
    default:
      return undefined;
  }
}

function formatOne(stage: string, status: StageStatus): string[] {
  if (status.state === 'running') {
    const { task, nodes, progress } = status;
    return [
      `${stage}  running in job ${task} on ${nodes}${progress ? ` · ${formatProgress(progress)}` : ''}`,
    ];
  }
  if (status.state !== 'failed') return [];
  const { failure, tail, log, task } = status;
  const lines = formatFailure({ type: 'stage-failed', stage, failure, tail }, false);
  return [...lines, `  job ${task}, log: ${formatPath(log)}`];
}

export function formatCancelled(tasks: readonly string[]): string[] {
  if (tasks.length === 0) return ['no job of this experiment is queued or running'];
  return [`cancelled ${count(tasks.length, 'task')}; what was saved is resumed by the next run`];
}
