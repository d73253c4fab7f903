import type { SubmitResult } from '../../slurm/submit.ts';
import { formatError } from '../../stage/errors.ts';
import { count } from './format.ts';

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
    ...(watches ? [] : ['the same command with --watch stays with them']),
  ];
}
