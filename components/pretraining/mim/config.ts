import { z } from 'zod';
import { defineComponent } from '../../../framework/stage/define.ts';
import { expectAtMost, expectEqual } from '../../../framework/stage/expect.ts';
import { expectPatches, vitSchema } from '../../backbone/config.ts';
import {
  checkSchedule,
  deriveMinimum,
  deriveWarmup,
  minLearningRate,
  warmupSteps,
} from '../../training/schedule-fields.ts';
import { expectMasks, maskFields } from '../mask-fields.ts';

const schema = z.strictObject({
  backbone: vitSchema,
  ...maskFields,
  steps: z.number().int().positive(),
  batchSize: z.number().int().positive().default(64),
  learningRate: z.number().positive().default(1.5e-3),
  /** Absent: 1e-5. */
  minLearningRate,
  /** Absent: a fifth of the steps, at most 50. */
  warmupSteps,
  weightDecay: z.number().nonnegative().default(0.05),
  beta2: z.number().gt(0).lt(1).default(0.999),
  /** Gradients are scaled down to this global norm; 0: never. BEiT: 3. */
  clipNorm: z.number().nonnegative().default(3),
  /** Mirror each image with probability one half; the tokenizer sees the mirrored image too. */
  flip: z.boolean().default(true),
});

export type MaskedImageModellingConfig = z.output<typeof schema>;

/**
 * BEiT's pretraining (arXiv 2106.08254): predict the tokenizer's codes of masked patches. Rates, decay, clipping and
 * masks are those of its ImageNet-1K command for ViT-B; batches there have 2,048 images.
 *
 * Other than in BEiT: images are only mirrored (BEiT: random resized crops in two sizes, colour jitter), pixels are
 * scaled to [-1, 1] (BEiT's ImageNet-1K command: ImageNet's mean and deviation), and there is no drop path (BEiT: 0.1).
 */
export const maskedImageModelling = defineComponent({
  role: 'pretraining',
  kind: 'masked-image-modelling',
  schema,
  run: new URL('./stage.ts', import.meta.url).href,
  load: new URL('./load.ts', import.meta.url).href,
  derive: (config) => ({ ...deriveWarmup(config, 50), ...deriveMinimum(config, 1e-5) }),
  check: checkSchedule,
  provides: ({ backbone }) => ({ depth: backbone.depth }),
  expects: ({ backbone, batchSize, ...masks }, { train, tokenizer }) => [
    ...expectEqual(
      { path: ['backbone', 'patch'], value: backbone.patch },
      tokenizer,
      'stride',
      'make them equal: a patch is a token',
    ),
    ...expectPatches(backbone, ['backbone'], train),
    ...expectMasks(masks, backbone.patch, train),
    ...expectAtMost({ path: ['batchSize'], value: batchSize }, train, 'images'),
  ],
});
