import type { Emit } from '../run/events.ts';

/**
 * npm and npx pass Ctrl-C on to their child, which the terminal has told already: within this time (milliseconds) a
 * second signal is taken for the same key press.
 */
const echoTime = 400;

export interface Interrupts {
  /** Aborted by the first Ctrl-C (or SIGTERM): stages stop by themselves. */
  readonly stop: AbortSignal;
  /** Aborted by the second. */
  readonly kill: AbortSignal;
  /** Gives the signals back. */
  close(): void;
}

/** Turns signals into a gentle stop, then a hard one; a reader of our output that goes away counts as a gentle one. */
export function listenForInterrupts(emit: Emit): Interrupts {
  const stop = new AbortController();
  const kill = new AbortController();
  let first = Number.NEGATIVE_INFINITY;

  function interrupt(): void {
    if (!stop.signal.aborted) {
      first = performance.now();
      emit({ type: 'run-interrupted', kill: false });
      stop.abort(new Error('interrupted'));
    } else if (performance.now() - first >= echoTime && !kill.signal.aborted) {
      emit({ type: 'run-interrupted', kill: true });
      kill.abort(new Error('interrupted'));
    }
  }

  function onOutputError(error: NodeJS.ErrnoException): void {
    if (error.code !== 'EPIPE') throw error;
    interrupt();
  }

  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  process.stdout.on('error', onOutputError);
  return {
    stop: stop.signal,
    kill: kill.signal,
    close() {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
      // Stays, so that what is still written to a closed pipe doesn't crash us at the end.
    },
  };
}
