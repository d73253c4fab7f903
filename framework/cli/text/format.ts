import path from 'node:path';
import type { RunFinished, StageProgress } from '../../run/record/events.ts';
import { formatElapsed } from '../../stage/duration.ts';
import { printable } from '../../stage/text.ts';
import type { Look } from './look.ts';
import { widthOf, wrapWords } from './width.ts';

const day = 24 * 3600;
const year = 365.25 * day;

/** The same, and what is longer than two days in days or years: `12 days`, `1.4 years`, `22 years`. */
export function formatLong(seconds: number): string {
  if (seconds < 2 * day) return formatElapsed(seconds);
  if (seconds < 1.05 * year) return count(Math.round(seconds / day), 'day');
  const years = seconds / year;
  return `${years < 9.95 ? years.toFixed(1) : formatNumber(Math.round(years))} years`;
}

/** Three significant digits where that is short, whole numbers with separators above. */
export function formatRate(imagesPerSecond: number): string {
  const digits = imagesPerSecond < 10 ? 1 : 0;
  return `${formatNumber(imagesPerSecond, digits)} images/s`;
}

/**
 * `training · step 120/600 · 12 s left · 3,200 images/s · data 3 % · loss 1.234`: of the time, 3 % passed in waiting for
 * data. Parts that don't fit are left out, the last ones first.
 */
export function formatProgress(progress: StageProgress, room = Number.POSITIVE_INFINITY): string {
  const { phase, step, of, imagesPerSecond, waiting = 0, remainingSeconds, values } = progress;
  const parts = phase === undefined ? [] : [phase as string];
  if (phase !== 'compiling') parts.push(`step ${formatNumber(step)}/${formatNumber(of)}`);
  if (remainingSeconds !== undefined) parts.push(`${formatElapsed(remainingSeconds)} left`);
  if (imagesPerSecond !== undefined) parts.push(formatRate(imagesPerSecond));
  if (waiting >= 0.005) parts.push(`data ${formatPercent(waiting)}`);
  for (const [name, value] of Object.entries(values ?? {}))
    parts.push(`${printable(name)} ${formatValue(value)}`);
  return joinParts(parts, room);
}

/** As many of the parts as fit, but one at least. */
export function joinParts(parts: readonly string[], room = Number.POSITIVE_INFINITY): string {
  const [first = '', ...others] = parts;
  let text = first;
  for (const part of others) {
    const longer = `${text} · ${part}`;
    if (widthOf(longer) > room) break;
    text = longer;
  }
  return text;
}

/** `3 %` */
export function formatPercent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** How long ago something was, in milliseconds: `42 s ago`, `3 min ago`, `5 h ago`, `12 days ago`. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} days ago`;
}

/** `2026-11-24 21:30:01 UTC` */
export function formatTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

/** `908be18a31c4 with changes` */
export function formatGit({ commit, dirty }: { readonly commit: string; readonly dirty: boolean }): string {
  return `${commit.slice(0, 12)}${dirty ? ' with changes' : ''}`;
}

/** Relative to the current folder if the file is in it. */
export function formatPath(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.startsWith('..') ? file : relative || '.';
}

/** A path a line; on a terminal the names of the files below their folder, since many have the same. */
export function formatFiles(
  files: readonly string[],
  showPath: (file: string) => string,
  { columns }: Look,
): string[] {
  if (columns === undefined) return files.map((file) => `  ${showPath(file)}`);
  const folders = new Map<string, string[]>();
  for (const file of files) {
    const { dir, base } = path.parse(file);
    folders.set(dir, [...(folders.get(dir) ?? []), base]);
  }
  return [...folders].flatMap(([dir, names]) => [
    `  ${showPath(dir)}`,
    ...wrapWords(`    ${names.join(', ')}`, columns, '    '),
  ]);
}

/** Where the event files of TensorBoard are. */
export function formatEventFiles(
  events: RunFinished['tensorboard'],
  showPath: (file: string) => string,
): string[] {
  return events ? [`  ${showPath(events.dir)}: ${count(events.files, 'event file')} for TensorBoard`] : [];
}

/** `a`, `a and b`, `a, b and c`. */
export function listOf(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** `1 stage`, `2 stages`. */
export function count(many: number, noun: string): string {
  return `${many} ${noun}${many === 1 ? '' : 's'}`;
}

function formatValue(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
  return value.toFixed(size < 100 ? 3 : 0);
}

function formatNumber(value: number, digits = 0): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** `812 B`, `1.5 KB`, `20 GB`: powers of 1000, as disks are sold and `--max-size` counts. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** What is known to the day: `today`, `1 day ago`, `12 days ago`. */
export function formatDays(milliseconds: number): string {
  const days = Math.floor(milliseconds / 86_400_000);
  return days < 1 ? 'today' : `${count(days, 'day')} ago`;
}
