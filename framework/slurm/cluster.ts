import { parseDuration } from '../stage/duration.ts';
import { PecoError } from '../stage/errors.ts';
import { suggest } from '../stage/issues.ts';
import type { SlurmResources } from '../stage/slurm.ts';
import { markedFormat, markedRows } from './rows.ts';
import { ask } from './tools.ts';

/** Nodes of a partition that are alike. */
export interface NodeGroup {
  readonly partition: string;
  readonly isDefault: boolean;
  readonly up: boolean;
  /** Seconds; infinite if there is no limit. */
  readonly limit: number;
  readonly cpus: number;
  /** MiB */
  readonly memory: number;
  /** By type, and `gpu` for all types together. */
  readonly gres: ReadonlyMap<string, number>;
  readonly features: readonly string[];
}

export interface Cluster {
  readonly groups: readonly NodeGroup[];
  /** Indices of an array are below it; 0: there are no arrays. */
  readonly maxArraySize: number;
  /** It looks now and then at what jobs take, and ends whole jobs that take too much memory. */
  readonly samplesMemory: boolean;
}

/** What the cluster has, and how large arrays may be. @throws PecoError `slurm` */
export async function readCluster(): Promise<Cluster> {
  const [nodes, config] = await Promise.all([
    ask('sinfo', ['--exact', markedFormat('%P|%a|%l|%c|%m|%G|%f')]),
    ask('scontrol', ['show', 'config']),
  ]);
  return {
    groups: parseNodes(nodes),
    maxArraySize: parseMaxArraySize(config),
    samplesMemory: /^JobAcctGatherParams\s*=.*OverMemoryKill/im.test(config),
  };
}

export function parseNodes(text: string): NodeGroup[] {
  return markedRows('sinfo', text).map((row) => {
    const [partition = '', up, limit = '', cpus, memory, gres = '', features = ''] = row;
    return {
      partition: partition.replace(/\*$/, ''),
      isDefault: partition.endsWith('*'),
      up: up === 'up',
      limit: parseLimit(limit),
      cpus: Number.parseInt(cpus ?? '', 10),
      memory: Number.parseInt(memory ?? '', 10),
      gres: parseGres(gres),
      features: features === '(null)' ? [] : features.split(','),
    };
  });
}

/** `1-02:03:04`, `02:03:04`, `03:04` or `infinite` -> seconds. */
function parseLimit(text: string): number {
  const match = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)$/.exec(text);
  if (!match) return Number.POSITIVE_INFINITY;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}

/** `gpu:a100:4(S:0-1),shard:8` */
function parseGres(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  // Behind each may stand, in parentheses, to which sockets it belongs.
  for (const [, name, type, many] of text
    .replaceAll(/\([^)]*\)/g, '')
    .matchAll(/([\w-]+)(?::([\w.-]*[A-Za-z_][\w.-]*))?:(\d+)/g)) {
    const add = (key: string) => found.set(key, (found.get(key) ?? 0) + Number(many));
    add(name!);
    if (type !== undefined) add(`${name}:${type}`);
  }
  return found;
}

function parseMaxArraySize(config: string): number {
  const found = /^MaxArraySize\s*=\s*(\d+)/m.exec(config)?.[1];
  return found === undefined ? 1001 : Number(found);
}

/** Resources, and which stages ask for them. */
export interface Wanted {
  readonly resources: SlurmResources;
  readonly stage: string;
}

/**
 * All that the cluster can't give, at once and before anything is submitted.
 *
 * @throws PecoError `slurm` with a problem for each
 */
export function checkWanted(wanted: readonly Wanted[], cluster: Cluster): void {
  if (cluster.maxArraySize < 1)
    throw new PecoError('this cluster has job arrays switched off (MaxArraySize is 0)', {
      code: 'slurm',
      hint: 'ask its administrators for them: every job of peco-exp is one',
    });
  const problems = new Map<string, PecoError>();
  for (const { resources, stage } of wanted) {
    const problem = explainMisfit(resources, cluster.groups);
    if (problem === undefined || problems.has(problem.message)) continue;
    const { message, hint } = problem;
    const options = { code: 'slurm', ...(hint === undefined ? {} : { hint }) };
    problems.set(message, new PecoError(`${message} (${stage})`, options));
  }
  if (problems.size === 0) return;
  throw new PecoError('the cluster does not have what `slurm` asks for', {
    code: 'slurm',
    problems: [...problems.values()],
  });
}

/** MiB of the largest node on which a job could run; 0 if there is none. */
export function mostMemory(wanted: SlurmResources, { groups }: Cluster): number {
  const asked = wanted.partition?.split(',');
  const there = groups.filter(
    ({ partition, isDefault, up }) => up && (asked === undefined ? isDefault : asked.includes(partition)),
  );
  const fitting = conditionsOf(wanted).reduce((left, { fits }) => left.filter(fits), there);
  return Math.max(0, ...fitting.map(({ memory }) => memory));
}

