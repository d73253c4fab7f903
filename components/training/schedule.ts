import type { HostTensor } from '../engine/types.ts';
import { hostScalar } from '../nn/tree.ts';
import type { StepScalars } from './optimizer.ts';

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
