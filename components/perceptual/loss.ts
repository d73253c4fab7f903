import * as tf from '@tensorflow/tfjs-core';
import { StageError } from '../../framework/stage/stage-error.ts';
import { type Layers, weighed } from './layers.ts';
import type { FeatureNetwork } from './types.ts';

/**
 * How activations are made comparable before they are compared, at each position `[n, h, w]` over the channels c:
 *
 * - `unit`: divided by their length, as LPIPS does (Zhang et al. 2018, eq. 1; richzhang/PerceptualSimilarity,
 *   `normalize_tensor`); squared differences are then summed over channels.
 * - `layer`: mean 0 and variance 1; squared differences are averaged over channels.
 * - `none`: as they are; squared differences are averaged over channels. Layers then weigh by their scale.
 *
 * `unit` equals `none` after a division by the root mean square, so all three are of one magnitude.
 */
export type FeatureNormalisation = 'unit' | 'layer' | 'none';

export interface PerceptualLossOptions {
  readonly layers: Layers;
  readonly normalisation: FeatureNormalisation;
}

type Weights = { readonly [name: string]: tf.Tensor };

/**
 * LPIPS divides by (length + 1e-10), whose gradient is undefined where all channels are zero, which ReLU layers do
 * have (black background). The square of that number inside the root keeps it finite, and is too small to let a short
 * vector's length be learned: 1e-10 there instead of 1e-20 gives the radial slope 1e5 at lengths around 1e-5.
 */
const UNIT_EPSILON = 1e-10;
const LAYER_EPSILON = 1e-6;

/**
 * Normalised activations of the images that a tokenizer should reconstruct: once a batch, outside the function that
 * is differentiated, for they carry no gradient.
 *
 * @param images `[n, h, w, 3]`, values in [0, 1]
 * @throws StageError that names the network, if it doesn't give activations of each layer
 */
export function targetFeatures(
  network: FeatureNetwork,
  weights: Weights,
  images: tf.Tensor4D,
  { layers, normalisation }: PerceptualLossOptions,
): tf.Tensor4D[] {
  const names = byDepth(network, layers).map(({ layer }) => layer);
  const activations = network.features(weights, images, names);
  const fits = activations.every(({ shape }) => shape.length === 4 && shape[0] === images.shape[0]);
  if (activations.length !== names.length || !fits) {
    const given = activations.map(({ shape }) => `[${shape.join(', ')}]`).join(', ');
    throw new StageError(
      `the network ${network.name}: features of ${names.join(', ')} are ${given || 'none'}`,
      {
        hint: `give activations [${images.shape[0]}, height, width, channels] for each layer, in that order`,
      },
    );
  }
  return activations.map((activation) => normaliseFeatures(activation, normalisation));
}

/**
 * Perceptual loss: over the chosen layers, the weighed sum of the squared differences of normalised activations, averaged
 * over images and positions. 0 for equal images; with `unit` at most 4 for a layer of weight 1 (2 behind a ReLU).
 *
 * Sources: "sum over l of || f_l(x) - f_l(x^) ||^2 with normalised activations" is what is known of PeCo's
 * (arXiv 2111.12710). Which normalisation, how sizes of layers are weighed against each other, and whether positions
 * are summed or averaged could not be found; here it is LPIPS without its learned channel weights (`lpips=False`).
 *
 * @param targets what `targetFeatures` made of the originals with the same options
 * @param reconstruction `[n, h, w, 3]`; the gradient goes through it alone
 */
export function perceptualLoss(
  network: FeatureNetwork,
  weights: Weights,
  reconstruction: tf.Tensor4D,
  targets: readonly tf.Tensor4D[],
  options: PerceptualLossOptions,
): tf.Scalar {
  const features = targetFeatures(network, weights, reconstruction, options);
  const perLayer = byDepth(network, options.layers).map(({ weight }, i) => {
    const squares = tf.squaredDifference(features[i], targets[i]);
    const loss = options.normalisation === 'unit' ? tf.mean(tf.sum(squares, -1)) : tf.mean(squares);
    return weight === 1 ? loss : tf.mul(loss, weight);
  });
  return perLayer.reduce((sum, loss) => tf.add(sum, loss)) as tf.Scalar;
}

/** From shallow to deep, since keys do not say in which order weights are written, and sums depend on their order. */
function byDepth(network: FeatureNetwork, layers: Layers) {
  return weighed(layers).toSorted(
    (a, b) => network.layers.indexOf(a.layer) - network.layers.indexOf(b.layer),
  );
}

/** Activations `[n, h, w, c]`, normalised at each position. */
export function normaliseFeatures(activation: tf.Tensor4D, normalisation: FeatureNormalisation): tf.Tensor4D {
  switch (normalisation) {
    case 'none':
      return activation;
    case 'unit': {
      const squares = tf.add(tf.sum(tf.square(activation), -1, true), UNIT_EPSILON ** 2);
      return tf.div(activation, tf.add(tf.sqrt(squares), UNIT_EPSILON));
    }
    case 'layer': {
      const centred = tf.sub(activation, tf.mean(activation, -1, true));
      return tf.div(centred, tf.sqrt(tf.add(tf.mean(tf.square(centred), -1, true), LAYER_EPSILON)));
    }
  }
}
