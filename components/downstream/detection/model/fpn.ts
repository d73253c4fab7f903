import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../../engine/types.ts';
import { fanInUniform, zeros } from '../../../nn/init.ts';
import { type Affine, conv } from '../../../nn/layers.ts';
import type { Random } from '../../../nn/random.ts';
import { hostTensor } from '../../../nn/tree.ts';

/** Feature pyramid network (Lin et al. 2017): of four maps, the finest first. */
export interface Fpn<T> {
  readonly [level: string]: {
    /** 1 x 1, to as many channels for all levels. */
    readonly lateral: Affine<T>;
    /** 3 x 3 */
    readonly output: Affine<T>;
  };
}

/** As torchvision's `FeaturePyramidNetwork`: uniform in +-sqrt(3 / fan in), biases 0. */
export function initFpn(random: Random, dim: number, channels: number): Fpn<HostTensor> {
  const wide = (size: number, inputs: number): Affine<HostTensor> => {
    const { shape, data } = fanInUniform(random, size, size, inputs, channels);
    const weight = (data as Float32Array).map((value) => value * Math.sqrt(3));
    return { weight: hostTensor(shape, weight), bias: zeros(channels) };
  };
  const level = () => ({ lateral: wide(1, dim), output: wide(3, channels) });
  return { '0': level(), '1': level(), '2': level(), '3': level() };
}

/**
 * Maps [B, side, side, dim] of sides s, s / 2, s / 4 and s / 8 -> the same sides with `channels` channels, and a fifth map of
 * every second place of the last one, for proposals only.
 */
export function applyFpn(fpn: Fpn<tf.Tensor>, maps: readonly tf.Tensor4D[]): tf.Tensor4D[] {
  let above: tf.Tensor4D | undefined;
  const outputs: tf.Tensor4D[] = [];
  for (let level = maps.length - 1; level >= 0; level--) {
    const { lateral, output } = fpn[level]!;
    const own = conv(maps[level]!, lateral);
    const sum: tf.Tensor4D = above ? addDoubled(own, above) : own;
    outputs.unshift(conv(sum, output));
    above = sum;
  }
  const last = outputs.at(-1) as tf.Tensor4D;
  const fifth = tf.stridedSlice(last as tf.Tensor, [0, 0, 0, 0], last.shape, [1, 2, 2, 1]);
  return [...outputs, fifth as tf.Tensor4D];
}

/** x [B, 2H, 2W, C] + y [B, H, W, C], each place of y four times. */
function addDoubled(x: tf.Tensor4D, y: tf.Tensor4D): tf.Tensor4D {
  const [batch, height, width, channels] = y.shape;
  const quarters = tf.reshape(x, [batch, height, 2, width, 2, channels]);
  return tf.reshape(tf.add(quarters, tf.reshape(y, [batch, height, 1, width, 1, channels])), x.shape);
}
