import { z } from 'zod';
import { defineComponent } from '../../../framework/stage/define.ts';
import { vitSchema } from '../../backbone/config.ts';
import {
  checkSchedule,
  deriveMinimum,
  deriveWarmup,
  minLearningRate,
  warmupSteps,
} from '../../training/schedule-fields.ts';
import { expectClassification } from '../expect.ts';

const schema = z.strictObject({
  /** Needed only where there is no pretraining, in the scratch row; otherwise the pretrained backbone is taken. */
  backbone: vitSchema.optional(),
  /** Labelled training images in all: the same number of each class; what is left, one each of the first classes. */
  labels: z.number().int().positive(),
  steps: z.number().int().positive(),
  batchSize: z.number().int().positive().default(64),
  learningRate: z.number().positive().default(1e-3),
  /** Absent: 1e-6. */
  minLearningRate,
  /** Absent: a fifth of the steps, at most 30. */
  warmupSteps,
  weightDecay: z.number().nonnegative().default(0.05),
  /** Learning rate of layer l of L is scaled by this to the power L + 1 - l (BEiT-B: 0.65); 1: none. */
  layerDecay: z.number().positive().max(1).default(0.75),
  labelSmoothing: z.number().min(0).lt(1).default(0.1),
  /** Gradients are scaled down to this global norm if it is exceeded; 0: never. BEiT: never. */
  clipNorm: z.number().nonnegative().default(1),
  /** Mirror each image with probability one half. */
  flip: z.boolean().default(true),
});

export type FineTuneConfig = z.output<typeof schema>;

/**
 * Fine-tuning of the whole backbone for classification, evaluated on the whole test split (BEiT, section 3.1), after the
 * last step: BEiT's code prints the best epoch on the split that it measures, so numbers of papers are a little higher.
 *
 * Other than in BEiT: images are only mirrored (BEiT: RandAugment, mixup, cutmix, random erasing), there is no drop path,
 * gradients are clipped (BEiT: not), and the layer decay is 0.75 unless said (BEiT-B: 0.65).
 */
export const fineTune = defineComponent({
  role: 'downstream',
  kind: 'fine-tune',
  schema,
  run: new URL('./stage.ts', import.meta.url).href,
  derive: (config) => ({ ...deriveWarmup(config, 30), ...deriveMinimum(config, 1e-6) }),
  check: (config) => {
    const { batchSize, labels } = config;
    const message = `must be at least \`batchSize\`, ${batchSize}`;
    const hint = 'a batch is made of labelled images: lower `batchSize`, or take more labels';
    return [...checkSchedule(config), ...(labels < batchSize ? [{ path: ['labels'], message, hint }] : [])];
  },
  expects: (config, inputs) => expectClassification({ ...config, view: {} }, inputs),
});
