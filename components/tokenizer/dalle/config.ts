import { z } from 'zod';
import { defineComponent } from '../../../framework/stage/define.ts';
import { factOf } from '../../../framework/stage/expect.ts';
import { seenBy } from '../../data/views/expect.ts';
import { viewSchema } from '../../data/views/view.ts';
import { askForLength, defineRecipe, oneLength } from '../../training/recipe.ts';
import { strideField, tokenizerExports } from '../config.ts';
import { checkFall, expectTokenizable } from '../expect.ts';
import { smokeTokenizer } from '../smoke.ts';
import { dalleCosts, dalleUse } from './costs.ts';

const count = z.int().positive();
const share = z.number().gt(0).max(1);

/** Ramesh et al. 2021, appendix A.2, where the rate falls for 1.2 of 3 million steps; here it falls to the end. */
const recipe = defineRecipe({
  batchSize: 512,
  learningRate: 1e-4,
  minLearningRate: 1.25e-6,
  warmup: { steps: 0, epochs: 0 },
  weightDecay: 1e-4,
});

const schema = z
  .strictObject({
    /** Channels at the highest resolution; twice as many at each lower one. */
    width: z.int().multipleOf(4).min(4).default(256),
    stride: strideField,
    /** Of each resolution, in the encoder and in the decoder. */
    residualBlocks: count.default(2),
    codebook: z
      .strictObject({
        /** Number of codes: K. */
        size: z.int().min(2).default(8192),
        /** Length of a code vector: D. The channels in front of the decoder's first block. */
        dim: count.default(128),
      })
      .prefault({}),
    /** Gumbel-softmax temperature: falls by a half cosine in the first part of the training, `over` of it. */
    temperature: z
      .strictObject({
        from: z.number().positive().default(1),
        to: z
          .number()
          .positive()
          .default(1 / 16),
        over: share.default(150_000 / 3_000_000),
      })
      .prefault({}),
    /** KL of each token's posterior to uniform: its weight rises from 0 in the first part of the training. */
    divergence: z
      .strictObject({
        weight: z.number().nonnegative().default(6.6),
        over: share.default(5_000 / 3_000_000),
      })
      .prefault({}),
    ...recipe.fields,
    /** Decay of the moving average of the weights that is the result; 0: the last weights are. */
    average: z.number().min(0).lt(1).default(0.999),
    /** What of each image is seen. */
    view: viewSchema.prefault({}),
    /** Absent: one tokenizer is trained for each seed of the experiment. A number: one by this seed, and all seeds share it. */
    seed: z.int().nonnegative().optional(),
  })
  .check(...oneLength);

export type DalleConfig = z.output<typeof schema>;

/**
 * The discrete VAE of DALL-E (Ramesh et al. 2021; openai/DALL-E), BEiT's tokenizer: at its defaults 53,786,240 parameters
 * in the encoder and 43,829,766 in the decoder, code vectors included.
 *
 * Trained here as the paper's appendix A.2 says: logit-Laplace likelihood, Gumbel-softmax, divergence of each token's
 * posterior to uniform, AdamW, averaged weights. Lengths of schedules are the paper's shares of 3 million steps of 512
 * images. Choices of this project, since the code of that training isn't public: the rate falls to the end, and what of
 * the images is seen is `view`.
 */
export const dalle = askForLength(
  defineComponent({
    role: 'tokenizer',
    kind: 'dalle',
    schema,
    run: new URL('./stage.ts', import.meta.url).href,
    load: new URL('./load.ts', import.meta.url).href,
    derive: recipe.derive,
    check: (config) => [...recipe.check(config), ...checkFall(config.temperature)],
    expects: expectTokenizable,
    smoke: smokeTokenizer,
    costs: (config, { train }) =>
      dalleCosts(config, {
        size: factOf(seenBy(config.view, train), 'size'),
        images: factOf(train, 'images'),
      }),
    use: dalleUse,
    provides: ({ stride, codebook }) => ({ stride, vocabulary: codebook.size }),
    steps: recipe.length,
    exports: tokenizerExports,
  }),
);
