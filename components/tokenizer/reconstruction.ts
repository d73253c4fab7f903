import * as tf from '@tensorflow/tfjs-core';
import type { StageInputs } from '../../framework/stage/contract.ts';
import type { Dataset } from '../data/types.ts';
import type { HostTensor } from '../engine/types.ts';
import { meanSquaredError } from '../nn/losses.ts';
import { describeLayers } from '../perceptual/layers.ts';
import { perceptualLoss, targetFeatures } from '../perceptual/loss.ts';
import type { FeatureNetwork } from '../perceptual/types.ts';
import type { TokenizerTraining } from './config.ts';

/** Pixel and perceptual loss of a tokenizer, as tfjs ops. Weights of the frozen network travel as constants. */
export interface ReconstructionLoss {
  /** For the program's constants: the frozen network's weights, or nothing. */
  readonly constants: { readonly [name: string]: HostTensor };
  /**
   * images and reconstruction [B, H, W, 3] -> weighted sum and its parts. Features of the images carry no gradient
   * and should be computed outside of the differentiated function: call `targets` there.
   */
  targets(constants: { readonly [name: string]: tf.Tensor }, images: tf.Tensor): tf.Tensor4D[];
  evaluate(
    constants: { readonly [name: string]: tf.Tensor },
    images: tf.Tensor,
    reconstruction: tf.Tensor,
    targets: tf.Tensor4D[],
  ): { loss: tf.Scalar; pixel: tf.Scalar; perceptual: tf.Scalar };
}

/** What the inputs of a tokenizer's training load to. */
export interface TokenizerInputs {
  readonly train: Dataset;
  readonly network?: FeatureNetwork;
}

/** Loads the perceptual network, if the config names one. */
export async function reconstructionLoss(
  { inputs }: { readonly inputs: Pick<StageInputs<TokenizerInputs>, 'network'> },
  { loss }: TokenizerTraining,
): Promise<ReconstructionLoss> {
  const { perceptual } = loss;
  if (!perceptual) {
    return {
      constants: {},
      targets: () => [],
      evaluate: (_, images, reconstruction) => {
        const pixel = meanSquaredError(images, reconstruction);
        return { loss: tf.mul(pixel, loss.pixel), pixel, perceptual: tf.scalar(0) };
      },
    };
  }
  const network = await inputs.network!.load();
  const { layers, normalisation } = perceptual;
  return {
    constants: network.weights,
    targets: (weights, images) =>
      targetFeatures(network, weights, images as tf.Tensor4D, { layers, normalisation }),
    evaluate: (weights, images, reconstruction, targets) => {
      const pixel = meanSquaredError(images, reconstruction);
      const features = perceptualLoss(network, weights, reconstruction as tf.Tensor4D, targets, {
        layers,
        normalisation,
      });
      const total = tf.add(tf.mul(pixel, loss.pixel), tf.mul(features, perceptual.weight)) as tf.Scalar;
      return { loss: total, pixel, perceptual: features };
    },
  };
}

/** For reports: `pixel loss with weight 1, perceptual loss on relu3_2 and relu4_2 with weight 2`. */
export function describeLoss({ pixel, perceptual }: TokenizerTraining['loss']): string {
  if (!perceptual) return 'pixel loss only';
  const pixels = pixel === 0 ? 'no pixel loss' : `pixel loss with weight ${pixel}`;
  return `${pixels}, perceptual loss on ${describeLayers(perceptual.layers)} with weight ${perceptual.weight}`;
}
