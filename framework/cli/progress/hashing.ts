import type { Hashing } from '../../files/folders.ts';
import { formatElapsed } from '../../stage/duration.ts';
import { formatBytes } from '../text/format.ts';
import { isLiveTerminal } from './live-terminal.ts';

/** Where it is shown: `process.stderr`, so that what a command says on its stdout stays the same. */
export interface HashingOutput {
  write(text: string): void;
  /** Whether a line can be drawn again and again. */
  readonly live: boolean;
}

export interface HashingDisplay {
  show(hashing: Hashing): void;
  /** Takes the line away; nothing more is shown. */
  end(): void;
}

/** Nothing is shown of what takes less, in milliseconds. */
const patience = 2_000;
/** Between two updates: of a line that is drawn again, and of lines one below the other. */
const intervals = { live: 500, lines: 30_000 };

/**
 * Says how far the hashing of data is, all folders together: `hashing data: 34 of 138 GB, 2.1 GB/s, 50 s left`.
 *
 * @param now a clock in milliseconds
 */
export function createHashingDisplay(
  { write, live }: HashingOutput,
  now: () => number = () => performance.now(),
): HashingDisplay {
  const folders = new Map<string, Hashing>();
  /** When the first was done; the rate is that since then. */
  let began: { readonly at: number; readonly bytes: number } | undefined;
  let next = 0;
  let drawn = false;
  let ended = false;
  return {
    show(hashing) {
      folders.set(hashing.folder, hashing);
      const at = now();
      if (began === undefined) {
        began = { at, bytes: sumOf(folders, 'done') };
        next = at + patience;
      }
      if (ended || at < next || hashing.of === 0) return;
      next = at + (live ? intervals.live : intervals.lines);
      const [done, of] = [sumOf(folders, 'done'), sumOf(folders, 'of')];
      const text = formatHashing(done, of, (1000 * (done - began.bytes)) / (at - began.at));
      write(live ? `\r\u001b[K${text}` : `${text}\n`);
      drawn = true;
    },
    end() {
      if (drawn && live) write('\r\u001b[K');
      ended = true;
    },
  };
}

export function hashingOnStderr(): HashingDisplay {
  const { stderr, env } = process;
  return createHashingDisplay({
    write: (text) => void stderr.write(text),
    live: isLiveTerminal(stderr, env),
  });
}

function sumOf(folders: ReadonlyMap<string, Hashing>, field: 'done' | 'of'): number {
  return [...folders.values()].reduce((sum, one) => sum + one[field], 0);
}

function formatHashing(done: number, of: number, rate: number): string {
  const left = rate > 0 ? `, ${formatElapsed((of - done) / rate)} left` : '';
  return `hashing data: ${formatBytes(done)} of ${formatBytes(of)}, ${formatBytes(rate)}/s${left}`;
}
