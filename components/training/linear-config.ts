import { z } from 'zod';
import type { SmokeChanges } from '../../framework/stage/component.ts';

const count = z.number().int().positive();

/** Fields of a component that fits a linear classifier; see `linearTopOne`. */
export const linearFields = {
  /** Weight of half the sum of squared weights; auto: chosen on a fifth of the labelled images. */
  l2: z.union([z.literal('auto'), z.number().nonnegative()]).default('auto'),
  /** Iterations of L-BFGS at the most. A fit that needs more is used as it is, and reported as not converged. */
  steps: count.default(1000),
  /** Where a fit to the optimum would take too long; then `l2` is not used. The values are those of BEiT's code. */
  minibatch: z
    .strictObject({
      /**
       * Products of a pass (labelled rows x width x classes) beyond which minibatches are used. 1e9 take the host about two
       * seconds; ImageNet-1K with ViT-B has 1e12.
       */
      above: z.number().nonnegative().default(1e9),
      /** Passes over the labelled images. */
      epochs: count.default(100),
      /** Images a step. */
      batchSize: count.default(1024),
      /** Of several, which are trained at once, the best on a tenth of the labelled images, which is held out. */
      learningRate: z.union([z.number().positive(), z.array(z.number().positive()).min(1)]).default(4e-3),
      /** Of the weights, in each step. */
      weightDecay: z.number().nonnegative().default(1e-4),
    })
    .prefault({}),
};

/** The width that a layer may have, where nothing but the number of labels is known. */
const likelyWidth = 768;

/**
 * For `smoke`: few iterations; in minibatches where the real fit takes them.
 *
 * @param labels of the real fit; absent: all images, and nothing is known of how many
 * @param classes of the real data, if they are known
 */
export function smokeLinear(
  { steps, minibatch }: { readonly steps: number; readonly minibatch: { readonly above: number } },
  labels = Number.POSITIVE_INFINITY,
  classes = 1000,
): SmokeChanges {
  const isSplit = labels * classes * likelyWidth > minibatch.above;
  return {
    steps: Math.min(steps, 20),
    ...(isSplit ? { minibatch: { above: 0, epochs: 1, batchSize: 8 } } : {}),
  };
}
