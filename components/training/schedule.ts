import type { HostTensor } from '../engine/types.ts';
import { hostScalar } from '../nn/tree.ts';
import type { StepSize } from './optimizer.ts';

export interface ScheduleOptions {
  readonly learningRate: number;
  readonly steps: number;
  readonly warmupSteps?: number | undefined;
  readonly minLearningRate?: number | undefined;
}

/**
 * Learning rate at `step` (0-based): linear from 0 over the warm-up, then a half cosine down to the minimum, as
 * BEiT's `cosine_scheduler` (microsoft/unilm, beit/utils.py).
 */
export function cosineLearningRate(step: number, options: ScheduleOptions): number {
  const { learningRate, steps, warmupSteps = 0, minLearningRate = 0 } = options;
  if (step < warmupSteps) return (learningRate * step) / Math.max(1, warmupSteps - 1);
  const progress = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  return minLearningRate + 0.5 * (learningRate - minLearningRate) * (1 + Math.cos(Math.PI * progress));
}

/** The scalars of `adamw` at `step` (0-based). */
export function stepSize(
  step: number,
  learningRate: number,
  beta1 = 0.9,
  beta2 = 0.999,
): StepSize<HostTensor> {
  return {
    learningRate: hostScalar(learningRate),
    correction1: hostScalar(1 - beta1 ** (step + 1)),
    correction2: hostScalar(1 - beta2 ** (step + 1)),
  };
}
