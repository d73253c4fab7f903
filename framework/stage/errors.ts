import { printableLines } from './text.ts';

/** A place in a source file. `line` and `column` count from 1; `file` is shown as it is. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface PecoErrorOptions {
  /** What kind of failure, for programs: `invalid-experiment`, `syntax-error`, `damaged-store`, ... */
  readonly code: string;
  /** What the user can do about it. */
  readonly hint?: string;
  readonly location?: SourceLocation;
  /** One error may stand for many: all that is wrong with an experiment is listed at once. */
  readonly problems?: readonly PecoError[];
  readonly cause?: unknown;
}

/** An expected failure, told to the user without a stack trace. */
export class PecoError extends Error {
  override readonly name = 'PecoError';
  readonly code: string;
  readonly hint?: string;
  readonly location?: SourceLocation;
  readonly problems: readonly PecoError[];

  constructor(message: string, options: PecoErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    if (options.hint !== undefined) this.hint = options.hint;
    if (options.location !== undefined) this.location = options.location;
    this.problems = options.problems ?? [];
  }
}

/** What went wrong, as plain data: it crosses process borders and goes to `--json`. */
export interface Failure {
  readonly message: string;
  readonly hint?: string;
  /** The innermost place in the project's own files that it passed through; the file as people see it. */
  readonly location?: SourceLocation;
  /** Shown with `--verbose` only. */
  readonly stack?: string;
}

/** Message, place and hint of an error, and of every problem that it stands for; no stack. None of it steers a terminal. */
export function formatError(error: unknown): string {
  if (!(error instanceof Error)) return printableLines(String(error)).join('\n');
  const lines = printableLines(error.message === '' ? error.name : error.message);
  if (!isPecoError(error)) {
    const { hint } = error as { readonly hint?: unknown };
    return [...lines, ...(typeof hint === 'string' ? indent(hint) : [])].join('\n');
  }
  if (error.location) lines.push(...indent(`at ${formatLocation(error.location)}`));
  if (error.hint !== undefined) lines.push(...indent(error.hint));
  for (const problem of error.problems) {
    lines.push('', ...indent(formatError(problem)));
  }
  return lines.join('\n');
}

function indent(text: string): string[] {
  return printableLines(text).map((line) => (line === '' ? '' : `  ${line}`));
}

/** True for PecoErrors of any copy of this module: an experiment's bundle brings its own. */
export function isPecoError(error: unknown): error is PecoError {
  return error instanceof Error && error.name === 'PecoError' && 'problems' in error;
}

export function formatLocation(location: SourceLocation): string {
  return `${location.file}:${location.line}`;
}
