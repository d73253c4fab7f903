import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../../engine/types.ts';
import { uniformRows } from '../../../engine/uniform.ts';
import type { BatchNorm } from '../../../nn/batch-norm.ts';
import { normal } from '../../../nn/init.ts';
import { initNorm, type Norm } from '../../../nn/layers.ts';
import type { Random } from '../../../nn/random.ts';
import { averageMatrix } from './pooling.ts';

/** A convolution without bias, batch norm and ReLU: `ConvModule` of MMCV. */
export interface ConvNorm<T> {
  /** [size, size, in, out] */
  readonly weight: T;
  readonly norm: Norm<T>;
}

/** Normal of variance 2 / (size * size * out): MMCV's `kaiming_init`, by what goes out. */
export function initConvNorm(
  random: Random,
  size: number,
  inputs: number,
  outputs: number,
): ConvNorm<HostTensor> {
  const deviation = Math.sqrt(2 / (size ** 2 * outputs));
  return { weight: normal(random, deviation, size, size, inputs, outputs), norm: initNorm(outputs) };
}

/** x [B, H, W, in] -> [B, H, W, out]; `layer` is the name of its batch norm. */
export function convNorm(
  layer: string,
  x: tf.Tensor4D,
  { weight, norm }: ConvNorm<tf.Tensor>,
  batchNorm: BatchNorm,
): tf.Tensor4D {
  return tf.relu(batchNorm(layer, tf.conv2d(x, weight as tf.Tensor4D, 1, 'same'), norm));
}

/** Bilinear, as PyTorch's `interpolate` with `align_corners=False`. */
export function resize(x: tf.Tensor4D, [height, width]: readonly [number, number]): tf.Tensor4D {
  const [, h, w] = x.shape;
  return h === height && w === width ? x : tf.image.resizeBilinear(x, [height, width], false, true);
}

/** x [B, H, W, C] -> [B, places, places, C], means: PyTorch's `AdaptiveAvgPool2d`. */
export function averagePool(x: tf.Tensor4D, places: number): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const along = (from: number) => tf.tensor(averageMatrix(from, places), [1, places, from]);
  const low = tf.matMul(along(height), tf.reshape(x, [batch, height, width * channels]));
  const rows = tf.reshape(low, [batch * places, width, channels]);
  return tf.reshape(tf.matMul(along(width), rows), [batch, places, places, channels]);
}

/** Which channels of which image are left out in a step. */
export interface Dropout {
  /** 0 to 1. */
  readonly rate: number;
  /** int32 [3] of `uniformRows`: a row is an image, so micro-batches leave out what the batch would. */
  readonly noise: tf.Tensor;
  /** Default: `uniformRows`. */
  readonly draw?: (noise: tf.Tensor, rows: number, columns: number) => tf.Tensor;
}

/**
 * Leaves whole channels out (`nn.Dropout2d`): [B, H, W, C], those that stay are divided by 1 - rate. Several maps of the same
 * images draw from one row: the first channels' numbers are those of the first map.
 */
export function dropChannels(maps: readonly tf.Tensor4D[], dropout: Dropout | undefined): tf.Tensor4D[] {
  if (!dropout || dropout.rate === 0) return [...maps];
  const { rate, noise, draw = uniformRows } = dropout;
  const batch = maps[0]!.shape[0];
  const widths = maps.map(({ shape }) => shape[3]);
  const drawn = draw(
    noise,
    batch,
    widths.reduce((sum, width) => sum + width, 0),
  );
  const factors = tf.div(tf.cast(tf.greaterEqual(drawn, rate), 'float32'), 1 - rate);
  let first = 0;
  return maps.map((map, place) => {
    const own = tf.slice(factors, [0, first], [batch, widths[place]!]);
    first += widths[place]!;
    return tf.mul(map, tf.reshape(own, [batch, 1, 1, widths[place]!]));
  });
}
