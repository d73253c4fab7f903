import { PecoError } from '../../framework/stage/errors.ts';
import { suggest } from '../../framework/stage/issues.ts';

/** A mistake in how a benchmark was called: its message is all that is printed. */
export function usageError(message: string, hint?: string): PecoError {
  return new PecoError(message, { code: 'invalid-flags', ...(hint === undefined ? {} : { hint }) });
}

/** A whole number of at least 1. Throws PecoError. */
export function countOf(flag: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  throw usageError(`${flag} takes a whole number of at least 1, not "${text}"`);
}

/** The same, where 0 means something. Throws PecoError. */
export function countOrNone(flag: string, text: string): number {
  return text.trim() === '0' ? 0 : countOf(flag, text);
}

/** A number above 0. Throws PecoError. */
export function amountOf(flag: string, text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  throw usageError(`${flag} takes a number above 0, not "${text}"`);
}

/**
 * Throws PecoError for the first given name that isn't known, with all that are. `more`: what else may be said of a name.
 */
export function checkNames(
  flag: string,
  given: readonly string[],
  known: readonly string[],
  { isKnown = (name: string) => known.includes(name), more = '' } = {},
): void {
  const unknown = given.find((name) => !isKnown(name));
  if (unknown === undefined) return;
  const names = suggest(unknown, known) ?? 'there are none';
  throw usageError(`${flag}: there is no "${unknown}"`, more === '' ? names : `${names}; ${more}`);
}
