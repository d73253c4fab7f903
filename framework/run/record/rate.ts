import type { TimedProgress } from '../executors/executor.ts';

/** Long enough to smooth over checkpoints and garbage collection, short enough to follow a change of phase. */
const windowSeconds = 10;

export interface Rate {
  readonly imagesPerSecond?: number;
  readonly remainingSeconds?: number;
}

/** Turns the progress of one stage into its current rate, over a sliding window. */
export function createRateMeter(): (progress: TimedProgress) => Rate {
  let window: TimedProgress[] = [];
  return (progress) => {
    const last = window.at(-1);
    // A stage may count its phases one by one: steps that start again start a new window.
    if (last && (progress.step < last.step || progress.of !== last.of)) window = [];
    window.push(progress);
    while (window.length > 2 && progress.seconds - window[1]!.seconds >= windowSeconds) window.shift();
    const first = window[0]!;
    const seconds = progress.seconds - first.seconds;
    const steps = progress.step - first.step;
    if (seconds <= 0 || steps <= 0) return {};
    const images =
      progress.images !== undefined && first.images !== undefined ? progress.images - first.images : 0;
    return {
      ...(images > 0 ? { imagesPerSecond: images / seconds } : {}),
      remainingSeconds: ((progress.of - progress.step) * seconds) / steps,
    };
  };
}
