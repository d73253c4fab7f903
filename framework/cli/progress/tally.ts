import type { RunEvent } from '../../run/record/events.ts';
import { formatElapsed } from '../../stage/duration.ts';

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
    const end = endOf(event);
    if (end === undefined) return;
    this.#counts[end.how] += 1;
    this.#left -= 1;
    this.#workLeft -= this.#options.expected?.stages.get(end.stage) ?? 0;
  }

  /** `238 left, 12 done, 4 stored, 1 failed · 2.1 stages/s · about 1:53 to go` */
  format(): string {
    const counts = Object.entries(this.#counts).filter(([name, many]) => many > 0 || name === 'done');
    const parts = [`${this.#left} left`, ...counts.map(([name, many]) => `${many} ${name}`)].join(', ');
    const rate = this.#rate();
    const seconds = this.#secondsLeft(rate);
    return [
      parts,
      ...(rate === undefined ? [] : [formatStageRate(rate)]),
      ...(seconds === undefined ? [] : [`about ${formatElapsed(seconds)} to go`]),
    ].join(' · ');
  }

  /** Stages a second, once enough of them have run. */
  #rate(): number | undefined {
    if (this.#began === undefined || this.#counts.done < enough) return undefined;
    return this.#counts.done / Math.max(this.#options.now() - this.#began, 1e-3);
  }

  /** By what such stages took before; where that is unknown, as if all of them were alike. */
  #secondsLeft(rate: number | undefined): number | undefined {
    const { expected } = this.#options;
    if (expected)
      return this.#work > 0 ? (expected.total * Math.max(0, this.#workLeft)) / this.#work : undefined;
    return rate === undefined ? undefined : this.#left / rate;
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

function formatStageRate(perSecond: number): string {
  return perSecond >= 1 ? `${perSecond.toFixed(1)} stages/s` : `${(perSecond * 60).toFixed(1)} stages/min`;
}
