import { z } from 'zod';
import type { ConfigIssue } from './component.ts';
import { parseDuration } from './duration.ts';
import { suggest } from './issues.ts';
import { type Role, roles } from './roles.ts';

const word = z.string().regex(/^\S+$/, 'is one word, without spaces');
const duration = z.string().refine((text) => parseDuration(text) !== undefined, {
  error: 'is a time such as 30m or 12h, at most 500h',
});

// 0 is a word of Slurm's own: all that the node has.
const memory = z.string().regex(/^0*[1-9]\d*[KMGT]$/, 'is a number above 0 with a unit: 500M, 16G');

/** Options of sbatch that jobs of peco-exp depend on. */
const owned: readonly string[] = [
  ...['array', 'clusters', 'comment', 'dependency', 'job-name', 'kill-on-invalid-dep', 'no-requeue', 'nodes'],
  ...['ntasks', 'open-mode', 'output', 'parsable', 'requeue', 'signal', 'test-only', 'wait', 'wrap'],
];
/** Options that have a field: by the field they are compared with what the cluster has. */
const fieldOf: { readonly [option: string]: string } = {
  ...{ account: 'account', constraint: 'constraint', gres: 'gres', partition: 'partition', qos: 'qos' },
  ...{ 'cpus-per-task': 'cpus', mem: 'memory', time: 'time' },
};
const letters: { readonly [letter: string]: string } = {
  ...{ A: 'account', C: 'constraint', J: 'job-name', M: 'clusters', N: 'nodes', W: 'wait', a: 'array' },
  ...{ c: 'cpus-per-task', d: 'dependency', n: 'ntasks', o: 'output', p: 'partition', q: 'qos', t: 'time' },
};

const argument = z
  .string()
  .regex(/^(-[A-Za-z]\S*|--[a-z][\w-]*(=.*)?)$/, 'is one option with its value, on one line: --exclude=node7')
  .refine((text) => explainOwned(text) === undefined, {
    error: ({ input }) => explainOwned(String(input)) ?? '',
  });

function explainOwned(text: string): string | undefined {
  const [, long, short = ''] = /^(?:--([\w-]+)|-([A-Za-z]))/.exec(text) ?? [];
  const option = long ?? letters[short] ?? '';
  if (owned.includes(option)) return `--${option} is for peco-exp itself to say`;
  return Object.hasOwn(fieldOf, option)
    ? `--${option} has a field of its own: say it as \`${fieldOf[option]}\``
    : undefined;
}

const fields = {
  partition: word.optional(),
  account: word.optional(),
  qos: word.optional(),
  /** Longest time of one job: `30m`, `12h`. A training that needs longer resumes in the same job, requeued. */
  time: duration.optional(),
  /** Of one task, which is one process of peco-exp. */
  cpus: z.int().positive().optional(),
  /** Of the node, as Slurm takes it: `16G`. */
  memory: memory.optional(),
  /** The most that a job gets that took more than it had; default: what the largest node has. */
  memoryMax: memory.optional(),
  /** How many, or type and number: `2`, `a100:2`; 0 where one is said for others. */
  gpus: z
    .union([z.int().nonnegative(), z.string().regex(/^([\w.-]+:)?\d+$/, 'is a number, or type:number')])
    .optional(),
  gres: word.optional(),
  constraint: word.optional(),
  /** More arguments of sbatch, each with its value: `--exclude=node7`. */
  args: z.array(argument).optional(),
  /** Lines of bash that run before node: `module load cuda`. */
  setup: z.array(z.string()).optional(),
  /** So many stages share a job, or as many as are estimated to take a time together: `10`, `10m`. */
  pack: z.union([z.int().positive(), duration]).optional(),
};

const one = z.strictObject(fields);

/** What `slurm` says in the settings of a project or in an experiment. */
export const slurmSchema = z.strictObject({
  ...fields,
  /** Of node on the machines of the cluster; default: where it is here. */
  node: word.optional(),
  /** Tasks of the experiment that run at once; default: as many as Slurm lets. */
  jobs: z.int().positive().optional(),
  /** Tasks of a job array that run at once; default: as many as Slurm lets. */
  atOnce: z.int().positive().optional(),
  /** How long before its time limit a job is asked to save and stop; default 2m, or half of its time. */
  ahead: duration.optional(),
  /** By role (`tokenizer`) or by role and kind (`tokenizer/vqvae`): what they need instead. */
  stages: z.record(z.string(), one).optional(),
});

