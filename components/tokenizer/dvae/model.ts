import * as tf from '@tensorflow/tfjs-core';
import { normal } from '../../nn/init.ts';
import { random } from '../../nn/random.ts';
import { unit } from '../../nn/unit.ts';
import type { Named, Objective } from '../../training/objective.ts';
import { applyDecoder, applyEncoder, initDecoder, initEncoder } from '../autoencoder.ts';
import { type CodeCounts, countCodes, showCodeUse } from '../counted-codes.ts';
import { type Draw, gumbelNoise, relaxedCodes } from '../gumbel.ts';
import type { ReconstructionLoss } from '../reconstruction.ts';
import type { TokenizerWeights } from '../tokenizer.ts';
import type { DvaeConfig } from './config.ts';

export interface DvaeBatch<T> {
  /** uint8 [B, H, W, 3]. */
  readonly images: T;
  /** int32 [3]: of `uniformRows`, whose numbers become Gumbel noise; one row a token. */
  readonly noise: T;
  readonly temperature: T;
}

/** What no gradient goes through. */
interface DvaeTargets {
  readonly features: tf.Tensor4D[];
  /** [B * T, K] */
  readonly gumbel: tf.Tensor;
}

export type DvaeObjective = Objective<
  TokenizerWeights<tf.Tensor>,
  DvaeBatch<tf.Tensor>,
  DvaeTargets,
  Named,
  object,
  CodeCounts<tf.Tensor>
>;

/** KL(p || uniform) in nats of the batch-mean posterior p [K]: log K minus the entropy of p. */
export function usageDivergence(logits: tf.Tensor): tf.Scalar {
  const classes = logits.shape[1] as number;
  const mean = tf.mean(tf.softmax(logits as tf.Tensor2D), 0);
  return tf.add(tf.sum(tf.mul(mean, tf.log(tf.add(mean, 1e-10)))), Math.log(classes)) as tf.Scalar;
}

/**
 * Training through the Gumbel-softmax relaxation of the codes.
 *
 * @param draw numbers in (0, 1), [rows, columns], from the batch's `noise`
 */
export function dvaeObjective(
  config: DvaeConfig,
  reconstruction: ReconstructionLoss,
  seed: number,
  draw?: Draw,
): DvaeObjective {
  const { size, dim } = config.codebook;
  return {
    name: 'dvae training',
    init: () => ({
      encoder: initEncoder(random(seed, 'encoder'), config, size),
      decoder: initDecoder(random(seed, 'decoder'), config, dim),
      codebook: normal(random(seed, 'codebook'), 1, size, dim),
    }),
    constants: reconstruction.constants,
    targets({ images, noise }, constants) {
      const [count, height, width] = images.shape as [number, number, number];
      const tokens = (count * height * width) / config.stride ** 2;
      const gumbel = gumbelNoise(noise, tokens, size, draw);
      return { features: reconstruction.targets(constants, unit(images)), gumbel };
    },
    loss(parameters, { batch, targets: { features, gumbel }, constants }) {
      const images = unit(batch.images);
      const encoded = applyEncoder(parameters.encoder, images);
      const [count, height, width] = encoded.shape;
      const logits = tf.reshape(encoded, [-1, size]);
      const soft = relaxedCodes(logits, gumbel, batch.temperature);
      const mixed = tf.matMul(soft, parameters.codebook as tf.Tensor2D);
      const output = applyDecoder(parameters.decoder, tf.reshape(mixed, [count, height, width, dim]));
      const { loss, pixel, perceptual } = reconstruction.evaluate(constants, images, output, features);
      const usage = usageDivergence(logits);
      return {
        loss: tf.add(loss, tf.mul(usage, config.usageWeight)) as tf.Scalar,
        shown: { pixel, perceptual, usage },
        statistics: countCodes(logits),
      };
    },
    rest: showCodeUse(size),
  };
}
