import { execFile } from 'node:child_process';
import { formatDuration, parseDuration } from '../stage/duration.ts';
import { PecoError } from '../stage/errors.ts';
import type { SlurmResources } from '../stage/slurm.ts';
import type { Wanted } from './cluster.ts';

/**
 * Lets bash read the set-up lines of jobs without running them: what is left open in them would swallow the rest of a
 * script.
 *
 * @throws PecoError `slurm` with a problem for each
 */
export async function checkSetup(wanted: readonly Wanted[]): Promise<void> {
  const stages = new Map<string, string>();
  for (const { resources, stage } of wanted) {
    const text = resources.setup.map((line) => `${line}\n`).join('');
    if (text !== '' && !stages.has(text)) stages.set(text, stage);
  }
  const problems: PecoError[] = [];
  for (const [text, stage] of stages) {
    const said = await readByBash(text);
    if (said !== '') problems.push(new PecoError(`setup: ${said} (${stage})`, { code: 'slurm' }));
  }
  if (problems.length === 0) return;
  throw new PecoError('bash can not read the lines of `setup`', { code: 'slurm', problems });
}

/**
 * A job that is asked to save as soon as it begins comes no further.
 *
 * @param aheadOf seconds before its limit at which a job is asked
 * @throws PecoError `slurm`
 */
export function checkTimes(wanted: readonly Wanted[], aheadOf: (resources: SlurmResources) => number): void {
  for (const { resources, stage } of wanted) {
    const seconds = resources.time === undefined ? undefined : parseDuration(resources.time);
    const ahead = aheadOf(resources);
    if (seconds === undefined || ahead < seconds) continue;
    throw new PecoError(
      `ahead: a job of ${resources.time} can not be asked to save ${formatDuration(ahead)} before its end (${stage})`,
      { code: 'slurm', hint: 'give it more `time`, or a shorter `ahead` in the settings of slurm' },
    );
  }
}

/** What bash says against some lines; nothing where there is no bash here. */
function readByBash(text: string): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(
      'bash',
      ['-n'],
      { env: { ...process.env, LC_ALL: 'C' } },
      (_error, _stdout, stderr) => resolve(stderr.trim().split('\n').join('; ').replaceAll('bash: ', '')),
    );
    child.stdin?.on('error', () => {}); // without bash
    child.stdin?.end(text);
  });
}
