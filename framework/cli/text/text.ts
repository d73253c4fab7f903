import { stripVTControlCharacters } from 'node:util';
import { mayRun } from '../../plan/types.ts';
import type {
  RunFinished,
  RunInterrupted,
  RunStarted,
  RunStopping,
  StageFailed,
  StageFinished,
  StageInterrupted,
  StageRetrying,
  StageSkipped,
  StageSummary,
  Warning,
} from '../../run/record/events.ts';
import { formatResumePoint } from '../../run/worker/resume.ts';
import { formatElapsed } from '../../stage/duration.ts';
import type { Failure } from '../../stage/errors.ts';
import { formatLocation } from '../../stage/errors.ts';
import type { Json } from '../../stage/json.ts';
import { shellWord } from '../../stage/shell.ts';
import { showValue } from '../../stage/show.ts';
import { printable, printableLines } from '../../stage/text.ts';
import { count, formatEventFiles, formatFiles, formatRate } from './format.ts';
import { type Look, plainLook } from './look.ts';

/** Lines about a run that are the same on a terminal and in a log. */

/** `set codebook.size = 16 (was 8)`; a flag of its own as it was typed: `--columns top1,psnr (the file says top1)`. */
export function formatOverrides(overrides: RunStarted['overrides']): string[] {
  return overrides.map(({ flag, path, from, to }) => {
    const isSet = from !== null;
    if (flag === undefined)
      return `set ${path} = ${showValue(to)} (${isSet ? `was ${showValue(from)}` : 'not set in the file'})`;
    return `--${flag} ${asTyped(to)} (${isSet ? `the file says ${asTyped(from)}` : 'not set in the file'})`;
  });
}

/** The value of a flag as a word of a shell; lists have commas. */
function asTyped(value: Json): string {
  return shellWord(printable(Array.isArray(value) ? value.join(',') : String(value)));
}

/** That the numbers mean nothing, and which components aren't small. */
export function formatSmoke(smoke: RunStarted['smoke']): string[] {
  if (smoke === undefined) return [];
  const { unchanged } = smoke;
  const those = unchanged.length === 1 ? 'it declares no `smoke`' : 'they declare no `smoke`';
  return [
    'smoke run: everything at its smallest size, so the numbers mean nothing',
    ...(unchanged.length > 0 ? [`  ${unchanged.join(', ')}: as in the file, since ${those}`] : []),
  ];
}

export function formatRunStarted(event: RunStarted): string[] {
  const { experiment, stages, engine, jobs, overrides } = event;
  const how = stages.some(mayRun) ? ` (${engine}, ${count(jobs, 'job')})` : '';
  return [
    ...formatSmoke(event.smoke),
    ...formatOverrides(overrides),
    `${formatStatuses(experiment, stages)}${how}`,
  ];
}

/** `quickstart: 26 stages, 12 stored, 3 to run, 9 maybe, 2 dropped` */
export function formatStatuses(
  experiment: string,
  stages: readonly { readonly status: StageSummary['status'] }[],
): string {
  const many = (status: StageSummary['status']) => stages.filter((stage) => stage.status === status).length;
  const parts = [count(stages.length, 'stage'), `${many('hit')} stored`];
  if (many('run') > 0) parts.push(`${many('run')} to run`);
  if (many('maybe') > 0) parts.push(`${many('maybe')} maybe`);
  if (many('unknown') > 0) parts.push(`${many('unknown')} unknown`);
  if (many('dropped') > 0) parts.push(`${many('dropped')} dropped`);
  return `${experiment}: ${parts.join(', ')}`;
}

/** `done in 31 s · 3,100 images/s`; for a result that was there already, where it came from. */
export function formatFinished(event: StageFinished): string {
  if (event.origin === 'hit') return 'stored';
  const parts = [event.origin === 'shared' ? 'made by another run' : 'done'];
  if (event.seconds !== undefined) parts[0] += ` in ${formatElapsed(event.seconds)}`;
  if (event.imagesPerSecond !== undefined) parts.push(formatRate(event.imagesPerSecond));
  return parts.join(' · ');
}

