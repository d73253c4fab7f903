import * as tf from '@tensorflow/tfjs-core';
import { unit } from '../../nn/unit.ts';
import type { Named, Objective } from '../../training/objective.ts';
import { cosine } from '../../training/schedule.ts';
import { type CodeCounts, countCodes, showCodeUse } from '../counted-codes.ts';
import { type Draw, gumbelNoise, relaxedCodes } from '../gumbel.ts';
import type { DalleConfig } from './config.ts';
import { logitLaplace, tokenDivergence } from './likelihood.ts';
import { type DalleWeights, dalleDecode, dalleLogits, initDalle } from './model.ts';

export interface DalleBatch<T> {
  /** [B, H, W, 3]: see `unit`. */
  readonly images: T;
  /** int32 [3]: of `uniformRows`, whose numbers become Gumbel noise; one row a token. */
  readonly noise: T;
  readonly temperature: T;
  /** Of the divergence of a token, beside the mean over the numbers of the images. */
  readonly divergenceWeight: T;
}

export type DalleObjective = Objective<
  DalleWeights<tf.Tensor>,
  DalleBatch<tf.Tensor>,
  { readonly gumbel: tf.Tensor },
  Named,
  object,
  CodeCounts<tf.Tensor>
>;

/**
 * The negative evidence lower bound of Ramesh et al. 2021 (appendix A.2) through the Gumbel-softmax relaxation, divided
 * by the numbers of an image: a token's divergence then has the weight of a share 1 / (3 stride^2), 1/192 at stride 8.
 *
 * @param draw numbers in (0, 1), [rows, columns], from the batch's `noise`
 */
export function dalleObjective(config: DalleConfig, seed: number, draw?: Draw): DalleObjective {
  const { codebook, stride } = config;
  return {
    name: 'dalle training',
    init: () => initDalle(config, seed),
    targets({ images, noise }) {
      const [count, height, width] = images.shape as [number, number, number];
      const tokens = (count * height * width) / stride ** 2;
      return { gumbel: gumbelNoise(noise, tokens, codebook.size, draw) };
    },
    loss(parameters, { batch, targets: { gumbel } }) {
      const images = unit(batch.images);
      const encoded = dalleLogits(parameters, images, config);
      const [count, height, width] = encoded.shape;
      const logits = tf.reshape(encoded, [-1, codebook.size]) as tf.Tensor2D;
      const mixed = tf.matMul(
        relaxedCodes(logits, gumbel, batch.temperature),
        parameters.codebook as tf.Tensor2D,
      );
      const vectors = tf.reshape(mixed, [count, height, width, codebook.dim]);
      const likelihood = logitLaplace(images, dalleDecode(parameters, vectors, config));
      const divergence = tokenDivergence(logits);
      const share = tf.div(batch.divergenceWeight, 3 * stride ** 2);
      return {
        loss: tf.add(likelihood, tf.mul(divergence, share)) as tf.Scalar,
        shown: { likelihood, divergence },
        statistics: countCodes(logits),
      };
    },
    rest: showCodeUse(codebook.size),
  };
}

interface Change {
  readonly from: number;
  readonly to: number;
  /** Share of the training. */
  readonly over: number;
}

/** By a half cosine from `from` to `to` in the first `over` of the training; `to` afterwards. */
export function changed({ from, to, over }: Change, step: number, steps: number): number {
  const length = over * steps;
  return step >= length ? to : cosine(from, to, { step, steps: length });
}

/** What of a batch depends on the step alone. */
export function scheduleAt({ temperature, divergence }: DalleConfig, step: number, steps: number) {
  const rising = { from: 0, to: divergence.weight, over: divergence.over };
  return {
    temperature: changed(temperature, step, steps),
    divergenceWeight: changed(rising, step, steps),
  };
}
