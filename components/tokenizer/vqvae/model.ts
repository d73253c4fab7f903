import * as tf from '@tensorflow/tfjs-core';
import { meanSquaredError } from '../../nn/losses.ts';
import { random } from '../../nn/random.ts';
import { unit } from '../../nn/unit.ts';
import { stopGradient } from '../../training/gradients.ts';
import type { Named, Objective } from '../../training/objective.ts';
import {
  applyDecoder,
  applyEncoder,
  type Decoder,
  type Encoder,
  initDecoder,
  initEncoder,
} from '../autoencoder.ts';
import {
  type Codebook,
  type CodeStatistics,
  codeStatistics,
  codeUse,
  initCodebook,
  nearestCodes,
  noStatistics,
  unitRows,
  updateCodebook,
} from '../codebook.ts';
import type { ReconstructionLoss } from '../reconstruction.ts';
import type { VqvaeConfig } from './config.ts';

export interface VqvaeParameters<T> {
  readonly encoder: Encoder<T>;
  readonly decoder: Decoder<T>;
}

export interface VqvaeBatch<T> {
  /** uint8 [B, H, W, 3]. */
  readonly images: T;
  /** int32 [K]: rows of the batch's tokens that replace dead codes; -1 for one of another micro-batch. */
  readonly candidates: T;
}

export type VqvaeObjective = Objective<
  VqvaeParameters<tf.Tensor>,
  VqvaeBatch<tf.Tensor>,
  tf.Tensor4D[],
  Named,
  Codebook<tf.Tensor>,
  CodeStatistics<tf.Tensor>
>;

/** Straight-through gradient to the encoder; the codebook follows by moving averages. */
export function vqvaeObjective(
  config: VqvaeConfig,
  reconstruction: ReconstructionLoss,
  seed: number,
): VqvaeObjective {
  const { size, dim, normalise } = config.codebook;
  return {
    name: 'vqvae training',
    init: () => ({
      encoder: initEncoder(random(seed, 'encoder'), config, dim),
      decoder: initDecoder(random(seed, 'decoder'), config, dim),
    }),
    constants: reconstruction.constants,
    targets: ({ images }, constants) => reconstruction.targets(constants, unit(images)),
    loss(parameters, { batch, targets, constants, rest: { vectors } }) {
      const images = unit(batch.images);
      const given = applyEncoder(parameters.encoder, images);
      const rows = tf.reshape(given, [-1, dim]);
      const tokens = normalise ? unitRows(rows) : rows;
      const encoded = tf.reshape(tokens, given.shape);
      const codes = nearestCodes(tokens, vectors);
      const quantised = tf.reshape(tf.gather(vectors, codes), encoded.shape);
      const straight = tf.add(encoded, stopGradient(tf.sub(quantised, encoded)));
      const output = applyDecoder(parameters.decoder, straight);
      const { loss, pixel, perceptual } = reconstruction.evaluate(constants, images, output, targets);
      const commitment = meanSquaredError(encoded, stopGradient(quantised));
      return {
        loss: tf.add(loss, tf.mul(commitment, config.commitmentWeight)) as tf.Scalar,
        shown: { pixel, perceptual, commitment },
        statistics: codeStatistics(tokens, codes, batch.candidates, size),
      };
    },
    rest: {
      init: () => initCodebook(random(seed, 'codebook'), config.codebook),
      none: () => noStatistics(size, dim),
      update: (codebook, statistics) => updateCodebook(codebook, statistics, config.codebook),
      shown: ({ taken }) => codeUse(taken),
    },
  };
}