export function formatSkipped(event: StageSkipped): string {
  return `skipped, because ${event.because} failed`;
}

/** The message, its hint, and with `verbose` the stack, indented below the stage's name. */
export function formatFailure(event: StageFailed, verbose: boolean): string[] {
  const { failure, tail } = event;
  const lines = [
    ...printableLines(`${event.stage}  FAILED: ${failure.message}`),
    ...details(failure, verbose),
  ];
  // With `verbose` everything that it printed has been shown already.
  return verbose ? lines : [...lines, ...formatTail(tail)];
}

/** That a stage is started again, and why. */
export function formatRetrying(event: StageRetrying, verbose: boolean): string[] {
  const lines = [
    ...printableLines(
      `${event.stage}  ${event.failure.message}: starting it again (retry ${event.retry} of ${event.of})`,
    ),
    ...details(event.failure, verbose),
  ];
  return verbose ? lines : [...lines, ...formatTail(event.tail)];
}

export function formatStopping(event: RunStopping): string {
  return `stopping, because ${event.because} failed (--fail-fast)`;
}

function formatTail(tail: readonly string[]): string[] {
  return tail.length === 0
    ? []
    : ['  the last that it printed:', ...tail.map((line) => `  | ${asShown(line)}`)];
}

/** A line as a terminal would show it, without colours: of a bar that overwrites itself the last state. */
function asShown(line: string): string {
  const last = stripVTControlCharacters(line).replace(/\r+$/, '').split('\r').at(-1)!;
  return last.split('\t').map(printable).join('\t');
}

export function formatWarning(event: Warning): string[] {
  const about = event.stage === undefined ? '' : `${event.stage}: `;
  return printableLines(
    [`warning: ${about}${event.message}`, ...(event.hint === undefined ? [] : [`  ${event.hint}`])].join(
      '\n',
    ),
  );
}

/** That a stage was interrupted, and where the next run begins with it. */
export function formatInterrupted({ saved }: StageInterrupted): string {
  return saved
    ? `saved at ${formatResumePoint(saved)}; the same command resumes there`
    : 'interrupted; without a checkpoint, it starts again';
}

export function formatInterrupt(event: RunInterrupted): string {
  if (event.leaves) return 'leaving; the jobs go on, and the same command comes back to them';
  return event.kill ? 'killing the stages that still run' : 'stopping; Ctrl-C again kills';
}

/** What happened to the stages and how long it all took; then where the files are, shown by `showPath`. */
export function formatRunFinished(
  event: RunFinished,
  showPath: (file: string) => string,
  look: Look = plainLook,
): string[] {
  const { counts } = event;
  const parts = [`${counts.hit} stored`, `${counts.ran} ran`];
  if (counts.shared > 0) parts.push(`${counts.shared} made by another run`);
  if (counts.failed > 0) parts.push(`${counts.failed} FAILED`);
  if (counts.skipped > 0) parts.push(`${counts.skipped} skipped`);
  if (counts.dropped > 0) parts.push(`${counts.dropped} dropped by halving`);
  const open = counts.interrupted + counts.unstarted;
  if (open > 0) parts.push(`${open} not finished`);
  const lines = [`${wordOf(event)} in ${formatElapsed(event.seconds)}: ${parts.join(', ')}`];
  if (open > 0) lines.push('the same command resumes: finished stages are stored');
  return [
    ...lines,
    ...formatFiles(event.files, showPath, look),
    ...formatEventFiles(event.tensorboard, showPath),
  ];
}

function wordOf(event: RunFinished): string {
  if (event.status === 'interrupted') return 'interrupted';
  return event.status === 'failed' ? 'failed' : 'done';
}

function details(failure: Failure, verbose: boolean): string[] {
  const { location } = failure;
  const place = location && `at ${formatLocation(location)}`;
  const text = [place, failure.hint, verbose ? failure.stack : undefined].filter(
    (part) => part !== undefined,
  );
  return text.flatMap(printableLines).map((line) => `  ${line}`);
}
