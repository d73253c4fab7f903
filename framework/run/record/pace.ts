import type { TimedProgress } from '../executors/executor.ts';
import type { RunEvent, StageProgress } from './events.ts';

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
    const isOther = last && (progress.step < last.step || progress.of !== last.of);
    if (isOther || last?.phase !== progress.phase) window = [];
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

/** Seconds of a stage's own clock between two progress events that are kept. */
const interval = 5;
/** Lines that a stage may print into the record; what is beyond is not kept. */
const mostLines = 5000;
const mostCharacters = 2000;

/**
 * Makes the stream of events short enough to be kept: of every stage's progress some, and the last; what it prints up
 * to a limit. Returns for each event those that are to be written now.
 */
export function createThinner(): (event: RunEvent) => readonly RunEvent[] {
  const written = new Map<string, number>();
  const held = new Map<string, StageProgress>();
  const lines = new Map<string, number>();

  function release(stage: string): RunEvent[] {
    const progress = held.get(stage);
    held.delete(stage);
    written.delete(stage);
    return progress ? [progress] : [];
  }

  return (event) => {
    if (event.type === 'stage-progress') {
      const { stage, seconds } = event;
      const last = written.get(stage);
      if (last !== undefined && seconds - last < interval) {
        held.set(stage, event);
        return [];
      }
      held.delete(stage);
      written.set(stage, seconds);
      return [event];
    }
    if (event.type === 'log') {
      const many = (lines.get(event.stage) ?? 0) + 1;
      lines.set(event.stage, many);
      if (many > mostLines) return [];
      const text = many === mostLines ? '(what it printed after this was not kept)' : event.text;
      return [{ ...event, text: text.slice(0, mostCharacters) }];
    }
    if (event.type === 'run-finished') return [...[...held.keys()].flatMap(release), event];
    // The last progress before anything else that happens to the stage.
    return 'stage' in event && event.stage !== undefined ? [...release(event.stage), event] : [event];
  };
}
