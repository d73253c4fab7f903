import { z } from 'zod';
import { defineComponent } from '../../../framework/stage/define.ts';
import { checkLayers } from '../../perceptual/check-layers.ts';
import { codebookFields, perceptualNetwork, trainingFields } from '../config.ts';

const schema = z.strictObject({
  ...trainingFields,
  codebook: z.strictObject(codebookFields).prefault({}),
  /** Gumbel-softmax temperature, annealed by a half cosine over the training. */
  temperature: z
    .strictObject({ from: z.number().positive().default(1), to: z.number().positive().default(0.0625) })
    .prefault({}),
  /** Weight of KL(mean posterior of the batch || uniform); without it the argmax codes collapse. */
  usageWeight: z.number().nonnegative().default(0.1),
});

export type DvaeConfig = z.output<typeof schema>;

/**
 * Discrete VAE with a Gumbel-softmax bottleneck (Jang et al. 2017; DALL-E, Ramesh et al. 2021), the tokenizer of BEiT.
 */
export const dvae = defineComponent({
  role: 'tokenizer',
  kind: 'dvae',
  schema,
  run: new URL('./stage.ts', import.meta.url).href,
  load: new URL('./load.ts', import.meta.url).href,
  inputs: perceptualNetwork,
  check: checkLayers,
  provides: ({ stride }) => ({ stride }),
  steps: 'steps',
});
