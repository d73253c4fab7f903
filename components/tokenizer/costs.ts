import type { WiredInputs } from '../../framework/stage/component.ts';
import { addFlops, type Costs, type Flops, scaleFlops, type UseCosts } from '../../framework/stage/costs.ts';
import { factOf } from '../../framework/stage/expect.ts';
import { seenBy } from '../data/views/expect.ts';
import {
  activationCounts,
  type Counts,
  nothing,
  plainParameters,
  sumOf,
  trainingFlops,
} from '../nn/costs.ts';
import { trainingCosts } from '../training/costs.ts';
import { type TokenizerTraining, tokensOf } from './config.ts';
import { networkCounts } from './networks/costs.ts';
import type { NetworkOptions } from './networks/options.ts';

interface Codes {
  /** K and D. */
  readonly size: number;
  readonly dim: number;
}

export type Convolutional = NetworkOptions & { readonly codebook: Codes };

/** What is between the encoder and the decoder, for one image. */
export interface Middle {
  /** Channels that the encoder gives for a token. */
  readonly outputs: number;
  /** Trained beside the two networks, and what it leaves for the backward pass. */
  readonly trained: Counts;
  /** FLOPs of a training: forward, backward, statistics. */
  readonly training: number;
  /** FLOPs of choosing codes. */
  readonly choosing: number;
}

/** Products of all tokens of an image with all codes, and the sums of tokens by code; the codebook isn't trained. */
export function vectorQuantised({ stride, codebook }: Convolutional, size: number): Middle {
  const products = productsOf(codebook, tokensOf(size, stride));
  return { outputs: codebook.dim, trained: nothing, training: 2 * products, choosing: products };
}

/** Shares of all codes for each token, whose mean of the code vectors is trained with them. */
export function gumbelSoftmax({ stride, codebook }: Convolutional, size: number): Middle {
  const { size: codes, dim } = codebook;
  const tokens = tokensOf(size, stride);
  return {
    outputs: codes,
    // Logits, noise, shares, and the posterior of the divergence.
    trained: sumOf([plainParameters(codes * dim), activationCounts(4 * tokens * codes)]),
    training: 3 * productsOf(codebook, tokens),
    choosing: 0,
  };
}

const productsOf = ({ size, dim }: Codes, tokens: number) => 2 * tokens * size * dim;

/** What is between encoder and decoder, by config and pixels a side. */
export type MiddleOf = (config: Convolutional, size: number) => Middle;

/** Costs of the training of a convolutional tokenizer; undefined where the size of the images isn't known. */
export function tokenizerCosts(
  config: Convolutional & TokenizerTraining,
  { train, network }: WiredInputs,
  middleOf: MiddleOf,
): Costs | undefined {
  const size = factOf(seenBy(config.view, train), 'size');
  if (size === undefined) return undefined;
  const middle = middleOf(config, size);
  const { encoder, decoder, first } = networkCounts(config, size, endsOf(config, middle));
  const all = sumOf([encoder, decoder, middle.trained]);
  const perceptual = perceptualCosts(config, network?.use?.(size));
  if (!perceptual) return undefined;
  const own = { conv: trainingFlops(sumOf([encoder, decoder]), first), dense: middle.training };
  return trainingCosts(config, factOf(train, 'images'), {
    parameters: all.parameters,
    flops: addFlops(own, perceptual.flops),
    kept: all.kept + perceptual.kept,
    frozen: perceptual.parameters,
  });
}

/** Features of the images, of the reconstructions, and the gradient to these; undefined where the network doesn't say. */
function perceptualCosts(
  { loss }: Pick<TokenizerTraining, 'loss'>,
  use: UseCosts | undefined,
): { readonly parameters: number; readonly flops: Flops; readonly kept: number } | undefined {
  if (!loss.perceptual) return { parameters: 0, flops: {}, kept: 0 };
  if (!use) return undefined;
  const { parameters, flops, activations } = use;
  return { parameters, flops: scaleFlops(flops, 3), kept: activations / 4 };
}

/** Codes of an image, and an image of codes. */
export function tokenizerUse(config: Convolutional, size: number, middleOf: MiddleOf): UseCosts {
  const middle = middleOf(config, size);
  const { encoder, decoder } = networkCounts(config, size, endsOf(config, middle));
  const { size: codes, dim } = config.codebook;
  return {
    parameters: encoder.parameters + decoder.parameters + codes * dim,
    flops: { conv: encoder.flops, dense: middle.choosing },
    activations: 4 * encoder.kept,
    back: { conv: decoder.flops },
  };
}

function endsOf({ codebook }: Convolutional, { outputs }: Middle) {
  return { outputs, inputs: codebook.dim };
}
