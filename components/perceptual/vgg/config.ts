import { z } from 'zod';
import { defineComponent } from '../../../framework/stage/define.ts';
import { vggLayers } from './architecture.ts';

const count = z.int().positive();
const convs = z.int().min(1).max(4);

const schema = z.strictObject({
  /** Channels of the first stage; VGG16 has 64. */
  width: count.default(32),
  stages: z.int().min(1).max(5).default(4),
  /** 3x3 convolutions a stage, or one number for each stage; VGG16 has 5 stages of [2, 2, 3, 3, 3]. */
  convsPerStage: z.union([convs, z.array(convs)]).default(2),
  /**
   * Where its answers come from: the labels of the data, or by how many quarter turns each image was rotated (Gidaris et
   * al. 2018), which needs no labels. PeCo's network is self-supervised, too (MoCo v3).
   */
  supervision: z.enum(['labels', 'rotations']).default('labels'),
  /** 0: the untrained network, as a control that has seen no labels. */
  steps: z.int().nonnegative().default(300),
  batchSize: count.default(64),
  /** Peak of the cosine schedule. */
  learningRate: z.number().positive().default(1e-3),
  warmupSteps: z.int().nonnegative().default(20),
  weightDecay: z.number().nonnegative().default(0.05),
  labelSmoothing: z.number().min(0).lt(1).default(0),
  /** Augmentation: mirror at random, and move by up to so many pixels. */
  flip: z.boolean().default(true),
  shift: z.int().nonnegative().default(2),
  /** Share of the training data that is kept back to measure accuracy on. The test split is never seen. */
  holdOut: z.number().gt(0).lt(1).default(0.1),
  /** Absent: one network is trained for each seed of its tokenizer. A number: one by this seed, and all of them share it. */
  seed: z.int().nonnegative().optional(),
});

export type VggConfig = z.output<typeof schema>;

/**
 * A VGG-style network as a perceptual network, trained as a classifier on the labels of the training data; with
 * `steps: 0` it keeps its random weights.
 */
export const vgg = defineComponent({
  role: 'network',
  kind: 'vgg',
  schema,
  run: new URL('./stage.ts', import.meta.url).href,
  load: new URL('./load.ts', import.meta.url).href,
  offers: vggLayers,
  check: ({ stages, convsPerStage }) =>
    typeof convsPerStage === 'number' || convsPerStage.length === stages
      ? []
      : [
          {
            path: ['convsPerStage'],
            message: `has ${convsPerStage.length} numbers for ${stages} stages`,
            hint: 'give one number for all stages, or one for each',
          },
        ],
});
