import type { RunEvent } from '../../run/record/events.ts';
import { formatElapsed } from '../../stage/duration.ts';
import { joinParts } from '../text/format.ts';

/** Seconds that stages are expected to take. */
export interface Expected {
  /** All of them, with as many at once as the run starts at once. */
  readonly total: number;
  /** Each stage that may run, by its id. */
  readonly stages: ReadonlyMap<string, number>;
}

export interface TallyOptions {
  readonly stages: number;
  /** Absent where a stage may run whose kind never ran here. */
  readonly expected?: Expected;
  /** Seconds, on a clock that only goes forward. */
  readonly now: () => number;
}

/** With fewer finished stages, their speed says nothing about the others. */
const enough = 10;

/** How far a run is. An event costs the same however many stages there are. */
export class Tally {
  readonly #options: TallyOptions;
  readonly #counts = { done: 0, stored: 0, failed: 0, skipped: 0, dropped: 0, interrupted: 0 };
  /** What is done of the stages that run, 0 to 1. */
  readonly #shares = new Map<string, number>();
  readonly #work: number;
  #left: number;
  #workLeft: number;
  #began: number | undefined;

  constructor(options: TallyOptions) {
    this.#options = options;
    this.#left = options.stages;
    const seconds = [...(options.expected?.stages.values() ?? [])];
    this.#work = seconds.reduce((sum, one) => sum + one, 0);
    this.#workLeft = this.#work;
  }

  count(event: RunEvent): void {
    if (event.type === 'stage-started') this.#began ??= this.#options.now();
    if (event.type === 'stage-progress' && event.of > 0)
      this.#shares.set(event.stage, Math.min(1, event.step / event.of));
    const end = endOf(event);
    if (end === undefined) return;
    this.#shares.delete(end.stage);
    this.#counts[end.how] += 1;
    this.#left -= 1;
    this.#workLeft -= this.#secondsOf(end.stage);
  }

  /** `12/30 · about 1:05 left · 1 failed`: of 30 stages, 12 have ended, or were stored. */
  format(room?: number): string {
    const { stages } = this.#options;
    const seconds = this.#secondsLeft();
    const { done: _done, stored: _stored, ...others } = this.#counts;
    const counts = Object.entries(others).filter(([, many]) => many > 0);
    return joinParts(
      [
        `${stages - this.#left}/${stages}`,
        ...(seconds === undefined ? [] : [`about ${formatElapsed(seconds)} left`]),
        ...counts.map(([name, many]) => `${many} ${name}`),
      ],
      room,
    );
  }

  #secondsOf(stage: string): number {
    return this.#options.expected?.stages.get(stage) ?? 0;
  }

  /** By what such stages took before; where that is unknown, as if all of them were alike. */
  #secondsLeft(): number | undefined {
    const { expected } = this.#options;
    if (expected) {
      if (this.#work === 0) return undefined;
      let left = this.#workLeft;
      for (const [stage, share] of this.#shares) left -= share * this.#secondsOf(stage);
      return (expected.total * Math.max(0, left)) / this.#work;
    }
    if (this.#began === undefined || this.#counts.done < enough) return undefined;
    const seconds = Math.max(this.#options.now() - this.#began, 1e-3);
    return (this.#left * seconds) / this.#counts.done;
  }
}

/** The stage that an event brings to its end, if it does. */
function endOf(event: RunEvent):
  | {
      readonly stage: string;
      readonly how: 'done' | 'stored' | 'failed' | 'skipped' | 'dropped' | 'interrupted';
    }
  | undefined {
  switch (event.type) {
    case 'stage-finished':
      return { stage: event.stage, how: event.origin === 'hit' ? 'stored' : 'done' };
    case 'stage-failed':
      return { stage: event.stage, how: 'failed' };
    case 'stage-skipped':
      return { stage: event.stage, how: 'skipped' };
    case 'stage-dropped':
      return { stage: event.stage, how: 'dropped' };
    case 'stage-interrupted':
      return { stage: event.stage, how: 'interrupted' };
    default:
      return undefined;
  }
}
