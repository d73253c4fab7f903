import { z } from 'zod';
import { defineComponent } from '../../../framework/stage/define.ts';
import { askForLength, oneLength } from '../../training/recipe.ts';
import { askForLayers, codebookFields, networkFields, trainingFields } from '../config.ts';
import { vectorQuantised } from '../costs.ts';
import { convolutional } from '../definition.ts';
import { checkNetwork, checkTokenizer, expectRevivable, expectTokenizable } from '../expect.ts';

const schema = z
  .strictObject({
    ...networkFields,
    ...trainingFields,
    /** The codes. */
    codebook: z
      .strictObject({
        ...codebookFields,
        /** Decay of the moving averages (VQGAN and BEiT v2: 0.99); below 1, since the codebook would never move. */
        decay: z.number().min(0).lt(1).default(0.97),
        /** Laplace smoothing of the counts. */
        epsilon: z.number().positive().default(1e-5),
        /**
         * A code taken by fewer tokens of a batch than this, on average, becomes a token of the batch; 0: never. At most 1,
         * which a new code counts as, and the tokens that a batch has for each code.
         */
        reviveBelow: z.number().min(0).max(1).default(0.05),
        /** Codes and encoder outputs have length 1, so that a token takes the code at the smallest angle (BEiT v2). */
        normalise: z.boolean().default(false),
        /**
         * Where codes begin: drawn from a normal distribution, or as the centres of the tokens that the untrained encoder
         * makes of the first batch (ten rounds of k-means, as BEiT v2; by angles where codes are normalised).
         */
        start: z.enum(['random', 'k-means']).default('random'),
      })
      .prefault({}),
    /** Weight of |z - sg[e]|^2, which keeps the encoder near its codes. */
    commitmentWeight: z.number().nonnegative().default(0.25),
  })
  .check(...oneLength);

export type VqvaeConfig = z.output<typeof schema>;

/**
 * Vector-quantised auto-encoder (van den Oord et al. 2017) with an EMA codebook; with `loss.perceptual` it is
 * PeCo's tokenizer (arXiv 2111.12710).
 *
 * Other than in VQGAN and PeCo: codes that are hardly used are replaced (neither does, nor does BEiT v2, so numbers of
 * used codes can't be compared; `reviveBelow: 0` switches it off), the moving averages forget faster (0.97; there 0.99),
 * Adam's betas are 0.9 and 0.999 (VQGAN: 0.5 and 0.9), and there is no adversarial loss.
 */
export const vqvae = askForLayers(
  askForLength(
    defineComponent({
      ...convolutional(vectorQuantised),
      kind: 'vqvae',
      schema,
      run: new URL('./stage.ts', import.meta.url).href,
      load: new URL('./load.ts', import.meta.url).href,
      check: (config, inputs) => [...checkTokenizer(config, inputs), ...checkNetwork(config)],
      expects: (config, inputs) => [
        ...expectTokenizable(config, inputs),
        ...expectRevivable(config, inputs.train),
      ],
    }),
  ),
);
