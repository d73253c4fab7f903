import { execFile } from 'node:child_process';
import { hasCode } from '../files/files.ts';
import { PecoError } from '../stage/errors.ts';

/** Slurm's own programs: the only way to it that every cluster has. */
export type Tool = 'sbatch' | 'squeue' | 'scancel' | 'scontrol' | 'sinfo' | 'sacct' | 'sacctmgr';

/** Milliseconds. A controller under load answers late; longer than this, it isn't there. */
const patience = 120_000;
const mostOutput = 256 << 20; // bytes
const foreign = /^(SBATCH|SQUEUE|SINFO|SACCT|SCANCEL)_|^SLURM_(?!CONF$|TIME_FORMAT$|CLUSTERS$)/;

/**
 * What a program of Slurm prints.
 *
 * @throws PecoError `slurm` with what it said, or that it isn't there
 */
export function ask(tool: Tool, args: readonly string[]): Promise<string> {
  // Formats that the user chose for the terminal are not for us. What a job around us was given is not for jobs of ours.
  const env: NodeJS.ProcessEnv = { ...process.env, SLURM_TIME_FORMAT: 'standard' };
  for (const name of Object.keys(env)) if (foreign.test(name)) delete env[name];
  return new Promise((resolve, reject) => {
    const options = { env, timeout: patience, maxBuffer: mostOutput };
    execFile(tool, args, options, (error, stdout, stderr) => {
      if (error) reject(explain(tool, error, stderr));
      else resolve(stdout);
    });
  });
}

function explain(tool: Tool, error: Error & { readonly killed?: boolean }, stderr: string): PecoError {
  if (hasCode(error, 'ENOENT'))
    return new PecoError(`there is no Slurm here: ${tool} was not found`, {
      code: 'slurm',
      hint: 'run this where sbatch works (a login node), or choose --executor local',
    });
  const said = stderr.trim() || (error.killed ? `no answer in ${patience / 1000} s` : error.message);
  return new PecoError(`${tool}: ${said.split('\n').join('; ')}`, { code: 'slurm', cause: error });
}