interface Misfit {
  readonly message: string;
  readonly hint?: string;
}

/** The first field that no node of the partition meets, together with those before it. */
function explainMisfit(wanted: SlurmResources, groups: readonly NodeGroup[]): Misfit | undefined {
  const { partition } = wanted;
  const names = [...new Set(groups.map((group) => group.partition))];
  // Several with commas: Slurm takes the first that has room.
  const asked = partition?.split(',') ?? [];
  const unknown = asked.find((name) => !names.includes(name));
  if (unknown !== undefined)
    return { message: `partition: there is no "${unknown}"`, ...hintOf(suggest(unknown, names)) };
  const there = groups.filter((group) =>
    partition === undefined ? group.isDefault : asked.includes(group.partition),
  );
  if (there.length === 0)
    return {
      message: 'partition: this cluster has no default one',
      ...hintOf(`name it: ${names.join(', ')}`),
    };
  const shown = there
    .map((group) => group.partition)
    .filter((name, at, all) => all.indexOf(name) === at)
    .join(', ');
  if (!there.some(({ up }) => up))
    return { message: `partition: ${shown} is down`, hint: `there are: ${names.join(', ')}` };
  let left = there.filter(({ up }) => up);
  for (const { field, value, fits, most } of conditionsOf(wanted)) {
    const fitting = left.filter(fits);
    if (fitting.length > 0) {
      left = fitting;
      continue;
    }
    return {
      message: `${field}: ${value} is more than any node of ${shown} has`,
      hint: `there: ${most(left)}`,
    };
  }
  return undefined;
}

interface Condition {
  readonly field: string;
  readonly value: string;
  fits(group: NodeGroup): boolean;
  most(groups: readonly NodeGroup[]): string;
}

function conditionsOf({ time, cpus, memory, gpus, gres, constraint }: SlurmResources): Condition[] {
  const conditions: Condition[] = [];
  const largest = (groups: readonly NodeGroup[], of: (group: NodeGroup) => number) =>
    Math.max(...groups.map(of));
  const add = (
    field: string,
    value: string | number | undefined,
    own: Omit<Condition, 'field' | 'value'>,
  ): void => {
    if (value !== undefined) conditions.push({ field, value: String(value), ...own });
  };
  const seconds = time === undefined ? 0 : parseDuration(time)!;
  add('time', time, {
    fits: ({ limit }) => seconds <= limit,
    most: (groups) => `${Math.floor(largest(groups, ({ limit }) => limit) / 60)}m`,
  });
  add('cpus', cpus, {
    fits: (group) => cpus! <= group.cpus,
    most: (groups) => String(largest(groups, (group) => group.cpus)),
  });
  const mebibytes = memory === undefined ? 0 : parseMemory(memory);
  add('memory', memory, {
    fits: (group) => mebibytes <= group.memory,
    most: (groups) => `${largest(groups, (group) => group.memory)}M`,
  });
  const [type, many] = String(gpus ?? '').includes(':') ? String(gpus).split(':') : [undefined, gpus];
  const name = type === undefined ? 'gpu' : `gpu:${type}`;
  add('gpus', gpus, {
    fits: (group) => Number(many) <= (group.gres.get(name) ?? 0),
    most: formatGres,
  });
  // Slurm takes more than counts, too; what isn't one is its own to judge.
  for (const one of gres?.split(',') ?? []) {
    const [, kind, , count = 1] = /^([a-z_]+(:[\w.-]*[A-Za-z_][\w.-]*)?)(?::(\d+))?$/.exec(one) ?? [];
    if (kind !== undefined)
      add('gres', one, {
        fits: (group) => Number(count) <= (group.gres.get(kind) ?? 0),
        most: formatGres,
      });
  }
  // Slurm has a language for these; single words are checked.
  if (constraint !== undefined && /^[\w-]+$/.test(constraint))
    add('constraint', constraint, {
      fits: (group) => group.features.includes(constraint),
      most: (groups) => [...new Set(groups.flatMap(({ features }) => features))].join(', ') || 'none',
    });
  return conditions;
}

/** `gpu:4, gpu:a100:4` */
function formatGres(groups: readonly NodeGroup[]): string {
  const all = groups.flatMap(({ gres }) => [...gres].map(([one, count]) => `${one}:${count}`));
  return [...new Set(all)].join(', ') || 'none';
}

/** `16G` -> MiB */
export function parseMemory(text: string): number {
  const units: { readonly [unit: string]: number } = { K: 1 / 1024, M: 1, G: 1024, T: 1024 ** 2 };
  return Number.parseInt(text, 10) * (units[text.at(-1)!] ?? 1);
}

function hintOf(hint: string | undefined): { readonly hint?: string } {
  return hint === undefined ? {} : { hint };
}
