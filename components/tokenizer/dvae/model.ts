import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../engine/types.ts';
import { normal } from '../../nn/init.ts';
import { random } from '../../nn/random.ts';
import { valueAndGradients } from '../../training/gradients.ts';
import { adamw, initMoments, type Moments, type StepSize } from '../../training/optimizer.ts';
import { applyDecoder, applyEncoder, initDecoder, initEncoder } from '../autoencoder.ts';
import type { ReconstructionLoss } from '../reconstruction.ts';
import type { TokenizerWeights } from '../tokenizer.ts';
import type { DvaeConfig } from './config.ts';

export interface DvaeState<T> {
  readonly parameters: TokenizerWeights<T>;
  readonly moments: Moments<TokenizerWeights<T>>;
}

export interface DvaeBatch<T> {
  /** [B, H, W, 3] in [0, 1]. */
  readonly images: T;
  /** Uniform in [0, 1), [B * T, K]: becomes Gumbel noise. */
  readonly noise: T;
  readonly temperature: T;
  readonly size: StepSize<T>;
}

export function initDvae(config: DvaeConfig, seed: number): DvaeState<HostTensor> {
  const { size, dim } = config.codebook;
  const parameters = {
    encoder: initEncoder(random(seed, 'encoder'), config, size),
    decoder: initDecoder(random(seed, 'decoder'), config, dim),
    codebook: normal(random(seed, 'codebook'), 1, size, dim),
  };
  return { parameters, moments: initMoments(parameters) };
}

/** KL(p || uniform) in nats of the batch-mean posterior p [K]: log K minus the entropy of p. */
export function usageDivergence(logits: tf.Tensor): tf.Scalar {
  const classes = logits.shape[1] as number;
  const mean = tf.mean(tf.softmax(logits as tf.Tensor2D), 0);
  return tf.add(tf.sum(tf.mul(mean, tf.log(tf.add(mean, 1e-10)))), Math.log(classes)) as tf.Scalar;
}

/** One training step through the Gumbel-softmax relaxation of the codes. */
export function dvaeStep(config: DvaeConfig, reconstruction: ReconstructionLoss) {
  const { size, dim } = config.codebook;
  return (
    state: DvaeState<tf.Tensor>,
    batch: DvaeBatch<tf.Tensor>,
    constants: { readonly [name: string]: tf.Tensor },
  ) => {
    const { images } = batch;
    const targets = reconstruction.targets(constants, images);
    const gumbel = tf.neg(tf.log(tf.add(tf.neg(tf.log(tf.add(batch.noise, 1e-9))), 1e-9)));
    const { loss, gradients, aux } = valueAndGradients(state.parameters, (parameters) => {
      const encoded = applyEncoder(parameters.encoder, images);
      const [count, height, width] = encoded.shape;
      const logits = tf.reshape(encoded, [-1, size]);
      const soft = tf.softmax(tf.div(tf.add(logits, gumbel), batch.temperature));
      const mixed = tf.matMul(soft as tf.Tensor2D, parameters.codebook as tf.Tensor2D);
      const output = applyDecoder(parameters.decoder, tf.reshape(mixed, [count, height, width, dim]));
      const parts = reconstruction.evaluate(constants, images, output, targets);
      const usage = usageDivergence(logits);
      const total = tf.add(parts.loss, tf.mul(usage, config.usageWeight)) as tf.Scalar;
      return { loss: total, aux: { pixel: parts.pixel, perceptual: parts.perceptual, usage } };
    });
    const updated = adamw(state.parameters, gradients, state.moments, batch.size, {
      beta1: config.beta1,
      beta2: config.beta2,
      clipNorm: config.clipNorm,
    });
    return {
      state: { parameters: updated.parameters, moments: updated.moments },
      out: { loss, ...aux },
    };
  };
}
