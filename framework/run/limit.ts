import { formatDuration } from '../stage/duration.ts';
import type { Failure } from '../stage/errors.ts';

/** Calls back after a time in seconds, unless it is cancelled first. */
export type Timer = (seconds: number, then: () => void) => { cancel(): void };

export const realTimer: Timer = (seconds, then) => {
  const timer = setTimeout(then, seconds * 1000);
  return { cancel: () => clearTimeout(timer) };
};

/** Seconds that a stage has to save its state once it was asked to stop. */
export const graceSeconds = 30;

/** The time limit of one stage, with the signals that end it. */
export interface Limit {
  readonly stop: AbortSignal;
  readonly kill: AbortSignal;
  /** True once the limit, and nothing else before it, has asked the stage to stop. */
  expired(): boolean;
  end(): void;
}

/** Starts the clock of a stage: when `seconds` have passed it is asked to stop, and killed if it doesn't. */
export function startLimit(
  seconds: number | undefined,
  signals: { readonly stop: AbortSignal; readonly kill: AbortSignal },
  timer: Timer,
): Limit {
  if (seconds === undefined) {
    return { stop: signals.stop, kill: signals.kill, expired: () => false, end() {} };
  }
  const stop = new AbortController();
  const kill = new AbortController();
  let running = timer(seconds, () => {
    if (signals.stop.aborted) return;
    stop.abort(new Error('time limit'));
    running = timer(graceSeconds, () => kill.abort(new Error('time limit')));
  });
  return {
    stop: AbortSignal.any([signals.stop, stop.signal]),
    kill: AbortSignal.any([signals.kill, kill.signal]),
    expired: () => stop.signal.aborted,
    end: () => running.cancel(),
  };
}

export function describeTimeout(seconds: number): Failure {
  return {
    message: `it took longer than ${formatDuration(seconds)}, the time limit for each stage (--timeout)`,
    hint: 'what it saved is kept and used by the next run: run again, or raise the limit (--timeout, PECO_TIMEOUT, settings)',
  };
}
