import { acceptedOf } from '../../plan/accept.ts';
import type { RecordedRun, TimedEvent } from '../../run/record/records.ts';
import { formatElapsed } from '../../stage/duration.ts';
import type { Json } from '../../stage/json.ts';
import { bytesOf, type Inventory, type StoredEntry } from '../../store/inventory.ts';
import { indentColumns } from './columns.ts';
import { count, formatAge, formatBytes, formatTime } from './format.ts';
import { formatGitTree } from './git.ts';
import { formatRunFinished } from './text.ts';

export interface ShowOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly verbose: boolean;
}

const mostRuns = 20;
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
    `${words[status]}${record.command.includes('--smoke') ? ' (smoke)' : ''}`,
    record.counts ? formatCounts(record.counts) : count(record.stages, 'stage'),
    record.seconds === undefined ? '' : formatElapsed(record.seconds),
  ]);
  const more = runs.length - latest.length;
  return [
    `${count(runs.length, 'run')} recorded in ${store}`,
    ...indentColumns(rows),
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
    const accepted = those.filter(isAccepted).length;
    return [
      kind,
      String(those.length),
      formatBytes(bytesOf(those)),
      formatAges(those, options.now),
      accepted === 0 ? '' : `${accepted} accepted`,
    ];
  });
  return [
    `${count(entries.length, 'result')} stored in ${store}: ${formatBytes(bytesOf(entries))}, equal files counted once`,
    ...indentColumns(rows),
    ...(options.verbose ? formatEntries(entries, options.now) : []),
    ...(damaged.length > 0
      ? [`${count(damaged.length, 'result')} damaged: the next run that needs one makes it again`]
      : []),
  ];
}

/** What a run was: printed before its events. */
export function formatRunHead({ record }: RecordedRun, options: { readonly verbose: boolean }): string[] {
  const { id, command, started, version, node, git } = record;
  const [tree, ...notInIt] = formatGitTree(git as Json, options);
  return [
    `run ${id}, begun ${formatTime(started)}`,
    `  peco-exp ${command.join(' ')}`,
    `  ${[`peco-exp ${version}`, `node ${node}`, ...(tree ? [tree] : [])].join(', ')}`,
    ...notInIt.map((line) => `  ${line}`),
  ];
}

/** How it ended, or that it didn't; files are shown by `showPath`. */
export function formatRunEnd(
  run: RecordedRun,
  events: readonly TimedEvent[],
  showPath: (file: string) => string,
): string[] {
  const end = events.findLast((event) => event.type === 'run-finished');
  if (end?.type === 'run-finished') return formatRunFinished(end, showPath);
  const last = events.at(-1);
  if (run.status === 'running') return ['still running'];
  const when = last === undefined ? '' : `; the last that it told was at ${formatTime(last.time)}`;
  return [`${words.lost}${when}`];
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
      isAccepted(entry) ? 'accepted' : '',
    ]);
  return ['', ...indentColumns(rows)];
}

/** `3 min ago`, or from the youngest to the oldest: `3 min to 2 days ago`. */
function formatAges(entries: readonly StoredEntry[], now: number): string {
  const times = entries.map(madeAt).filter((time) => time !== undefined);
  if (times.length === 0) return '';
  const [youngest, oldest] = [formatAge(now - Math.max(...times)), formatAge(now - Math.min(...times))];
  return youngest === oldest ? youngest : `${youngest.replace(/ ago$/, '')} to ${oldest}`;
}

function isAccepted({ provenance }: StoredEntry): boolean {
  return acceptedOf(provenance) !== undefined;
}

function madeAt({ provenance }: StoredEntry): number | undefined {
  const time = provenance.ended ?? provenance.started;
  return typeof time === 'string' ? Date.parse(time) : undefined;
}

function formatCounts(counts: NonNullable<RecordedRun['record']['counts']>): string {
  const { ran, hit, shared, failed, skipped, dropped, interrupted, unstarted } = counts;
  const named: readonly (readonly [number, string])[] = [
    [ran, 'ran'],
    [hit, 'stored'],
    [shared, 'by another run'],
    [failed, 'failed'],
    [skipped, 'skipped'],
    [dropped, 'dropped'],
    [interrupted + unstarted, 'not finished'],
  ];
  return named
    .filter(([number]) => number > 0)
    .map(([number, name]) => `${number} ${name}`)
    .join(', ');
}
