import type { RunEvent, StageProgress } from '../../run/record/events.ts';
import { formatElapsed } from '../../stage/duration.ts';
import { joinParts } from '../text/format.ts';

/** Seconds that stages are expected to take. */
export interface Expected {
  /** All of them, with as many at once as the run starts at once. */
  readonly total: number;
  /** Each stage that may run, by its id; undefined where nothing tells. */
  readonly stages: ReadonlyMap<string, number | undefined>;
}

export interface TallyOptions {
  readonly stages: number;
  /** Absent where nothing is known of any. */
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
  readonly #running = new Map<string, Running>();
  /** Seconds that finished stages took, and those that they were expected to take. */
  #took = 0;
  #foreseen = 0;
  readonly #work: number;
  #left: number;
  #workLeft: number;
  /** Stages to come of which nothing is known. */
  #unknown: number;
  #began: number | undefined;

  constructor(options: TallyOptions) {
    this.#options = options;
    this.#left = options.stages;
    const seconds = [...(options.expected?.stages.values() ?? [])];
    this.#work = seconds.reduce<number>((sum, one) => sum + (one ?? 0), 0);
    this.#workLeft = this.#work;
    this.#unknown = seconds.filter((one) => one === undefined).length;
  }

  count(event: RunEvent): void {
    if (event.type === 'stage-started') this.#began ??= this.#options.now();
    if (event.type === 'stage-progress' && event.of > 0) this.#running.set(event.stage, runningOf(event));
    const end = endOf(event);
    if (end === undefined) return;
    this.#running.delete(end.stage);
    if (event.type === 'stage-finished' && event.origin === 'ran' && this.#secondsOf(end.stage) > 0) {
      this.#took += event.seconds ?? 0;
      this.#foreseen += this.#secondsOf(end.stage);
    }
    this.#counts[end.how] += 1;
    this.#left -= 1;
    this.#workLeft -= this.#secondsOf(end.stage);
    const expected = this.#options.expected?.stages;
    if (expected?.has(end.stage) && expected.get(end.stage) === undefined) this.#unknown -= 1;
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
        ...(seconds === undefined
          ? []
          : [`${this.#unknown > 0 ? 'at least' : 'about'} ${formatElapsed(seconds)} left`]),
        ...counts.map(([name, many]) => `${many} ${name}`),
      ],
      room,
    );
  }

  #secondsOf(stage: string): number {
    return this.#options.expected?.stages.get(stage) ?? 0;
  }

  /** By what such stages took before and take now; where that is unknown, as if all of them were alike. */
  #secondsLeft(): number | undefined {
    const { expected } = this.#options;
    if (expected) {
      if (this.#work === 0) return undefined;
      // The estimate counts as a tenth of the work at the pace that was expected.
      const prior = Math.max(5, this.#work / 10);
      let [left, took, foreseen, longest] = [this.#workLeft, this.#took, this.#foreseen, 0];
      for (const [stage, { share, remaining, seconds }] of this.#running) {
        const own = share * this.#secondsOf(stage);
        left -= own;
        longest = Math.max(longest, remaining);
        if (own === 0 || remaining === 0) continue;
        took += share * (seconds + remaining);
        foreseen += own;
      }
      const pace = (prior + took) / (prior + foreseen);
      return Math.max(longest, (pace * expected.total * Math.max(0, left)) / this.#work);
    }
    if (this.#began === undefined || this.#counts.done < enough) return undefined;
    const seconds = Math.max(this.#options.now() - this.#began, 1e-3);
    return (this.#left * seconds) / this.#counts.done;
  }
}

/** How far a stage is. */
interface Running {
  /** What is done of it, 0 to 1. */
  readonly share: number;
  /** Seconds until its end at its own pace; 0 where that isn't known yet. */
  readonly remaining: number;
  /** Since it began. */
  readonly seconds: number;
}

function runningOf({ step, of, seconds, remainingSeconds = 0 }: StageProgress): Running {
  return { share: Math.min(1, step / of), remaining: remainingSeconds, seconds };
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
