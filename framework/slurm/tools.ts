import { hasCode } from '../files/files.ts';
import { outputOf } from '../files/programs.ts';
import { PecoError } from '../stage/errors.ts';

/** Slurm's own programs: the only way to it that every cluster has. */
export type Tool = 'sbatch' | 'squeue' | 'scancel' | 'scontrol' | 'sinfo' | 'sacct' | 'sacctmgr';

/** Milliseconds. A controller under load answers late; longer than this, it isn't there. */
const patience = 120_000;
const mostOutput = 256 << 20; // bytes
/** Where Slurm is, and who asks; all else that Slurm's programs read is a user's taste, or was given to a job around us. */
const kept = new Set(
  ['CONF', 'CONF_SERVER', 'CLUSTERS', 'JWT', 'SACK_KEY', 'SACK_SOCKET'].map((name) => `SLURM_${name}`),
);
const read = /^(SLURM|SLURMD|SBATCH|SALLOC|SQUEUE|SINFO|SACCT|SACCTMGR|SCANCEL|SCONTROL)_/;

/**
 * What a program of Slurm prints.
 *
 * @throws PecoError `slurm` with what it said, or that it isn't there
 */
export async function ask(tool: Tool, args: readonly string[]): Promise<string> {
  try {
    const env = environmentFor(process.env);
    return await outputOf(tool, args, { env, patience, most: mostOutput });
  } catch (error) {
    throw explain(tool, error as Error & { readonly stderr?: string });
  }
}

/**
 * Variables for programs of Slurm, and for jobs, which get them from sbatch. Formats that the user chose for the terminal are
 * not for us, and what a job around us was given is not for jobs of ours.
 */
export function environmentFor(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const left = Object.entries(own).filter(([name]) => kept.has(name) || !read.test(name));
  return Object.fromEntries([...left, ['SLURM_TIME_FORMAT', 'standard']]);
}

function explain(tool: Tool, error: Error & { readonly stderr?: string }): PecoError {
  if (hasCode(error, 'ENOENT'))
    return new PecoError(`there is no Slurm here: ${tool} was not found`, {
      code: 'slurm',
      hint: 'run this where sbatch works (a login node), or choose --executor local',
    });
  const late = hasCode(error, 'ABORT_ERR') ? `no answer in ${patience / 1000} s` : error.message;
  const said = error.stderr?.trim() || late;
  return new PecoError(`${tool}: ${said.split('\n').join('; ')}`, { code: 'slurm', cause: error });
}
