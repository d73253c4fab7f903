import type { Emit } from '../run/record/events.ts';
import { isReaderGone } from './unwritten.ts';

/**
 * npm and npx pass Ctrl-C on to their child, which the terminal has told already: within this time (milliseconds) a
 * second signal is taken for the same key press.
 */
const echoTime = 400;

export interface Interrupts {
  /** Aborted by the first Ctrl-C (or SIGTERM, or SIGHUP): stages stop by themselves. */
  readonly stop: AbortSignal;
  /** Aborted by the second. */
  readonly kill: AbortSignal;
  /** From now on there is something to stop; before, an interrupt just exits. */
  begin(emit: Emit): void;
  /** From now on interrupts are ignored: all that is left is to say how it went. */
  end(): void;
}

/**
 * Turns signals into a gentle stop, then a hard one. A terminal that was closed, or a reader of our output that goes
 * away, only stops: both come several times without anyone having lost patience. `now` is a clock in milliseconds.
 */
export function listenForInterrupts(now: () => number = () => performance.now()): Interrupts {
  const stop = new AbortController();
  const kill = new AbortController();
  let phase: 'before' | 'during' | 'after' = 'before';
  let emit: Emit = () => {};
  let first = 0;

  function stopGently(): void {
    if (phase === 'before') process.exit(130);
    if (phase === 'after' || stop.signal.aborted) return;
    first = now();
    emit({ type: 'run-interrupted', kill: false });
    stop.abort(new Error('interrupted'));
  }

  function interrupt(): void {
    if (!stop.signal.aborted) stopGently();
    else if (phase === 'during' && now() - first >= echoTime && !kill.signal.aborted) {
      emit({ type: 'run-interrupted', kill: true });
      kill.abort(new Error('interrupted'));
    }
  }

  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  process.on('SIGHUP', stopGently);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Anything else, such as a full disk, is said by unwritten.ts: a run stores its results elsewhere.
    if (isReaderGone(error)) stopGently();
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
