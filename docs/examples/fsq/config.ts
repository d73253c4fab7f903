import { defineComponent } from 'peco-exp';
import {
  askForLength,
  defineRecipe,
  expectTokenizable,
  oneLength,
  smokeGeometry,
  smokeRecipe,
  smokeView,
  viewSchema,
} from 'peco-exp/kit';
import { z } from 'zod';

/** Length, batch, learning rate, warm-up and so on, as all trainings have them, with the defaults of this one. */
const recipe = defineRecipe({
  batchSize: 64,
  learningRate: 1e-3,
  warmup: { steps: 20, epochs: 1 },
  clipNorm: 1,
});

const schema = z
  .strictObject({
    /** Values that each channel of a token can have; their product is the number of codes. */
    levels: z.array(z.int().min(2)).min(1).default([8, 5, 5, 5]),
    /** Side of the square of pixels that becomes one token. */
    stride: z.literal([4, 8, 16]).default(8),
    /** Channels of encoder and decoder at the lowest resolution. */
    width: z.int().multipleOf(8).min(16).default(64),
    /** At the lowest resolution of both. */
    residualBlocks: z.int().nonnegative().default(2),
    ...recipe.fields,
    /** What the training sees of each image. */
    view: viewSchema.prefault({}),
    /** Absent: one tokenizer for each seed of the experiment. A number: one that all seeds share. */
    seed: z.int().nonnegative().optional(),
  })
  .check(...oneLength);

export type FsqConfig = z.output<typeof schema>;

/**
 * An auto-encoder with finite scalar quantization (Mentzer et al. 2023, arXiv 2309.15505): each channel of a token is
 * rounded to one of a few values, so there is no codebook to learn. The loss is the mean absolute error of pixels.
 */
export const fsq = askForLength(
  defineComponent({
    role: 'tokenizer',
    kind: 'fsq',
    schema,
    run: new URL('./stage.ts', import.meta.url).href,
    load: new URL('./load.ts', import.meta.url).href,
    derive: recipe.derive,
    check: recipe.check,
    expects: expectTokenizable,
    provides: ({ stride, levels }) => ({ stride, vocabulary: levels.reduce((all, one) => all * one, 1) }),
    smoke: (config, { inputs }) => {
      const size = config.view.size ?? Number(inputs.train?.facts.size ?? 0);
      const smaller = smokeGeometry({ size, stride: config.stride });
      const network = { levels: [4, 4], stride: smaller.stride, width: 16, residualBlocks: 1 };
      return { ...smokeRecipe(config), ...network, view: smokeView(config.view, smaller.size) };
    },
    // `fit` stops at `until` and resumes, so a halved sweep may train it in rungs.
    steps: recipe.length,
  }),
);
