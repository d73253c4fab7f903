/** Narrower or lower than this there is no room for the live display. */
const least = { columns: 20, rows: 4 };

/**
 * Whether lines can be drawn again and again on an output: a terminal that moves its cursor, that somebody looks at, and
 * whose size is known and large enough.
 */
export function isLiveTerminal(
  { isTTY, columns, rows }: { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number },
  { CI, TERM }: { readonly [name: string]: string | undefined },
): boolean {
  if (!isTTY || TERM === 'dumb') return false;
  if (CI !== undefined && !['', '0', 'false'].includes(CI)) return false;
  // Without a size, as below `script`, terminals say 0.
  return (columns ?? 0) >= least.columns && (rows ?? 0) >= least.rows;
}
