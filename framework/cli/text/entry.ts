import { acceptedOf } from '../../plan/accept.ts';
import { formatElapsed } from '../../stage/duration.ts';
import type { Json, JsonObject } from '../../stage/json.ts';
import { printable } from '../../stage/text.ts';
import type { StoredEntry } from '../../store/inventory.ts';
import { alignColumns } from './columns.ts';
import { count, formatAge, formatBytes, formatPercent, formatTime } from './format.ts';
import { formatGitTree } from './git.ts';
import type { ShowOptions } from './show.ts';
import { formatDifferences } from './why.ts';

const longestValue = 80;

/** All about one entry. */
export function formatEntry(
  about: {
    readonly entry: StoredEntry;
    readonly metrics: { readonly [name: string]: number };
    /** Code files; undefined if their list is gone. */
    readonly files: readonly string[] | undefined;
    /** Its folder, as people see it. */
    readonly shown: string;
  },
  options: ShowOptions,
): string[] {
  const { entry, metrics, files, shown } = about;
  const { key, kind, outputs, provenance, fingerprint } = entry;
  const { peakMemory, waiting } = provenance;
  const config = asObject(provenance.config) ?? fingerprint?.config ?? {};
  const inputs = Object.entries(fingerprint?.inputs ?? {}).map(
    ([name, input]) => `${name}: ${kindOf(input)}`,
  );
  const packages = Object.entries(asObject(provenance.packages) ?? {});
  const code = [
    ...(files === undefined ? [] : [count(files.length, 'file')]),
    ...(packages.length > 0 ? [count(packages.length, 'package')] : []),
  ].join(', ');
  const codeLines = options.verbose
    ? [...(files ?? []), ...packages.map(([name, version]) => `${name} ${String(version)}`)]
    : [];
  return [
    `${kind}  ${key}`,
    ...section('made', formatMaking(provenance, options)),
    ...section('accepted', formatAccepted(provenance, options.now)),
    ...section('seed', fingerprint === undefined ? [] : [String(fingerprint.seed)]),
    ...section('config', flatten(config)),
    ...section('inputs', inputs),
    ...section('code', code === '' ? [] : [code, ...codeLines]),
    ...section('engine', formatEngine(provenance)),
    ...section('memory', typeof peakMemory === 'number' ? [`${peakMemory} MiB at most`] : []),
    ...section(
      'data',
      typeof waiting === 'number' ? [`waited for it ${formatPercent(waiting)} of the time`] : [],
    ),
    ...section('host', formatHost(provenance)),
    ...section(
      'metrics',
      Object.entries(metrics).map(([name, value]) => `${printable(name)} = ${value}`),
    ),
    ...section('outputs', alignColumns(outputs.map(({ path, size }) => [path, formatBytes(size)]))),
    ...section('folder', [shown]),
  ];
}

function formatMaking(provenance: JsonObject, { now, verbose }: ShowOptions): string[] {
  const { started, seconds, attempts, stage, run, git, version } = provenance;
  const lines: string[] = [];
  if (typeof started === 'string') {
    const took = typeof seconds === 'number' ? `, in ${formatElapsed(seconds)}` : '';
    const tries = typeof attempts === 'number' && attempts > 1 ? `, ${attempts} attempts` : '';
    lines.push(`${formatTime(started)} (${formatAge(now - Date.parse(started))})${took}${tries}`);
  }
  if (typeof stage === 'string') lines.push(`as ${stage}${typeof run === 'string' ? ` by run ${run}` : ''}`);
  lines.push(...formatJob(provenance.slurm));
  const [tree, ...notInIt] = formatGitTree(git, { verbose });
  const by = [...(typeof version === 'string' ? [`peco-exp ${version}`] : []), ...(tree ? [tree] : [])];
  const smoke = provenance.smoke === true ? ['by a smoke run: the numbers mean nothing'] : [];
  return [...lines, ...smoke, ...(by.length > 0 ? [by.join(', ')] : []), ...notInIt];
}

/** `in job 12_3 of Slurm, on n1, partition main, cluster c`; nothing for what no job made. */
function formatJob(slurm: Json | undefined): string[] {
  const { task, node, partition, cluster } = asObject(slurm) ?? {};
  if (typeof task !== 'string') return [];
  const places = { on: node, partition, cluster };
  const where = Object.entries(places).flatMap(([word, name]) =>
    typeof name === 'string' ? [`${word} ${printable(name)}`] : [],
  );
  return [[`in job ${task} of Slurm`, ...where].join(', ')];
}

/** That another result was taken for this one, and although what. */
function formatAccepted(provenance: JsonObject, now: number): string[] {
  const accepted = acceptedOf(provenance);
  if (!accepted) return [];
  const { from, at, differences } = accepted;
  const head = `${formatTime(at)} (${formatAge(now - Date.parse(at))}), it is the result ${from.slice(0, 12)}`;
  if (differences.length === 0) return [head];
  const lines = formatDifferences(differences).map((line) => line.trimStart());
  return [`${head} although these differ`, ...lines];
}

function formatEngine({ engine, engines, engineDescription, threads }: JsonObject): string[] {
  const moved = Array.isArray(engines) && engines.length > 1 ? [`steps by ${String(engine)}`] : [];
  if (typeof engineDescription === 'string') return [engineDescription, ...moved];
  return typeof engine === 'string'
    ? [`${engine}, ${threads === 1 ? '1 thread' : `${String(threads)} threads`}`]
    : [];
}

function formatHost(provenance: JsonObject): string[] {
  const host = asObject(provenance.host);
  if (!host) return [];
  const { os, arch, cpu, cores, memoryGiB, node } = host;
  return [
    `${String(os)} ${String(arch)}, ${String(cpu)}, ${String(cores)} cores, ${String(memoryGiB)} GiB, node ${String(node)}`,
  ];
}

/** A config by the paths that `--set` takes. */
function flatten(config: JsonObject, above: readonly string[] = []): string[] {
  return Object.entries(config).flatMap(([name, value]) => {
    const nested = asObject(value);
    if (nested && Object.keys(nested).length > 0) return flatten(nested, [...above, name]);
    const text = JSON.stringify(value);
    const short = text.length > longestValue ? `${text.slice(0, longestValue)}...` : text;
    return [`${[...above, name].join('.')} = ${short}`];
  });
}

function kindOf(input: Json): string {
  const kind = asObject(input)?.kind;
  return typeof kind === 'string' ? kind : 'unknown';
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `  ${(index === 0 ? title : '').padEnd(8)} ${line}`);
}

function asObject(value: Json | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}
