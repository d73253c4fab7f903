import { z } from 'zod';
import { defineComponent } from '../../../framework/stage/define.ts';
import { checkLayers } from '../../perceptual/check-layers.ts';
import { codebookFields, perceptualNetwork, trainingFields } from '../config.ts';

const schema = z.strictObject({
  ...trainingFields,
  codebook: z
    .strictObject({
      ...codebookFields,
      /** Decay of the moving averages. */
      decay: z.number().min(0).max(1).default(0.97),
      /** Laplace smoothing of the counts. */
      epsilon: z.number().positive().default(1e-5),
      /** A code taken by fewer tokens of a batch than this, on average, becomes a token of the batch; 0: never. */
      reviveBelow: z.number().nonnegative().default(0.05),
    })
    .prefault({}),
  /** Weight of |z - sg[e]|^2, which keeps the encoder near its codes. */
  commitmentWeight: z.number().nonnegative().default(0.25),
});

export type VqvaeConfig = z.output<typeof schema>;

/**
 * Vector-quantised auto-encoder (van den Oord et al. 2017) with an EMA codebook; with `loss.perceptual` it is
 * PeCo's tokenizer (arXiv 2111.12710).
 */
export const vqvae = defineComponent({
  role: 'tokenizer',
  kind: 'vqvae',
  schema,
  run: new URL('./stage.ts', import.meta.url).href,
  load: new URL('./load.ts', import.meta.url).href,
  inputs: perceptualNetwork,
  check: checkLayers,
  provides: ({ stride }) => ({ stride }),
  steps: 'steps',
});
