import type { RecordedRun, TimedEvent } from '../../run/records.ts';
import type { Json, JsonObject } from '../../stage/json.ts';
import { bytesOf, type Inventory, type StoredEntry } from '../../store/inventory.ts';
import { count, formatAge, formatBytes, formatDuration } from '../format.ts';
import { formatRunFinished } from './text.ts';

export interface ShowOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly verbose: boolean;
}

const mostRuns = 20;
const longestValue = 80;
const keyDigits = 12;

const words: { readonly [status in RecordedRun['status']]: string } = {
  done: 'done',
  failed: 'FAILED',
  interrupted: 'interrupted',
  running: 'running',
  lost: 'ended without a word (killed?)',
};

/** One line a run, the latest first. */
export function formatRuns(runs: readonly RecordedRun[], store: string, options: ShowOptions): string[] {
  if (runs.length === 0) return [`no run is recorded in ${store}`];
  const latest = runs.toReversed().slice(0, options.verbose ? runs.length : mostRuns);
  const rows = latest.map(({ record, status }) => [
    record.id,
    formatAge(options.now - Date.parse(record.started)),
    words[status],
    record.counts ? formatCounts(record.counts) : count(record.stages, 'stage'),
    record.seconds === undefined ? '' : formatDuration(record.seconds),
  ]);
  const more = runs.length - latest.length;
  return [
    `${count(runs.length, 'run')} recorded in ${store}`,
    ...formatColumns(rows),
    ...(more > 0 ? [`  and ${more} before (--verbose)`] : []),
  ];
}

/** What is stored, by kind; with `verbose` every entry. */
export function formatInventory(inventory: Inventory, store: string, options: ShowOptions): string[] {
  const { entries, damaged } = inventory;
  if (entries.length + damaged.length === 0) return [`no result is stored in ${store}`];
  const kinds = [...new Set(entries.map(({ kind }) => kind))].sort();
  const rows = kinds.map((kind) => {
    const those = entries.filter((entry) => entry.kind === kind);
    return [kind, String(those.length), formatBytes(bytesOf(those)), formatAges(those, options.now)];
  });
  return [
    `${count(entries.length, 'result')} stored in ${store}: ${formatBytes(bytesOf(entries))}, equal files counted once`,
    ...formatColumns(rows),
    ...(options.verbose ? formatEntries(entries, options.now) : []),
    ...(damaged.length > 0
      ? [`${count(damaged.length, 'result')} damaged: the next run that needs one makes it again`]
      : []),
  ];
}

/** What a run was, before its events are told. */
export function formatRunHead({ record }: RecordedRun): string[] {
  const { id, command, started, version, node, git } = record;
  return [
    `run ${id}, begun ${formatTime(started)}`,
    `  peco-exp ${command.join(' ')}`,
    `  peco-exp ${version}, node ${node}${git === null ? '' : `, git ${formatGit(git)}`}`,
  ];
}

export function formatRunEnd(run: RecordedRun, events: readonly TimedEvent[]): string[] {
  const end = events.findLast((event) => event.type === 'run-finished');
  if (end?.type === 'run-finished') return formatRunFinished(end, (file) => file);
  const last = events.at(-1);
  if (run.status === 'running') return ['still running'];
  const when = last === undefined ? '' : `; the last that it told was at ${formatTime(last.time)}`;
  return [`${words.lost}${when}`];
}

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
    ...section('made', formatMaking(provenance, options.now)),
    ...section('seed', fingerprint === undefined ? [] : [String(fingerprint.seed)]),
    ...section('config', flatten(config)),
    ...section('inputs', inputs),
    ...section('code', code === '' ? [] : [code, ...codeLines]),
    ...section('engine', formatEngine(provenance)),
    ...section('host', formatHost(provenance)),
    ...section(
      'metrics',
      Object.entries(metrics).map(([name, value]) => `${name} = ${value}`),
    ),
    ...section('outputs', columnsOf(outputs.map(({ path, size }) => [path, formatBytes(size)]))),
    ...section('folder', [shown]),
  ];
}

function formatMaking(provenance: JsonObject, now: number): string[] {
  const { started, seconds, attempts, stage, run, git, version } = provenance;
  const lines: string[] = [];
  if (typeof started === 'string') {
    const took = typeof seconds === 'number' ? `, in ${formatDuration(seconds)}` : '';
    const tries = typeof attempts === 'number' && attempts > 1 ? `, ${attempts} attempts` : '';
    lines.push(`${formatTime(started)} (${formatAge(now - Date.parse(started))})${took}${tries}`);
  }
  if (typeof stage === 'string') lines.push(`as ${stage}${typeof run === 'string' ? ` by run ${run}` : ''}`);
  const tree = asObject(git);
  const by = [
    ...(typeof version === 'string' ? [`peco-exp ${version}`] : []),
    ...(tree ? [`git ${formatGit({ commit: String(tree.commit), dirty: tree.dirty === true })}`] : []),
  ];
  return by.length > 0 ? [...lines, by.join(', ')] : lines;
}

function formatEngine({ engine, engineDescription, threads }: JsonObject): string[] {
  if (typeof engineDescription === 'string') return [engineDescription];
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

function formatEntries(entries: readonly StoredEntry[], now: number): string[] {
  const rows = entries
    .map((entry) => [entry, madeAt(entry)] as const)
    .sort(([, a], [, b]) => (b ?? 0) - (a ?? 0))
    .map(([entry, made]) => [
      entry.key.slice(0, keyDigits),
      entry.kind,
      typeof entry.provenance.stage === 'string' ? entry.provenance.stage : '',
      formatBytes(bytesOf([entry])),
      made === undefined ? '' : formatAge(now - made),
    ]);
  return ['', ...formatColumns(rows)];
}

/** `3 min ago`, or from the youngest to the oldest: `3 min to 2 days ago`. */
function formatAges(entries: readonly StoredEntry[], now: number): string {
  const times = entries.map(madeAt).filter((time) => time !== undefined);
  if (times.length === 0) return '';
  const [youngest, oldest] = [formatAge(now - Math.max(...times)), formatAge(now - Math.min(...times))];
  return youngest === oldest ? youngest : `${youngest.replace(/ ago$/, '')} to ${oldest}`;
}

function madeAt({ provenance }: StoredEntry): number | undefined {
  const time = provenance.ended ?? provenance.started;
  return typeof time === 'string' ? Date.parse(time) : undefined;
}

function formatCounts(counts: NonNullable<RecordedRun['record']['counts']>): string {
  const { ran, hit, shared, failed, skipped, interrupted, unstarted } = counts;
  const named: readonly (readonly [number, string])[] = [
    [ran, 'ran'],
    [hit, 'stored'],
    [shared, 'by another run'],
    [failed, 'failed'],
    [skipped, 'skipped'],
    [interrupted + unstarted, 'not finished'],
  ];
  return named
    .filter(([number]) => number > 0)
    .map(([number, name]) => `${number} ${name}`)
    .join(', ');
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

function formatColumns(rows: readonly (readonly string[])[]): string[] {
  return columnsOf(rows).map((line) => `  ${line}`);
}

function columnsOf(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

function formatGit({ commit, dirty }: { readonly commit: string; readonly dirty: boolean }): string {
  return `${commit.slice(0, keyDigits)}${dirty ? ' with changes' : ''}`;
}

/** `2026-11-24 21:30:01 UTC` */
function formatTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

function asObject(value: Json | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}
