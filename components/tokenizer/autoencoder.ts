import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../engine/types.ts';
import {
  type Affine,
  conv,
  depthToSpace,
  groupNorm,
  initConv,
  initNorm,
  type Norm,
  silu,
} from '../nn/layers.ts';
import type { Random } from '../nn/random.ts';

/**
 * Form of the convolutional encoder and decoder. VQGAN's and PeCo's are larger: two residual blocks at every resolution
 * and self-attention at the lowest; here residual blocks are at the lowest alone. They upsample by repeating pixels,
 * these by sub-pixel convolution.
 */
export interface NetworkOptions {
  /** Channels at the lowest resolution; each higher resolution has half as many, at least 16. */
  readonly width: number;
  /** 4, 8 or 16: side of the square of pixels that becomes one token. */
  readonly stride: number;
  readonly residualBlocks: number;
}

interface Residual<T> {
  readonly norm1: Norm<T>;
  readonly conv1: Affine<T>;
  readonly norm2: Norm<T>;
  readonly conv2: Affine<T>;
}

interface Stack<T> {
  readonly [name: string]: T;
}

export interface Encoder<T> {
  readonly down: Stack<Affine<T>>;
  /** Absent after loading, where there are none: a file of tensors has no empty branches. */
  readonly residual?: Stack<Residual<T>>;
  readonly norm: Norm<T>;
  readonly out: Affine<T>;
}

export interface Decoder<T> {
  readonly in: Affine<T>;
  readonly residual?: Stack<Residual<T>>;
  readonly norm: Norm<T>;
  readonly up: Stack<Affine<T>>;
}

const GROUPS = 8;

/** Channels after each halving, from the highest resolution to the lowest. */
function channels({ width, stride }: NetworkOptions): number[] {
  const levels = Math.log2(stride);
  return Array.from({ length: levels }, (_, level) => Math.max(16, width >> (levels - 1 - level)));
}

function stack<T>(count: number, make: (index: number) => T): Stack<T> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [String(index), make(index)]));
}

function initResidual(random: Random, width: number): Residual<HostTensor> {
  return {
    norm1: initNorm(width),
    conv1: initConv(random, 3, width, width),
    norm2: initNorm(width),
    conv2: initConv(random, 3, width, width),
  };
}

/** Encoder to `outputs` channels a token: codebook dimensions (VQ) or codebook logits (dVAE). */
export function initEncoder(random: Random, options: NetworkOptions, outputs: number): Encoder<HostTensor> {
  const widths = channels(options);
  return {
    down: stack(widths.length, (i) => initConv(random, 4, i === 0 ? 3 : widths[i - 1], widths[i])),
    residual: stack(options.residualBlocks, () => initResidual(random, options.width)),
    norm: initNorm(options.width),
    out: initConv(random, 1, options.width, outputs),
  };
}

/** Decoder from `inputs` channels a token to pixels. */
export function initDecoder(random: Random, options: NetworkOptions, inputs: number): Decoder<HostTensor> {
  const widths = [...channels(options)].reverse();
  return {
    in: initConv(random, 3, inputs, options.width),
    residual: stack(options.residualBlocks, () => initResidual(random, options.width)),
    norm: initNorm(options.width),
    up: stack(widths.length, (i) => initConv(random, 3, widths[i], 4 * (widths[i + 1] ?? 3))),
  };
}

function applyResidual(x: tf.Tensor, block: Residual<tf.Tensor>): tf.Tensor {
  const inner = conv(silu(groupNorm(x, block.norm1, GROUPS)), block.conv1);
  return tf.add(x, conv(silu(groupNorm(inner, block.norm2, GROUPS)), block.conv2));
}

/** images [B, H, W, 3] in [0, 1] -> [B, H / stride, W / stride, outputs]. */
export function applyEncoder(encoder: Encoder<tf.Tensor>, images: tf.Tensor): tf.Tensor4D {
  let x: tf.Tensor = tf.sub(tf.mul(images, 2), 1);
  for (const [index, layer] of Object.values(encoder.down).entries()) {
    x = conv(index === 0 ? x : silu(x), layer, 2);
  }
  for (const block of Object.values(encoder.residual ?? {})) x = applyResidual(x, block);
  return conv(silu(groupNorm(x, encoder.norm, GROUPS)), encoder.out);
}

/** [B, h, w, inputs] -> images [B, h * stride, w * stride, 3] around [0, 1], not clipped. */
export function applyDecoder(decoder: Decoder<tf.Tensor>, quantised: tf.Tensor): tf.Tensor4D {
  let x: tf.Tensor = conv(quantised, decoder.in);
  for (const block of Object.values(decoder.residual ?? {})) x = applyResidual(x, block);
  x = groupNorm(x, decoder.norm, GROUPS);
  for (const layer of Object.values(decoder.up)) x = depthToSpace(conv(silu(x), layer));
  return tf.add(tf.mul(x, 0.5), 0.5) as tf.Tensor4D;
}
