import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../engine/types.ts';
import { fanInUniform, heNormal, zeros } from '../../nn/init.ts';
import { type Affine, conv, dense } from '../../nn/layers.ts';
import { random } from '../../nn/random.ts';
import { hostTensor } from '../../nn/tree.ts';
import { deepest } from '../layers.ts';
import { type VggArchitecture, vggConvolutions, vggLayers } from './architecture.ts';

/** Convolutions by name (`conv1_1`), and behind the mean over positions a classifier, `head`, or a projection. */
export type VggParameters<T> = { readonly [name: string]: Affine<T> };

/**
 * Mean and deviation of ImageNet's channels, as torchvision normalises images for its VGG16. LPIPS has a shift and scale
 * of its own for images in [-1, 1], which differ from these in the third decimal place.
 */
const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

export function initVgg(
  architecture: VggArchitecture,
  classes: number,
  seed: number,
): VggParameters<HostTensor> {
  // Zeros: the first loss is log(classes), and nothing is confidently wrong at the start.
  const head = { weight: hostTensor([featureCount(architecture), classes]), bias: zeros(classes) };
  return { ...initConvolutions(architecture, seed), head };
}

/** With the projection of SimCLR behind the mean: two dense layers, the first as wide as the features. */
export function initProjected(
  architecture: VggArchitecture,
  dim: number,
  seed: number,
): VggParameters<HostTensor> {
  const width = featureCount(architecture);
  const projection1 = heNormal(random(seed, 'vgg', 'projection1'), width, width);
  const projection2 = fanInUniform(random(seed, 'vgg', 'projection2'), width, dim);
  return {
    ...initConvolutions(architecture, seed),
    projection1: { weight: projection1, bias: zeros(width) },
    projection2: { weight: projection2, bias: zeros(dim) },
  };
}

function initConvolutions(architecture: VggArchitecture, seed: number): VggParameters<HostTensor> {
  const parameters = vggConvolutions(architecture).map(({ name, inputs, outputs }) => {
    const weight = heNormal(random(seed, 'vgg', name), 3, 3, inputs, outputs);
    return [name, { weight, bias: zeros(outputs) }] as const;
  });
  return Object.fromEntries(parameters);
}

/** Channels of the deepest layer. */
function featureCount(architecture: VggArchitecture): number {
  return vggConvolutions(architecture).at(-1)!.outputs;
}

/** Activations of the named layers; see FeatureNetwork. images [n, h, w, 3] in [0, 1]. */
export function vggFeatures(
  parameters: VggParameters<tf.Tensor>,
  images: tf.Tensor4D,
  layers: readonly string[],
  architecture: VggArchitecture,
): tf.Tensor4D[] {
  const last = deepest(vggLayers(architecture), layers);
  const found = new Map<string, tf.Tensor4D>();
  let x: tf.Tensor4D = tf.div(tf.sub(images, tf.tensor1d(MEAN)), tf.tensor1d(DEVIATION));
  for (const { name, layer, pooled } of vggConvolutions(architecture).slice(0, last + 1)) {
    x = tf.relu(conv(pooled ? tf.maxPool(x, 2, 2, 'valid') : x, parameters[name]));
    found.set(layer, x);
  }
  return layers.map((layer) => found.get(layer) as tf.Tensor4D);
}

/** Logits [n, classes] of images [n, h, w, 3] in [0, 1]. */
export function vggLogits(
  parameters: VggParameters<tf.Tensor>,
  images: tf.Tensor4D,
  architecture: VggArchitecture,
): tf.Tensor2D {
  return dense(vggMeans(parameters, images, architecture), parameters.head) as tf.Tensor2D;
}

/** Projections [n, dim] of images [n, h, w, 3] in [0, 1], for a contrastive loss. */
export function vggProjections(
  parameters: VggParameters<tf.Tensor>,
  images: tf.Tensor4D,
  architecture: VggArchitecture,
): tf.Tensor2D {
  const hidden = tf.relu(dense(vggMeans(parameters, images, architecture), parameters.projection1));
  return dense(hidden, parameters.projection2) as tf.Tensor2D;
}

/** Means over positions of the deepest layer, [n, channels]. */
export function vggMeans(
  parameters: VggParameters<tf.Tensor>,
  images: tf.Tensor4D,
  architecture: VggArchitecture,
): tf.Tensor {
  const layers = vggLayers(architecture);
  const [deep] = vggFeatures(parameters, images, [layers[layers.length - 1]], architecture);
  return tf.mean(deep, [1, 2]);
}
