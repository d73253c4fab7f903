import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../engine/types.ts';
import type { BatchNorm } from '../nn/batch-norm.ts';
import { fanInUniform, zeros } from '../nn/init.ts';
import { type Affine, dense, depthToSpace, gelu, initNorm, type Norm } from '../nn/layers.ts';
import type { Random } from '../nn/random.ts';
import { hostTensor } from '../nn/tree.ts';
import { pyramidNorm } from './pyramid-config.ts';

/**
 * What makes four maps of a vision transformer's tokens (microsoft/unilm, beit/semantic_segmentation/backbone/beit.py,
 * `fpn1` to `fpn4` of patch 16): four and two times as fine as the patches, as they are, and half as fine. At patch 16 that
 * are the strides 4, 8, 16 and 32 of a convolutional network.
 */
export interface Pyramid<T> {
  /** A transposed convolution, batch norm, GELU, and another one: four times as fine. */
  readonly first: {
    readonly enlarge: Upsampling<T>;
    readonly norm: Norm<T>;
    readonly enlargeAgain: Upsampling<T>;
  };
  /** A transposed convolution: twice as fine. The third map is what comes out of its block, the fourth its maxima of 2 x 2. */
  readonly second: Upsampling<T>;
}

/**
 * A transposed convolution of 2 x 2 places with stride 2, which is a dense layer of each place: weight
 * [in, 2 * 2 * out], the four places row by row. PyTorch's [in, out, 2, 2] with the out channels moved to the end.
 */
export interface Upsampling<T> {
  readonly weight: T;
  /** [out] */
  readonly bias: T;
}

export function initPyramid(random: Random, dim: number): Pyramid<HostTensor> {
  return {
    first: {
      enlarge: initUpsampling(random, dim, dim),
      norm: initNorm(dim),
      enlargeAgain: initUpsampling(random, dim, dim),
    },
    second: initUpsampling(random, dim, dim),
  };
}

/** Uniform in +-sqrt(1 / (4 out)): PyTorch's default of a transposed convolution. The bias begins at 0. */
export function initUpsampling(random: Random, inputs: number, outputs: number): Upsampling<HostTensor> {
  const { data } = fanInUniform(random, 4 * outputs, inputs);
  return { weight: hostTensor([inputs, 4 * outputs], data), bias: zeros(outputs) };
}

/** x [B, H, W, in] -> [B, 2H, 2W, out]. */
export function upsample(x: tf.Tensor, { weight, bias }: Upsampling<tf.Tensor>): tf.Tensor4D {
  const all: Affine<tf.Tensor> = { weight, bias: tf.tile(bias as tf.Tensor1D, [4]) };
  return depthToSpace(dense(x, all));
}

/** What came out of some blocks, counted from 1, as maps: [B, 1 + side * side, dim] each -> [B, side, side, dim]. */
export function mapsOf(outputs: readonly tf.Tensor[], layers: readonly number[]): tf.Tensor4D[] {
  return layers.map((layer) => {
    const tokens = outputs[layer - 1];
    if (!tokens) throw new Error(`there is no block ${layer} of ${outputs.length}`);
    const [batch, count, dim] = tokens.shape as [number, number, number];
    const side = Math.round(Math.sqrt(count - 1));
    return tf.reshape(tf.slice(tokens, [0, 1, 0], [batch, count - 1, dim]), [batch, side, side, dim]);
  });
}

/**
 * Maps [B, side, side, dim] of four blocks -> the pyramid: sides 4 side, 2 side, side and side / 2, rounded down. A side is at
 * least 2.
 */
export function pyramidOf(
  { first, second }: Pyramid<tf.Tensor>,
  [one, two, three, four]: readonly tf.Tensor4D[],
  norm: BatchNorm,
): [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D] {
  const enlarged = norm(pyramidNorm, upsample(one!, first.enlarge), first.norm);
  return [
    upsample(gelu(enlarged), first.enlargeAgain),
    upsample(two!, second),
    three!,
    tf.maxPool(four!, 2, 2, 'valid'),
  ];
}
