import * as tf from '@tensorflow/tfjs-core';
import { enlarge, type Interpolation } from '../enlarge.ts';
import { deepest } from '../layers.ts';
import { type Convolution, INCEPTION_LAYERS, MIXED, type MixedBlock, STEM } from './topology.ts';

type Weights = { readonly [name: string]: tf.Tensor };

export interface InceptionOptions {
  readonly upsample: number;
  readonly interpolation: Interpolation;
}

/** Activations of the named layers; see FeatureNetwork. Batch normalisation is folded into kernels and biases. */
export function inceptionFeatures(
  weights: Weights,
  images: tf.Tensor4D,
  layers: readonly string[],
  { upsample, interpolation }: InceptionOptions,
): tf.Tensor4D[] {
  const last = deepest(INCEPTION_LAYERS, layers);
  const found = new Map<string, tf.Tensor4D>();
  let x = enlarge(images, upsample, interpolation);
  for (const [depth, layer] of INCEPTION_LAYERS.slice(0, last + 1).entries()) {
    const stem = STEM[depth];
    x = stem ? convolve(weights, x, stem) : mix(weights, x, MIXED[depth - STEM.length]);
    found.set(layer, x);
    const pooled = layer === 'activation_3' || layer === 'activation_5';
    if (pooled && depth < last) x = tf.maxPool(x, 3, 2, 'valid');
  }
  return layers.map((layer) => found.get(layer) as tf.Tensor4D);
}

function convolve(weights: Weights, x: tf.Tensor4D, { name, stride, padding }: Convolution): tf.Tensor4D {
  const kernel = weights[`${name}/kernel`] as tf.Tensor4D;
  return tf.relu(tf.add(tf.conv2d(x, kernel, stride, padding), weights[`${name}/bias`]));
}

function mix(weights: Weights, x: tf.Tensor4D, block: MixedBlock): tf.Tensor4D {
  const run = (from: tf.Tensor4D, branch: readonly Convolution[]): tf.Tensor4D =>
    branch.reduce((y, convolution) => convolve(weights, y, convolution), from);
  const pooled = tf.avgPool(x, 3, 1, 'same');
  return tf.concat(
    [
      run(x, block.branch1x1),
      run(x, block.branch5x5),
      run(x, block.branch3x3dbl),
      run(pooled, block.branchPool),
    ],
    3,
  );
}
