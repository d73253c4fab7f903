import type { Terminal } from './frame.ts';

/** Narrower or lower than this there is no room for the live display. */
const least = { columns: 20, rows: 4 };

/**
 * Whether lines can be drawn again and again on an output: a terminal that moves its cursor, that a person looks at, and
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

/**
 * A terminal by its stream. Its size is looked up for each drawing: Node notes a change when it comes to handle the
 * signal, and a drawing before that would erase as many rows as its lines had before the terminal broke them.
 */
export function terminalOf(stream: NodeJS.WriteStream): Terminal {
  const fresh = () => {
    // Not documented, and all that asks the system.
    (stream as { _refreshSize?(): void })._refreshSize?.();
    return stream;
  };
  return {
    write: (text) => void stream.write(text),
    columns: () => fresh().columns,
    rows: () => fresh().rows,
  };
}