export type SlurmOptions = Readonly<z.output<typeof slurmSchema>>;
type Fields = Readonly<z.output<typeof one>>;

/** What one stage asks Slurm for. */
export interface SlurmResources extends Omit<Fields, 'args' | 'setup' | 'pack'> {
  readonly args: readonly string[];
  readonly setup: readonly string[];
  /** Stages that share a job: so many, or as many as take so long together. */
  readonly pack: number | { readonly seconds: number };
}

/** How long before its time limit a job saves where nothing is said, in seconds; of a short one half of its time. */
const usualAhead = 120;

/**
 * How long before its time limit a job is asked to save, in seconds. The last that says it wins.
 *
 * @param time of the job, as the settings have it
 */
export function aheadOf(options: readonly (SlurmOptions | undefined)[], time: string | undefined): number {
  const said = saidOf(options, 'ahead');
  if (said !== undefined) return parseDuration(said)!;
  return time === undefined ? usualAhead : Math.min(usualAhead, parseDuration(time)! / 2);
}

/** What is said for all jobs; the last that says it wins. */
export function saidOf<K extends keyof SlurmOptions>(
  options: readonly (SlurmOptions | undefined)[],
  field: K,
) {
  return options.findLast((one) => one?.[field] !== undefined)?.[field];
}

/** Names in `stages` that are no role. `path` is that of the options. */
export function checkSlurmStages(options: SlurmOptions | undefined, path: readonly string[]): ConfigIssue[] {
  return Object.keys(options?.stages ?? {}).flatMap((name) => {
    const role = name.split('/')[0]!;
    if (Object.hasOwn(roles, role)) return [];
    const hint = suggest(role, Object.keys(roles));
    return [
      { path: [...path, 'stages', name], message: 'no such role', ...(hint === undefined ? {} : { hint }) },
    ];
  });
}

/**
 * What a stage asks for. Said for its kind wins over said for its role, that over said for all, and of each what a later
 * one of `options` says; where none says, the stage's own hints count.
 *
 * @param hints cores, and MiB of memory
 */
export function slurmResourcesOf(
  { role, kind }: { readonly role: Role; readonly kind: string },
  options: readonly (SlurmOptions | undefined)[],
  hints: { readonly cores?: number; readonly memory?: number } = {},
): SlurmResources {
  const said = options.flatMap((each) => (each === undefined ? [] : [each]));
  const layers: Fields[] = [
    ...said.map(
      ({ node: _node, jobs: _jobs, atOnce: _atOnce, ahead: _ahead, stages: _stages, ...all }) => all,
    ),
    ...said.flatMap(({ stages }) => stages?.[role] ?? []),
    ...said.flatMap(({ stages }) => stages?.[`${role}/${kind}`] ?? []),
  ];
  const merged: Fields = Object.assign({}, ...layers.map(withoutUndefined));
  const { cores, memory: most } = hints;
  return {
    ...(cores === undefined ? {} : { cpus: Math.max(1, Math.floor(cores)) }),
    ...(most === undefined ? {} : { memory: `${Math.ceil(most) + ownMemory}M` }),
    ...merged,
    args: merged.args ?? [],
    setup: merged.setup ?? [],
    pack: packOf(merged, aheadOf(options, merged.time)),
  };
}

/** A pack by time is never meant to take longer than its job has before it must save. */
function packOf({ pack = 1, time }: Fields, ahead: number): SlurmResources['pack'] {
  if (typeof pack === 'number') return pack;
  const limit = time === undefined ? Number.POSITIVE_INFINITY : parseDuration(time)! - ahead;
  return { seconds: Math.max(0, Math.min(parseDuration(pack)!, limit)) };
}

/** MiB that the process takes that starts a stage's. */
const ownMemory = 512;

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;
}
