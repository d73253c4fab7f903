import { z } from 'zod';
import type { ConfigIssue } from '../../framework/stage/component.ts';

/** Steps of the linear warm-up. Absent: a fifth of `steps`, and at most as many as the component says. */
export const warmupSteps = z.int().nonnegative().optional();

/** Where the cosine ends. Absent: as low as the component says, and never above `learningRate`. */
export const minLearningRate = z.number().nonnegative().optional();

interface Schedule {
  readonly steps: number;
  readonly learningRate: number;
  readonly warmupSteps?: number | undefined;
  readonly minLearningRate?: number | undefined;
}

/** For `derive`: a warm-up that was not asked for must not be longer than the training. */
export function deriveWarmup({ steps }: Schedule, most: number): { readonly warmupSteps: number } {
  return { warmupSteps: Math.min(most, Math.floor(steps / 5)) };
}

/** For `derive`: a minimum that was not asked for is never above the peak. */
export function deriveMinimum(
  { learningRate }: Schedule,
  most: number,
): { readonly minLearningRate: number } {
  return { minLearningRate: Math.min(most, learningRate) };
}

/** Schedules that never come to their peak, or end above it. */
export function checkSchedule(config: Schedule): ConfigIssue[] {
  const { steps, learningRate, warmupSteps: warmup = 0, minLearningRate: minimum = 0 } = config;
  const issues: ConfigIssue[] = [];
  // Without steps nothing is trained, and nothing is too long.
  if (steps > 0 && warmup > 0 && warmup >= steps) {
    const hint = 'raise `steps`, or leave `warmupSteps` out for a fifth of them';
    issues.push({ path: ['warmupSteps'], message: `must be less than \`steps\`, ${steps}`, hint });
  }
  if (minimum > learningRate) {
    const message = `must be at most \`learningRate\`, ${learningRate}`;
    issues.push({ path: ['minLearningRate'], message, hint: 'the rate falls from there' });
  }
  return issues;
}
