import { z } from 'zod';
import { defineComponent } from '../../../framework/stage/define.ts';
import { askForLength, oneLength } from '../../training/recipe.ts';
import { askForLayers, codebookFields, networkFields, trainingFields } from '../config.ts';
import { gumbelSoftmax } from '../costs.ts';
import { convolutional } from '../definition.ts';
import { checkFall, checkNetwork, checkTokenizer, expectTokenizable } from '../expect.ts';

const schema = z
  .strictObject({
    ...networkFields,
    ...trainingFields,
    /** The codes. */
    codebook: z.strictObject(codebookFields).prefault({}),
    /** Gumbel-softmax temperature, annealed by a half cosine over the training. */
    temperature: z
      .strictObject({
        /** At the first step. */
        from: z.number().positive().default(1),
        /** At the last one. */
        to: z.number().positive().default(0.0625),
      })
      .prefault({}),
    /** Weight of KL(mean posterior of the batch || uniform); without it the argmax codes collapse. */
    usageWeight: z.number().nonnegative().default(0.1),
  })
  .check(...oneLength);

export type DvaeConfig = z.output<typeof schema>;

/**
 * Discrete VAE with a Gumbel-softmax bottleneck (Jang et al. 2017): a small relative of BEiT's tokenizer, DALL-E's
 * (Ramesh et al. 2021; `dalle` is that one), which trains in seconds on small images. Nearest is the DiscreteVAE of DALLE-pytorch, BEiT's "customized" one.
 *
 * Other than in `dalle`: squared error of pixels (there: logit-Laplace likelihood), the divergence of the mean posterior
 * of a batch to uniform (there: of each token's, with a weight that rises to 6.6), a temperature that falls during the
 * whole training (there: during the first twentieth), and the encoder and decoder of `vqvae` with GroupNorm (there:
 * groups of residual blocks, 256 to 2,048 channels wide, with max pooling).
 */
export const dvae = askForLayers(
  askForLength(
    defineComponent({
      ...convolutional(gumbelSoftmax),
      kind: 'dvae',
      schema,
      run: new URL('./stage.ts', import.meta.url).href,
      load: new URL('./load.ts', import.meta.url).href,
      check: (config, inputs) => [
        ...checkTokenizer(config, inputs),
        ...checkNetwork(config),
        ...checkFall(config.temperature),
      ],
      expects: expectTokenizable,
    }),
  ),
);
