import * as tf from '@tensorflow/tfjs-core';
import type { StageContext } from '../../framework/stage/contract.ts';
import { flipRows } from '../data/augment.ts';
import type { Dataset } from '../data/types.ts';
import type { HostTensor } from '../engine/types.ts';
import { meanSquaredError } from '../nn/losses.ts';
import { random } from '../nn/random.ts';
import { hostTensor } from '../nn/tree.ts';
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

/** Loads the perceptual network, if the config names one. */
export async function reconstructionLoss(
  context: Pick<StageContext, 'inputs'>,
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
  const network = await context.inputs.network.load<FeatureNetwork>();
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

/** Images of a step: uniform draws of an epoch-wise permutation, each flipped or not. NHWC in [0, 1]. */
export function imageBatches(dataset: Dataset, batchSize: number, seed: number, flip: boolean) {
  const perEpoch = Math.floor(dataset.count / batchSize);
  if (perEpoch === 0)
    throw new Error(`A batch of ${batchSize} needs at least as many images; there are ${dataset.count}.`);
  let epoch = -1;
  let order: Int32Array = new Int32Array();
  return (step: number): { images: HostTensor; indices: Int32Array; flips: Uint8Array } => {
    const now = Math.floor(step / perEpoch);
    if (now !== epoch) {
      order = random(seed, 'epoch', now).permutation(dataset.count);
      epoch = now;
    }
    const first = (step % perEpoch) * batchSize;
    const indices = order.slice(first, first + batchSize);
    const pixels = dataset.read(indices);
    const draw = random(seed, 'flip', step);
    const flips = Uint8Array.from(indices, () => (flip && draw.uniform() < 0.5 ? 1 : 0));
    flipRows(pixels, flips, dataset.size);
    return { images: hostTensor([batchSize, dataset.size, dataset.size, 3], pixels), indices, flips };
  };
}
