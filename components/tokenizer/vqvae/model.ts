import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../engine/types.ts';
import { meanSquaredError } from '../../nn/losses.ts';
import { random } from '../../nn/random.ts';
import { stopGradient, valueAndGradients } from '../../training/gradients.ts';
import { adamw, initMoments, type Moments, type StepSize } from '../../training/optimizer.ts';
import {
  applyDecoder,
  applyEncoder,
  type Decoder,
  type Encoder,
  initDecoder,
  initEncoder,
} from '../autoencoder.ts';
import { type Codebook, initCodebook, nearestCodes, updateCodebook } from '../codebook.ts';
import type { ReconstructionLoss } from '../reconstruction.ts';
import type { VqvaeConfig } from './config.ts';

export interface VqvaeParameters<T> {
  readonly encoder: Encoder<T>;
  readonly decoder: Decoder<T>;
}

export interface VqvaeState<T> {
  readonly parameters: VqvaeParameters<T>;
  readonly codebook: Codebook<T>;
  readonly moments: Moments<VqvaeParameters<T>>;
}

export interface VqvaeBatch<T> {
  /** [B, H, W, 3] in [0, 1]. */
  readonly images: T;
  /** int32 [K]: rows of the batch's tokens that replace dead codes. */
  readonly candidates: T;
  readonly size: StepSize<T>;
}

export function initVqvae(config: VqvaeConfig, seed: number): VqvaeState<HostTensor> {
  const { codebook } = config;
  const parameters = {
    encoder: initEncoder(random(seed, 'encoder'), config, codebook.dim),
    decoder: initDecoder(random(seed, 'decoder'), config, codebook.dim),
  };
  return {
    parameters,
    codebook: initCodebook(random(seed, 'codebook'), codebook.size, codebook.dim),
    moments: initMoments(parameters),
  };
}

/** One training step: straight-through gradient to the encoder, Adam for the weights, EMA for the codebook. */
export function vqvaeStep(config: VqvaeConfig, reconstruction: ReconstructionLoss) {
  return (
    state: VqvaeState<tf.Tensor>,
    batch: VqvaeBatch<tf.Tensor>,
    constants: { readonly [name: string]: tf.Tensor },
  ) => {
    const { images } = batch;
    const targets = reconstruction.targets(constants, images);
    const { loss, gradients, aux } = valueAndGradients(state.parameters, (parameters) => {
      const encoded = applyEncoder(parameters.encoder, images);
      const tokens = tf.reshape(encoded, [-1, config.codebook.dim]);
      const codes = nearestCodes(tokens, state.codebook.vectors);
      const quantised = tf.reshape(tf.gather(state.codebook.vectors, codes), encoded.shape);
      const straight = tf.add(encoded, stopGradient(tf.sub(quantised, encoded)));
      const output = applyDecoder(parameters.decoder, straight);
      const parts = reconstruction.evaluate(constants, images, output, targets);
      const commitment = meanSquaredError(encoded, stopGradient(quantised));
      const total = tf.add(parts.loss, tf.mul(commitment, config.commitmentWeight)) as tf.Scalar;
      const aux = { tokens, codes, pixel: parts.pixel, perceptual: parts.perceptual, commitment };
      return { loss: total, aux };
    });
    const updated = adamw(state.parameters, gradients, state.moments, batch.size, {
      beta1: config.beta1,
      beta2: config.beta2,
      clipNorm: config.clipNorm,
    });
    const codebook = updateCodebook(state.codebook, aux.tokens, aux.codes, batch.candidates, config.codebook);
    return {
      state: { parameters: updated.parameters, codebook, moments: updated.moments },
      out: { loss, pixel: aux.pixel, perceptual: aux.perceptual, commitment: aux.commitment },
    };
  };
}
