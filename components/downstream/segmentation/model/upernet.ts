import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../../engine/types.ts';
import type { BatchNorm } from '../../../nn/batch-norm.ts';
import { normal, zeros } from '../../../nn/init.ts';
import type { Affine } from '../../../nn/layers.ts';
import type { Random } from '../../../nn/random.ts';
import { averagePool, type ConvNorm, convNorm, initConvNorm, resize } from './layers.ts';
import { poolScales } from './sizes.ts';

type Numbered<T> = { readonly [place: string]: T };

/**
 * UperNet's decoder (Xiao et al. 2018, arXiv 1807.10221; `UPerHead` of mmsegmentation): a pyramid pooling module on the
 * coarsest map, a feature pyramid network over all of them, and their fusion at the size of the finest.
 */
export interface UperNet<T> {
  /** 1 x 1, of the coarsest map's means over 1, 2, 3 and 6 places a side. */
  readonly pools: Numbered<ConvNorm<T>>;
  /** 3 x 3, of the coarsest map and its pools. */
  readonly bottleneck: ConvNorm<T>;
  /** 1 x 1, of the maps but the coarsest. */
  readonly laterals: Numbered<ConvNorm<T>>;
  /** 3 x 3, of what comes down to them. */
  readonly outputs: Numbered<ConvNorm<T>>;
  /** 3 x 3, of all of them at the size of the finest. */
  readonly fusion: ConvNorm<T>;
  /** 1 x 1: [channels, classes]. */
  readonly head: Affine<T>;
}

/** An auxiliary head of one convolution (`FCNHead` of mmsegmentation), which trains the blocks in the middle. */
export interface AuxiliaryHead<T> {
  readonly conv: ConvNorm<T>;
  readonly head: Affine<T>;
}

interface Channels {
  /** Of the maps. */
  readonly dim: number;
  /** Of the head. */
  readonly channels: number;
  readonly classes: number;
}

export function initUperNet(random: Random, { dim, channels, classes }: Channels): UperNet<HostTensor> {
  const each = <T>(count: number, make: () => T): Numbered<T> =>
    Object.fromEntries(Array.from({ length: count }, (_, place) => [`${place}`, make()]));
  return {
    pools: each(poolScales.length, () => initConvNorm(random, 1, dim, channels)),
    bottleneck: initConvNorm(random, 3, dim + poolScales.length * channels, channels),
    laterals: each(3, () => initConvNorm(random, 1, dim, channels)),
    outputs: each(3, () => initConvNorm(random, 3, channels, channels)),
    fusion: initConvNorm(random, 3, 4 * channels, channels),
    head: initPixelHead(random, channels, classes),
  };
}

export function initAuxiliaryHead(
  random: Random,
  { dim, channels, classes }: Channels,
): AuxiliaryHead<HostTensor> {
  return { conv: initConvNorm(random, 3, dim, channels), head: initPixelHead(random, channels, classes) };
}

/** Normal of deviation 0.01, as mmsegmentation's `conv_seg`. */
function initPixelHead(random: Random, channels: number, classes: number): Affine<HostTensor> {
  return { weight: normal(random, 0.01, channels, classes), bias: zeros(classes) };
}

/** Four maps [B, H, W, dim], the finest first -> [B, H, W, channels] at the size of the finest: what its head classifies. */
export function upernetFeatures(
  { pools, bottleneck, laterals, outputs, fusion }: UperNet<tf.Tensor>,
  maps: readonly tf.Tensor4D[],
  norm: BatchNorm,
): tf.Tensor4D {
  const coarsest = maps[3]!;
  const pooled = poolScales.map((scale, place) =>
    resize(convNorm(`pool${place}`, averagePool(coarsest, scale), pools[place]!, norm), sizeOf(coarsest)),
  );
  let below = convNorm('bottleneck', tf.concat([coarsest, ...pooled], 3), bottleneck, norm);
  const down: tf.Tensor4D[] = [below];
  for (const place of [2, 1, 0]) {
    const map = maps[place]!;
    const lateral = convNorm(`lateral${place}`, map, laterals[place]!, norm);
    below = tf.add(lateral, resize(below, sizeOf(map)));
    down.unshift(below);
  }
  const finest = sizeOf(maps[0]!);
  const all = down.map((map, place) =>
    resize(place === 3 ? map : convNorm(`output${place}`, map, outputs[place]!, norm), finest),
  );
  return convNorm('fusion', tf.concat(all, 3), fusion, norm);
}

/** map [B, H, W, dim] -> [B, H, W, channels]. */
export function auxiliaryFeatures(
  { conv }: AuxiliaryHead<tf.Tensor>,
  map: tf.Tensor4D,
  norm: BatchNorm,
): tf.Tensor4D {
  return convNorm('auxiliary', map, conv, norm);
}

function sizeOf({ shape: [, height, width] }: tf.Tensor4D): [number, number] {
  return [height, width];
}
