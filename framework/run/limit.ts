import type { Failure } from './record/events.ts';

/** Calls back after a time in seconds, unless it is cancelled first. */
export type Timer = (seconds: number, then: () => void) => { cancel(): void };

export const realTimer: Timer = (seconds, then) => {
  const timer = setTimeout(then, seconds * 1000);
  return { cancel: () => clearTimeout(timer) };
};

/** Seconds that a stage has to save its state once it was told to stop. */
export const graceSeconds = 30;

/** The time limit of one stage, with the signals that end it. */
export interface Limit {
  readonly stop: AbortSignal;
  readonly kill: AbortSignal;
  /** True once the limit, and nothing else before it, has told the stage to stop. */
  expired(): boolean;
  end(): void;
}

/** Starts the clock of a stage: when `seconds` have passed it is told to stop, and killed if it doesn't. */
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
    message: `it was stopped after ${formatLimit(seconds)}, the longest that --timeout lets a stage run`,
    hint: 'what it saved is kept and used by the next run: run again, or raise the limit (--timeout, PECO_TIMEOUT, settings)',
  };
}

const units: { readonly [unit: string]: number } = { h: 3600, m: 60, s: 1 };
/** A timer of Node takes up to 2^31 milliseconds. */
const longest = 500 * 3600;

/** `90s`, `10m`, `1.5h` -> seconds; undefined for anything else, and for more than 500h. */
export function parseLimit(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([smh])$/.exec(text.trim());
  if (!match) return undefined;
  const seconds = Number(match[1]) * units[match[2]!]!;
  return seconds > 0 && seconds <= longest ? seconds : undefined;
}

/** The other way round, in the largest unit that gives a whole number. */
export function formatLimit(seconds: number): string {
  const [unit, size] = Object.entries(units).find(([, size]) => seconds % size === 0) ?? ['s', 1];
  return `${seconds / size}${unit}`;
}
