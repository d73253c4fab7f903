import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../engine/types.ts';
import { constant, fanInUniform, truncatedNormal, zeros } from './init.ts';
import type { Random } from './random.ts';

/** Weight and bias of a dense layer ([in, out]) or a convolution (HWIO). */
export interface Affine<T> {
  readonly weight: T;
  readonly bias: T;
}

/** Gain and bias of a normalisation, one number a channel. */
export interface Norm<T> {
  readonly gain: T;
  readonly bias: T;
}

/** A dense layer as BEiT starts it: a truncated normal distribution, biases 0. */
export function initDense(random: Random, inputs: number, outputs: number, std = 0.02): Affine<HostTensor> {
  return { weight: truncatedNormal(random, std, [inputs, outputs]), bias: zeros(outputs) };
}

/** A convolution with a square kernel, weights as PyTorch starts them, biases 0. */
export function initConv(random: Random, size: number, inputs: number, outputs: number): Affine<HostTensor> {
  return { weight: fanInUniform(random, size, size, inputs, outputs), bias: zeros(outputs) };
}

/** A normalisation that changes nothing yet: gains 1, biases 0. */
export function initNorm(channels: number): Norm<HostTensor> {
  return { gain: constant(1, channels), bias: zeros(channels) };
}

/** x [..., in] -> [..., out]. */
export function dense(x: tf.Tensor, { weight, bias }: Affine<tf.Tensor>): tf.Tensor {
  const [inputs, outputs] = weight.shape;
  const flat = tf.reshape(x, [-1, inputs]);
  return tf.reshape(tf.add(tf.matMul(flat, weight), bias), [...x.shape.slice(0, -1), outputs]);
}

/** x [B, H, W, in] -> [B, H / stride, W / stride, out], padding "same". */
export function conv(x: tf.Tensor, { weight, bias }: Affine<tf.Tensor>, stride = 1): tf.Tensor4D {
  return tf.add(tf.conv2d(x as tf.Tensor4D, weight as tf.Tensor4D, stride, 'same'), bias);
}

/**
 * Sub-pixel upsampling by two (Shi et al. 2016): [B, H, W, 4C] -> [B, 2H, 2W, C]. As many multiplications as a
 * convolution of the enlarged image, at a quarter of the positions, which suits matrix kernels better.
 */
export function depthToSpace(x: tf.Tensor): tf.Tensor4D {
  const [batch, height, width, depth] = x.shape as [number, number, number, number];
  const channels = depth / 4;
  const split = tf.reshape(x, [batch, height, width, 2, 2, channels]);
  return tf.reshape(tf.transpose(split, [0, 1, 3, 2, 4, 5]), [batch, 2 * height, 2 * width, channels]);
}

/** Normalisation over the last axis (Ba et al. 2016) with a gradient written by hand: fewer passes over memory. */
export function layerNorm(x: tf.Tensor, { gain, bias }: Norm<tf.Tensor>, epsilon = 1e-6): tf.Tensor {
  return tf.add(tf.mul(standardise(x, epsilon), gain), bias);
}

/** (x - mean) / sqrt(variance + epsilon), where `mean` gives means that broadcast: over the last axis. */
export function standardise(
  x: tf.Tensor,
  epsilon: number,
  mean: (x: tf.Tensor) => tf.Tensor = (values) => tf.mean(values, -1, true),
): tf.Tensor {
  return tf.customGrad((input, save) => {
    const centred = tf.sub(input as tf.Tensor, mean(input as tf.Tensor));
    const inverse = tf.rsqrt(tf.add(mean(tf.square(centred)), epsilon));
    const value = tf.mul(centred, inverse);
    (save as tf.GradSaveFunc)([value, inverse]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [y, scale] = saved;
      const along = mean(tf.mul(dy, y));
      return tf.mul(tf.sub(tf.sub(dy, mean(dy)), tf.mul(y, along)), scale);
    };
    return { value, gradFunc };
  })(x);
}

/** Group normalisation (Wu and He 2018) of [B, H, W, C]; statistics over H, W and the channels of a group. */
export function groupNorm(
  x: tf.Tensor,
  { gain, bias }: Norm<tf.Tensor>,
  groups: number,
  epsilon = 1e-6,
): tf.Tensor4D {
  const [batch, , , channels] = x.shape;
  // A number for each channel, so that nothing large moves in memory, whichever layout the engine chose for x.
  const mean = (values: tf.Tensor) => {
    const split = tf.reshape(tf.mean(values, [1, 2]), [batch, groups, channels / groups]);
    const ofGroup = tf.mul(tf.mean(split, 2, true), tf.onesLike(split));
    return tf.reshape(ofGroup, [batch, 1, 1, channels]);
  };
  return tf.add(tf.mul(standardise(x, epsilon, mean), gain), bias) as tf.Tensor4D;
}

/** x * sigmoid(x) (Elfwing et al. 2018). */
export function silu(x: tf.Tensor): tf.Tensor4D {
  return tf.customGrad((input, save) => {
    const gate = tf.sigmoid(input as tf.Tensor);
    const value = tf.mul(input as tf.Tensor, gate);
    (save as tf.GradSaveFunc)([gate, value]);
    const gradFunc = (dy: tf.Tensor, [g, y]: tf.Tensor[]) =>
      // d(x s)/dx = s + x s (1 - s) = s + y - y s
      tf.mul(dy, tf.add(g, tf.mul(y, tf.sub(1, g))));
    return { value, gradFunc };
  })(x) as tf.Tensor4D;
}

/**
 * x Phi(x), exact by erf (Hendrycks and Gimpel 2016; `nn.GELU()` of PyTorch). With s = x / sqrt(2) it is
 * s (1 + erf s) / sqrt(2) and its slope (1 + erf s + 2 s exp(-s^2) / sqrt(pi)) / 2: the factors in front can be moved into
 * the matrix products before and after.
 */
export function gelu(x: tf.Tensor): tf.Tensor {
  return tf.customGrad((input, save) => {
    const s = tf.mul(input as tf.Tensor, Math.SQRT1_2);
    const mass = tf.add(tf.erf(s), 1);
    const value = tf.mul(tf.mul(s, mass), Math.SQRT1_2);
    (save as tf.GradSaveFunc)([s, mass]);
    const gradFunc = (dy: tf.Tensor, [z, twicePhi]: tf.Tensor[]) => {
      const density = tf.exp(tf.sub(Math.log(2 / Math.sqrt(Math.PI)), tf.square(z)));
      return tf.mul(tf.mul(dy, 0.5), tf.add(twicePhi, tf.mul(z, density)));
    };
    return { value, gradFunc };
  })(x);
}
