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
  /** From now on there is something to stop; before, an interrupt just exits. */
  begin(emit: Emit): void;
  /** From now on interrupts are ignored: all that is left is to say how it went. */
  end(): void;
}

/**
 * Turns signals into a gentle stop, then a hard one. A reader of our output that goes away counts as Ctrl-C.
 * `now` is a clock in milliseconds.
 */
export function listenForInterrupts(now: () => number = () => performance.now()): Interrupts {
  const stop = new AbortController();
  const kill = new AbortController();
  let phase: 'before' | 'during' | 'after' = 'before';
  let emit: Emit = () => {};
  let first = 0;

  function interrupt(): void {
    if (phase === 'before') process.exit(130);
    if (phase === 'after') return;
    if (!stop.signal.aborted) {
      first = now();
      emit({ type: 'run-interrupted', kill: false });
      stop.abort(new Error('interrupted'));
    } else if (now() - first >= echoTime && !kill.signal.aborted) {
      emit({ type: 'run-interrupted', kill: true });
      kill.abort(new Error('interrupted'));
    }
  }

  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    interrupt();
  });
  return {
    stop: stop.signal,
    kill: kill.signal,
    begin(emitEvent) {
      phase = 'during';
      emit = emitEvent;
    },
    end() {
      phase = 'after';
    },
  };
}
