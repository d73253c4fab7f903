import type { Problem } from '../problem.ts';
import { parseValue } from './override.ts';

/** How to write in a shell what a field of `--set` or `--sweep` expects, if that isn't what the shell handed over. */
export function shellHint({ path, message, hint = '', value, origin }: Problem): string | undefined {
  if (origin === undefined || value === undefined) return undefined;
  const write = (json: unknown) => `--${origin} ${quote(`${path.join('.')}=${JSON.stringify(json)}`)}`;
  const wanted = `${message} ${hint}`;
  if (/\ba list\b/.test(wanted) && !Array.isArray(value)) {
    const elements = typeof value === 'string' ? elementsOf(value) : [value];
    return `in a shell, a list is JSON in quotes: ${write(elements)}`;
  }
  if (message === 'expected a string' && typeof value !== 'object')
    return `in a shell, a string that looks like another value has quotes in quotes: ${write(String(value))}`;
  if (/\ban object\b/.test(wanted) && typeof value === 'string')
    return `in a shell, an object is JSON in quotes: ${write({ field: 1 })}; or give each field its own --${origin}`;
  return undefined;
}

/** What was probably meant by `a,b`, `[a, b]` and `['a', 'b']`. */
function elementsOf(text: string): unknown[] {
  const inner = text.trim().replace(/^\[/, '').replace(/\]$/, '');
  const parts = inner.split(',').map((part) => part.trim().replace(/^(['"])(.*)\1$/, '$2'));
  return parts.filter((part) => part !== '').map(parseValue);
}

/** As one word of a POSIX shell. */
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
