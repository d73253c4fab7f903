import type { Progress } from '../../framework/stage/contract.ts';

/** A context whose progress is followed. */
export interface Followed<Context> {
  readonly context: Context;
  /** Shows how many test images are done, beside what the training showed last. */
  tested(images: number): void;
}

/**
 * The same context for a training and for the test after it. The test's progress is one more value: steps and images of a stage
 * are those of its training, of which its rate is made.
 */
export function followed<Context extends { progress(update: Progress): void }>(
  context: Context,
): Followed<Context> {
  let last: Progress = { step: 0, of: 0 };
  return {
    context: {
      ...context,
      progress(update) {
        last = update;
        context.progress(update);
      },
    },
    tested: (images) =>
      context.progress({ ...last, phase: 'evaluating', values: { ...last.values, tested: images } }),
  };
}
