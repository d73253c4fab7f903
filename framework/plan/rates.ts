import { type Costs, countFlops, type Flops } from '../stage/costs.ts';
import { workOf } from './costs.ts';
import type { Recorded } from './past-stages.ts';

/** Operations a second that an engine did in training steps of one size: see `components/engine/speed.ts`. */
export interface Speed {
  /** Of each image. */
  readonly image: number;
  readonly perSecond: number;
}

/** What was measured of an engine, from small to large steps. */
export interface EngineSpeed {
  readonly dense: readonly Speed[];
  readonly conv: readonly Speed[];
}

/** On what a stage runs. Absent: any. */
export interface Where {
  readonly engine?: string;
  /** That it gets. */
  readonly threads?: number;
}

/** Stages whose images cost so many times more or less have other rates: small products don't fill a processor. */
const mostUnlike = 8;

/** Seconds of a stage's process beside its work. */
const startOfStage = 1;

/**
 * Seconds of a stage by the rate of the recorded one of its kind and engine whose images cost most nearly as much;
 * undefined if there is none that is comparable. With more threads it takes less time in proportion.
 */
export function secondsLike(
  kind: string,
  costs: Costs,
  recorded: readonly Recorded[],
  { engine, threads }: Where = {},
): number | undefined {
  const work = workOf(costs);
  if (work === undefined || !costs.flops) return undefined;
  let nearest = Math.log(mostUnlike);
  let seconds: number | undefined;
  for (const one of recorded) {
    const then = one.costs && workOf(one.costs);
    const isOther =
      one.kind !== kind || (engine !== undefined && one.engine !== undefined && one.engine !== engine);
    if (isOther || !then || !one.costs?.flops) continue;
    const distance = Math.abs(Math.log(countFlops(costs.flops) / countFlops(one.costs.flops)));
    // A stage that was over at once says how long a process takes to start.
    if (!(distance < nearest) || one.seconds < 3 * startOfStage) continue;
    nearest = distance;
    const had = one.threads ?? threads ?? 1;
    seconds = startOfStage + (((one.seconds - startOfStage) * work) / then) * (had / (threads ?? had));
  }
  return seconds;
}

/** The same by what was measured of an engine. */
export function secondsAt(costs: Costs, speed: EngineSpeed): number | undefined {
  const { flops, images } = costs;
  if (!flops || images === undefined) return undefined;
  const each = countFlops(flops);
  const parts = (['dense', 'conv'] as const).map((part) => secondsOfPart(flops, part, each, speed));
  const [dense, conv] = parts;
  return dense === undefined || conv === undefined ? undefined : startOfStage + images * (dense + conv);
}

function secondsOfPart(
  flops: Flops,
  part: keyof Flops,
  each: number,
  speed: EngineSpeed,
): number | undefined {
  const count = flops[part] ?? 0;
  if (count === 0) return 0;
  const rate = rateAt(each, speed[part]);
  return rate === undefined ? undefined : count / rate;
}

/** Between two sizes in proportion to their logarithms. */
function rateAt(image: number, speeds: readonly Speed[]): number | undefined {
  const above = speeds.findIndex((one) => one.image >= image);
  if (above <= 0) return (above === 0 ? speeds[0] : speeds.at(-1))?.perSecond;
  const [low, high] = [speeds[above - 1]!, speeds[above]!];
  const share = Math.log(image / low.image) / Math.log(high.image / low.image);
  return low.perSecond * (high.perSecond / low.perSecond) ** share;
}
