import type { HostTensor } from '../engine/types.ts';
import { hostScalar } from '../nn/tree.ts';
import type { StepScalars } from './optimizer.ts';
import type { Schedule } from './schedule-config.ts';

/** Where in a training a value is asked for. */
export interface Place {
  /** 0-based. */
  readonly step: number;
  /** Of the whole training. */
  readonly steps: number;
  /** Steps at the start in which the value rises from 0; none unless said. */
  readonly warmup?: number;
}

/**
 * Linear from 0 to `from` over the warm-up, then a half cosine to `to`, as BEiT's `cosine_scheduler` (microsoft/unilm,
 * beit/utils.py).
 */
export function cosine(from: number, to: number, { step, steps, warmup = 0 }: Place): number {
  if (step < warmup) return (from * step) / Math.max(1, warmup - 1);
  const progress = (step - warmup) / Math.max(1, steps - warmup);
  return to + 0.5 * (from - to) * (1 + Math.cos(Math.PI * progress));
}

/**
 * (1 - step / steps)^power of the way from `to` to `from`, as MMCV's `PolyLrUpdaterHook` by iteration and PyTorch's
 * `PolynomialLR`.
 */
export function polynomial(
  from: number,
  to: number,
  { step, steps }: Pick<Place, 'step' | 'steps'>,
  power: number,
): number {
  return to + (from - to) * (1 - step / steps) ** power;
}

/** `from`, times `factor` for each share of the length that has passed, as PyTorch's `MultiStepLR`. */
export function falling(
  from: number,
  { step, steps }: Pick<Place, 'step' | 'steps'>,
  { at, factor }: { readonly at: readonly number[]; readonly factor: number },
): number {
  return from * factor ** at.filter((share) => step >= Math.round(share * steps)).length;
}

/** What the rate is multiplied by in a linear warm-up that begins at a share of it: MMCV's, and PyTorch's `LinearLR`. */
function warming({ step, warmup = 0 }: Place, share: number): number {
  return step < warmup ? 1 - (1 - step / warmup) * (1 - share) : 1;
}

/** The learning rate of a step. Without a schedule: BEiT's cosine. */
export function learningRateAt(
  {
    learningRate,
    minLearningRate = 0,
    schedule = { kind: 'cosine' },
  }: {
    readonly learningRate: number;
    readonly minLearningRate?: number | undefined;
    readonly schedule?: Schedule | undefined;
  },
  place: Place,
): number {
  switch (schedule.kind) {
    case 'cosine':
      return cosine(learningRate, minLearningRate, place);
    case 'poly': {
      const rate = polynomial(learningRate, minLearningRate, place, schedule.power);
      return rate * warming(place, schedule.warmupFrom);
    }
    case 'steps':
      return falling(learningRate, place, schedule) * warming(place, schedule.warmupFrom);
  }
}

/** The scalars of `adamw` at `step` (0-based). */
export function stepScalars(
  step: number,
  learningRate: number,
  [beta1, beta2]: readonly [number, number] = [0.9, 0.999],
): StepScalars<HostTensor> {
  return {
    learningRate: hostScalar(learningRate),
    correction1: hostScalar(1 - beta1 ** (step + 1)),
    correction2: hostScalar(1 - beta2 ** (step + 1)),
  };
}
