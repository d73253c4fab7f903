import type * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../engine/types.ts';
import {
  type Affine,
  conv,
  depthToSpace,
  groupNorm,
  initConv,
  initNorm,
  type Norm,
  silu,
} from '../../nn/layers.ts';
import type { Random } from '../../nn/random.ts';
import { applyResidual, initResidual, type Residual, type Stack, stack } from './blocks.ts';
import { type SmallOptions, smallWidths } from './options.ts';

export interface SmallEncoder<T> {
  readonly down: Stack<Affine<T>>;
  /** Absent after loading, where there are none: a file of tensors has no empty branches. */
  readonly residual?: Stack<Residual<T>>;
  readonly norm: Norm<T>;
  readonly out: Affine<T>;
}

export interface SmallDecoder<T> {
  readonly in: Affine<T>;
  readonly residual?: Stack<Residual<T>>;
  readonly norm: Norm<T>;
  readonly up: Stack<Affine<T>>;
}

const GROUPS = 8;

export function initSmallEncoder(
  random: Random,
  options: SmallOptions,
  outputs: number,
): SmallEncoder<HostTensor> {
  const widths = smallWidths(options);
  return {
    down: stack(widths.length, (i) => initConv(random, 4, i === 0 ? 3 : widths[i - 1], widths[i])),
    residual: stack(options.residualBlocks, () => initResidual(random, options.width)),
    norm: initNorm(options.width),
    out: initConv(random, 1, options.width, outputs),
  };
}

export function initSmallDecoder(
  random: Random,
  options: SmallOptions,
  inputs: number,
): SmallDecoder<HostTensor> {
  const widths = [...smallWidths(options)].reverse();
  return {
    in: initConv(random, 3, inputs, options.width),
    residual: stack(options.residualBlocks, () => initResidual(random, options.width)),
    norm: initNorm(options.width),
    up: stack(widths.length, (i) => initConv(random, 3, widths[i], 4 * (widths[i + 1] ?? 3))),
  };
}

/** pixels [B, H, W, 3] in [-1, 1] -> [B, H / stride, W / stride, outputs]. */
export function applySmallEncoder(encoder: SmallEncoder<tf.Tensor>, pixels: tf.Tensor): tf.Tensor4D {
  let x = pixels;
  for (const [index, layer] of Object.values(encoder.down).entries()) {
    x = conv(index === 0 ? x : silu(x), layer, 2);
  }
  for (const block of Object.values(encoder.residual ?? {})) x = applyResidual(x, block, GROUPS);
  return conv(silu(groupNorm(x, encoder.norm, GROUPS)), encoder.out);
}

/** [B, h, w, inputs] -> pixels [B, h * stride, w * stride, 3] around [-1, 1]. */
export function applySmallDecoder(decoder: SmallDecoder<tf.Tensor>, quantised: tf.Tensor): tf.Tensor4D {
  let x = conv(quantised, decoder.in);
  for (const block of Object.values(decoder.residual ?? {})) x = applyResidual(x, block, GROUPS);
  x = groupNorm(x, decoder.norm, GROUPS);
  for (const layer of Object.values(decoder.up)) x = depthToSpace(conv(silu(x), layer));
  return x;
}
