import { z } from 'zod';
import { defineComponent } from '../../../framework/stage/define.ts';
import { factOf } from '../../../framework/stage/expect.ts';
import { seenBy } from '../../data/views/expect.ts';
import { viewSchema } from '../../data/views/view.ts';
import { type askForLength, defineRecipe, oneLength } from '../../training/recipe.ts';
import { tokenizerExports } from '../config.ts';
import { defineImportedDalle, type ImportedDalleInput } from '../dalle-imported/config.ts';
import { checkFall, expectTokenizable } from '../expect.ts';
import { smokeTokenizer } from '../smoke.ts';
import { dalleCosts, dalleUse } from './costs.ts';
import { formFields } from './fields.ts';

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
    ...formFields,
    /** Gumbel-softmax temperature: falls by a half cosine in the first part of the training, `over` of it. */
    temperature: z
      .strictObject({
        /** At the first step. */
        from: z.number().positive().default(1),
        /** From the end of the fall on. */
        to: z
          .number()
          .positive()
          .default(1 / 16),
        /** The share of the steps in which it falls. */
        over: share.default(150_000 / 3_000_000),
      })
      .prefault({}),
    /** KL of each token's posterior to uniform: its weight rises from 0 in the first part of the training. */
    divergence: z
      .strictObject({
        /** From the end of the rise on. */
        weight: z.number().nonnegative().default(6.6),
        /** The share of the steps in which it rises. */
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

const trained = defineComponent({
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
    dalleCosts(config, { size: factOf(seenBy(config.view, train), 'size'), images: factOf(train, 'images') }),
  use: dalleUse,
  provides: ({ stride, codebook }) => ({ stride, vocabulary: codebook.size }),
  steps: recipe.length,
  exports: tokenizerExports,
});

const imported = defineImportedDalle(Object.keys(schema.shape));

type TrainedInput = Parameters<ReturnType<typeof askForLength<typeof trained>>>[0];
type Dalle = ReturnType<typeof trained>;

/**
 * The discrete VAE of DALL-E (Ramesh et al. 2021; openai/DALL-E), BEiT's tokenizer: at its defaults 53,786,240 parameters
 * in the encoder and 43,829,766 in the decoder, code vectors included.
 *
 * With `weights: { encoder: file('encoder.pkl'), decoder: file('decoder.pkl') }` nothing is trained. Otherwise it is trained
 * here as appendix A.2 of the paper says (arXiv 2102.12092; the code of that training isn't public): logit-Laplace
 * likelihood, Gumbel-softmax, divergence of each token's posterior to uniform, AdamW, averaged weights. Choices of this
 * project: schedules have the paper's shares of its 3 million steps of 512 images, the rate falls to the end, biases don't
 * decay, and images are seen as `view` says (the paper: random crops of 256 pixels, not mirrored).
 */
export function dalle(input: ImportedDalleInput): Dalle;
export function dalle(input: TrainedInput): Dalle;
export function dalle(input: TrainedInput | ImportedDalleInput): Dalle {
  // Whatever it is: what is wrong with it is for the schemas to say.
  if (typeof input !== 'object' || input === null || !('weights' in input)) return trained(input as never);
  const { weights, ...rest } = input;
  return weights === undefined ? trained(rest as never) : (imported(input) as unknown as Dalle);
}
