import { inspect, types } from 'node:util';
import type { Failure } from '../../stage/errors.ts';
import { namedMessage } from '../../stage/named-error.ts';

const mostParts = 3;

/** What a stage threw, whatever that is, as plain data. Never throws. */
export function describeThrown(thrown: unknown): Failure {
  try {
    return describe(thrown);
  } catch {
    return { message: 'it threw something that cannot be shown' }; // a getter of it throws
  }
}

function describe(thrown: unknown): Failure {
  const hint = hintOf(thrown);
  const stack = related(thrown)
    .map(stackOf)
    .filter((text) => text !== '');
  return {
    message: messageOf(thrown),
    ...(hint === undefined ? {} : { hint }),
    ...(stack.length === 0 ? {} : { stack: stack.join('\n') }),
  };
}

function messageOf(thrown: unknown, depth = 0): string {
  if (typeof thrown === 'string' && thrown !== '') return thrown;
  if (!isError(thrown)) return `it threw ${show(thrown)}, which is no error`;
  const own = namedMessage(thrown);
  if (depth >= mostParts) return own;
  const parts = errorsOf(thrown).map((error) => messageOf(error, depth + 1));
  const several =
    parts.slice(0, mostParts).join('; ') +
    (parts.length > mostParts ? `; and ${parts.length - mostParts} more` : '');
  const all = parts.length === 0 ? own : `${own}: ${several}`;
  if (thrown.cause === undefined) return all;
  const cause = messageOf(thrown.cause, depth + 1);
  // What catches an error to say where it happened often says what it was, too, if not of which class.
  const isSaid = cause.split('\n').every((line) => all.includes(line.replace(/^\w+Error: /, '')));
  return isSaid ? all : `${all} (because of: ${cause})`;
}

function hintOf(thrown: unknown): string | undefined {
  const errors = related(thrown);
  const hints = errors.map((error) => (error as { readonly hint?: unknown }).hint);
  const own = hints.find((hint): hint is string => typeof hint === 'string');
  if (own !== undefined) return own;
  const full = errors.some((error) =>
    ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? ''),
  );
  return full ? 'the disk is full: free some space, or choose another store with --store' : undefined;
}

/** An error, then its causes and parts, each once. */
function related(thrown: unknown, seen: Set<unknown> = new Set()): readonly Error[] {
  if (!isError(thrown) || seen.has(thrown)) return [];
  seen.add(thrown);
  return [thrown, ...[...errorsOf(thrown), thrown.cause].flatMap((error) => related(error, seen))];
}

function errorsOf(error: Error): readonly unknown[] {
  const { errors } = error as { readonly errors?: unknown };
  return Array.isArray(errors) ? errors : [];
}

function stackOf(error: Error): string {
  return typeof error.stack === 'string' ? error.stack : '';
}

/** Also of another realm, such as a sandbox. */
function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

/** Any value on a line, cut where it is long. */
export function show(value: unknown): string {
  const text = inspect(value, { depth: 2, breakLength: Number.POSITIVE_INFINITY });
  return text.length > 200 ? `${text.slice(0, 197)}...` : text;
}
