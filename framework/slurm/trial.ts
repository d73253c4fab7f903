import os from 'node:os';
import { isPecoError, PecoError } from '../stage/errors.ts';
import type { SlurmResources } from '../stage/slurm.ts';
import { rowsOf } from './rows.ts';
import { commonName, resourceOptions } from './script.ts';
import { ask } from './tools.ts';

/** What some stages ask Slurm for. */
export interface Trial {
  readonly resources: SlurmResources;
  readonly stage: string;
}

/**
 * Asks Slurm of each kind of job whether it would take it, before any is submitted: it knows accounts, limits and rules of
 * a site that `sinfo` doesn't tell. What may be otherwise later is no reason to refuse: a full queue, nodes that are down.
 *
 * @throws PecoError `slurm` with a problem for each
 */
export async function tryJobs(wanted: readonly Trial[]): Promise<void> {
  const kinds = new Map<string, { readonly options: readonly string[]; readonly stages: string[] }>();
  for (const { resources, stage } of wanted) {
    const options = resourceOptions(resources);
    const kind = kinds.get(options.join(' ')) ?? { options, stages: [] };
    kind.stages.push(stage);
    kinds.set(options.join(' '), kind);
  }
  const asked = [...kinds.values()].map(async ({ options, stages }) => {
    const refusal = await whyRefused(options);
    return refusal === undefined ? [] : [`${refusal} (${commonName(stages)})`];
  });
  const refusals = (await Promise.all(asked)).flat();
  if (refusals.length === 0) return;
  const own = refusals.some((refusal) => /account|qos/i.test(refusal)) ? await ownAccounts() : '';
  throw new PecoError('Slurm would not take the jobs that `slurm` describes', {
    code: 'slurm',
    problems: refusals.map((message) => new PecoError(message, { code: 'slurm' })),
    ...(own === '' ? {} : { hint: `yours, by account and qos: ${own}` }),
  });
}

async function whyRefused(options: readonly string[]): Promise<string | undefined> {
  try {
    await ask('sbatch', ['--test-only', '--ntasks=1', '--output=/dev/null', ...options, '--wrap=exit']);
    return undefined;
  } catch (error) {
    if (!isPecoError(error)) throw error;
    return isLasting(error.message) ? error.message.replace('allocation failure: ', '') : undefined;
  }
}

/** Whether Slurm would refuse the same later, too. */
export function isLasting(refusal: string): boolean {
  if (isFull(refusal)) return false;
  return /invalid|not permitted|access denied|configuration is not available|accounting\/QOS policy/i.test(
    refusal,
  );
}

/** Whether Slurm refuses a job only because it has as many as it may have, of the user, the account or the cluster. */
export function isFull(refusal: string): boolean {
  return /Submit(Job)?[a-z]*Limit|MaxJobCount|temporarily|queue is full/i.test(refusal);
}

/** `vision: normal,short; small: normal`; empty where there is no accounting. */
async function ownAccounts(): Promise<string> {
  try {
    const user = os.userInfo().username;
    const question = ['--noheader', '--parsable2', 'show', 'assoc', `user=${user}`, 'format=Account,QOS'];
    const rows = rowsOf(await ask('sacctmgr', question), 2);
    return rows.map((row) => row.join(': ')).join('; ');
  } catch {
    return '';
  }
}

/**
 * How many jobs an account and a qos let wait and run at once, each task of an array counted; infinite where nothing says so.
 * No array may be longer.
 */
export async function readSubmitLimit(wanted: readonly SlurmResources[]): Promise<number> {
  try {
    const user = os.userInfo().username;
    const rows = async (...question: string[]) =>
      rowsOf(await ask('sacctmgr', ['--noheader', '--parsable2', 'show', ...question]), 4);
    const [accounts, classes] = await Promise.all([
      rows('assoc', `user=${user}`, 'format=Account,MaxSubmit,GrpSubmit,QOS'),
      rows('qos', 'format=Name,MaxSubmitPU,MaxSubmitPA,GrpSubmit'),
    ]);
    return submitLimit(wanted, accounts, classes);
  } catch {
    return Number.POSITIVE_INFINITY; // no accounting
  }
}

/** Lines of `sacctmgr`: account, limits, names of classes; class, limits. What is not said may be any of them. */
export function submitLimit(
  wanted: readonly Pick<SlurmResources, 'account' | 'qos'>[],
  accounts: readonly (readonly string[])[],
  classes: readonly (readonly string[])[],
): number {
  const limits = wanted.flatMap(({ account, qos }) => {
    const own = accounts.filter(([name]) => account === undefined || name === account);
    const allowed = new Set(qos === undefined ? own.flatMap((row) => row[3]?.split(',') ?? []) : [qos]);
    const some = classes.filter(([name]) => allowed.has(name ?? ''));
    return [...own.map((row) => row.slice(1, 3)), ...some.map((row) => row.slice(1))].flat();
  });
  return Math.min(...limits.flatMap((limit) => (Number(limit) > 0 ? [Number(limit)] : [])));
}
