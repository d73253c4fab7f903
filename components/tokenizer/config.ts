import { z } from 'zod';
import type { Component, Exports } from '../../framework/stage/component.ts';
import { constant } from '../../framework/stage/constant.ts';
import { component } from '../../framework/stage/define.ts';
import { viewSchema } from '../data/views/view.ts';
import { defineRecipe } from '../training/recipe.ts';
import { type NetworkOptions, SMALL_WIDTH } from './networks/options.ts';

const positive = z.number().positive();
const layerWeights = z
  .record(z.string(), positive)
  .refine((weights) => Object.keys(weights).length > 0, { error: 'names no layer' });
const count = z.number().int().positive();

/** Adam's betas are PyTorch's defaults; VQGAN has 0.5 and 0.9 (CompVis/taming-transformers). */
export const recipe = defineRecipe({
  batchSize: 64,
  learningRate: 1e-3,
  warmup: { steps: 20, epochs: 10 },
  clipNorm: 1,
});

/** Side of the square of pixels that becomes one token. */
export const strideField = z.union([z.literal(4), z.literal(8), z.literal(16)]).default(8);

/** Which encoder and decoder. */
export const networkFields = {
  stride: strideField,
  /**
   * In VQGAN's form: at each resolution of the encoder; the decoder has one more. In the small network: at the lowest
   * resolution of both.
   */
  residualBlocks: z.number().int().nonnegative().default(2),
  /**
   * Of the small network: channels at the lowest resolution; half as many at each higher one, at least 16. A multiple
   * of 8; 64 where nothing is said.
   */
  width: z.number().int().multipleOf(8).min(16).optional(),
  /** An encoder and decoder in VQGAN's form, as PeCo's; absent: the small ones. */
  vqgan: z
    .strictObject({
      /** What the multipliers multiply. */
      channels: z.number().int().multipleOf(32).positive().default(128),
      /** One for each resolution from that of the image to that of the tokens: five where the stride is 16. */
      multipliers: constant(z.array(count)).default([1, 1, 2, 2, 4]),
      /** Self-attention after each residual block of the lowest resolution; the middle has one in any case. */
      attention: z.boolean().default(true),
      /** Channels between the network and the 1x1 convolutions to and from codes. */
      latent: count.default(256),
    })
    .optional(),
};

/** Defaults that depend on the kind of network. */
export function deriveNetwork({ vqgan }: NetworkOptions): { readonly width?: number } {
  return vqgan ? {} : { width: SMALL_WIDTH };
}

/** Fields of the training that every tokenizer has. */
export const trainingFields = {
  /** What a reconstruction is compared by. */
  loss: z
    .strictObject({
      /** Weight of the mean squared error of pixels in [0, 1]. */
      pixel: z.number().nonnegative().default(1),
      /** PeCo's term; absent: pixels only. */
      perceptual: z
        .strictObject({
          /** A frozen network: `inception()`, `vgg({...})`. */
          network: component('network'),
          /**
           * Layers of it whose activations are compared: `['relu1_2', 'relu3_3']`, all with the same weight, or a weight for
           * each: `{ relu1_2: 1, relu3_3: 0.5 }`.
           */
          layers: z.union([constant(z.array(z.string()).min(1)), layerWeights]),
          /** Of the sum over the layers. */
          weight: positive.default(1),
          /** unit: unit length over channels at each position, as LPIPS. */
          normalisation: z.enum(['unit', 'layer', 'none']).default('unit'),
        })
        .optional(),
    })
    .prefault({}),
  ...recipe.fields,
  /** What of each image is seen. */
  view: viewSchema.prefault({}),
  /** Absent: one tokenizer is trained for each seed of the experiment. A number: one by this seed, and all seeds share it. */
  seed: z.int().nonnegative().optional(),
};

export const codebookFields = {
  /** Number of codes: K. */
  size: z.number().int().min(2).default(256),
  /** Length of a code vector: D. */
  dim: count.default(32),
};

const trainingSchema = z.strictObject(trainingFields);

/** The fields above with defaults applied, as a stage reads them. */
export type TokenizerTraining = z.output<typeof trainingSchema>;

/** Tokens of an image of a size, in pixels a side. */
export function tokensOf(size: number, stride: number): number {
  return (size / stride) ** 2;
}

/** Finds the nested network, so that the framework can make it a stage of its own. */
export function perceptualNetwork(input: {
  readonly loss?: { readonly perceptual?: { readonly network: Component } | undefined } | undefined;
}): { network: Component | undefined } {
  return { network: input.loss?.perceptual?.network };
}

/** A weight for each of some layers: no list, which has none of these names and would do otherwise. */
export type Weights<Layers extends string> = { readonly [Layer in Layers]?: number } & {
  readonly [Symbol.iterator]?: never;
};

/**
 * A perceptual loss that names layers, and whose network offers some: then only these may be named. Where names are strings
 * that the compiler doesn't know, as those of `const layers = ['relu1_2']`, they are for the loader to check.
 */
export interface Compared<Offered extends string, Named extends string> {
  readonly loss?:
    | {
        readonly perceptual?:
          | {
              readonly network: { readonly offers?: readonly Offered[] };
              readonly layers: (readonly Named[] | { readonly [Layer in Named]: number }) &
                (string extends Named ? unknown : readonly NoInfer<Offered>[] | Weights<NoInfer<Offered>>);
            }
          | undefined;
      }
    | undefined;
}

/** Lets the compiler know which layers the network of a perceptual loss has: what it offers, or any if it doesn't say. */
export function askForLayers<C extends (...input: never[]) => unknown>(construct: C) {
  type Input = NonNullable<Parameters<C>[0]>;
  return construct as unknown as <const Offered extends string = string, Named extends string = Offered>(
    input: Input & Compared<Offered, Named>,
  ) => ReturnType<C>;
}

/** What every tokenizer can be exported to: images to codes, codes to images. */
export const tokenizerExports: Exports = {
  module: new URL('./export.ts', import.meta.url).href,
  formats: { onnx: '.onnx', 'onnx-decoder': '.onnx' },
};
