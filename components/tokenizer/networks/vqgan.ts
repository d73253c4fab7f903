import type * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../engine/types.ts';
import { type Affine, conv, groupNorm, initConv, initNorm, type Norm, silu } from '../../nn/layers.ts';
import type { Random } from '../../nn/random.ts';
import {
  type Attention,
  applyAttention,
  applyResidual,
  initAttention,
  initResidual,
  type Residual,
  type Stack,
  stack,
} from './blocks.ts';
import { type VqganOptions, vqganWidths } from './options.ts';
import { upsampledConv } from './upsample.ts';

/** The blocks of one resolution, and the convolution to the next one. */
interface Level<T> {
  readonly blocks: Stack<Residual<T>>;
  readonly attention?: Stack<Attention<T>>;
  readonly resample?: Affine<T>;
}

interface Middle<T> {
  readonly before: Residual<T>;
  readonly attention: Attention<T>;
  readonly after: Residual<T>;
}

export interface VqganEncoder<T> {
  readonly in: Affine<T>;
  /** From the highest resolution to the lowest. */
  readonly levels: Stack<Level<T>>;
  readonly middle: Middle<T>;
  readonly norm: Norm<T>;
  readonly out: Affine<T>;
  /** To `outputs` channels: `quant_conv`. */
  readonly project: Affine<T>;
}

export interface VqganDecoder<T> {
  /** From `inputs` channels: `post_quant_conv`. */
  readonly project: Affine<T>;
  readonly in: Affine<T>;
  readonly middle: Middle<T>;
  /** From the lowest resolution to the highest. */
  readonly levels: Stack<Level<T>>;
  readonly norm: Norm<T>;
  readonly out: Affine<T>;
}

const GROUPS = 32;

export function initVqganEncoder(
  random: Random,
  options: VqganOptions,
  outputs: number,
): VqganEncoder<HostTensor> {
  const { residualBlocks, latent } = options;
  const widths = vqganWidths(options);
  const lowest = widths.length - 1;
  return {
    in: initConv(random, 3, 3, options.channels),
    levels: stack(widths.length, (level) =>
      initLevel(random, {
        inputs: widths[level - 1] ?? options.channels,
        outputs: widths[level],
        count: residualBlocks,
        attention: options.attention && level === lowest,
        resample: level < lowest,
      }),
    ),
    middle: initMiddle(random, widths[lowest]),
    norm: initNorm(widths[lowest]),
    out: initConv(random, 3, widths[lowest], latent),
    project: initConv(random, 1, latent, outputs),
  };
}

export function initVqganDecoder(
  random: Random,
  options: VqganOptions,
  inputs: number,
): VqganDecoder<HostTensor> {
  const { residualBlocks, latent } = options;
  const widths = vqganWidths(options).reverse();
  const highest = widths.length - 1;
  return {
    project: initConv(random, 1, inputs, latent),
    in: initConv(random, 3, latent, widths[0]),
    middle: initMiddle(random, widths[0]),
    levels: stack(widths.length, (level) =>
      initLevel(random, {
        inputs: widths[level - 1] ?? widths[0],
        outputs: widths[level],
        count: residualBlocks + 1,
        attention: options.attention && level === 0,
        resample: level < highest,
      }),
    ),
    norm: initNorm(widths[highest]),
    out: initConv(random, 3, widths[highest], 3),
  };
}

interface LevelForm {
  readonly inputs: number;
  readonly outputs: number;
  readonly count: number;
  readonly attention: boolean;
  readonly resample: boolean;
}

function initLevel(
  random: Random,
  { inputs, outputs, count, attention, resample }: LevelForm,
): Level<HostTensor> {
  return {
    blocks: stack(count, (index) => initResidual(random, index === 0 ? inputs : outputs, outputs)),
    ...(attention ? { attention: stack(count, () => initAttention(random, outputs)) } : {}),
    ...(resample ? { resample: initConv(random, 3, outputs, outputs) } : {}),
  };
}

function initMiddle(random: Random, width: number): Middle<HostTensor> {
  return {
    before: initResidual(random, width),
    attention: initAttention(random, width),
    after: initResidual(random, width),
  };
}

/** pixels [B, H, W, 3] in [-1, 1] -> [B, H / stride, W / stride, outputs]. */
export function applyVqganEncoder(encoder: VqganEncoder<tf.Tensor>, pixels: tf.Tensor): tf.Tensor4D {
  let x = conv(pixels, encoder.in);
  for (const level of Object.values(encoder.levels)) {
    x = applyLevel(x, level);
    // Sides are even, so that "same" pads one row at the bottom and one column at the right.
    if (level.resample) x = conv(x, level.resample, 2);
  }
  x = applyMiddle(x, encoder.middle);
  x = conv(silu(groupNorm(x, encoder.norm, GROUPS)), encoder.out);
  return conv(x, encoder.project);
}

/** [B, h, w, inputs] -> pixels [B, h * stride, w * stride, 3] around [-1, 1]. */
export function applyVqganDecoder(decoder: VqganDecoder<tf.Tensor>, quantised: tf.Tensor): tf.Tensor4D {
  let x = conv(conv(quantised, decoder.project), decoder.in);
  x = applyMiddle(x, decoder.middle);
  for (const level of Object.values(decoder.levels)) {
    x = applyLevel(x, level);
    if (level.resample) x = upsampledConv(x, level.resample);
  }
  return conv(silu(groupNorm(x, decoder.norm, GROUPS)), decoder.out);
}

function applyLevel(input: tf.Tensor4D, { blocks, attention }: Level<tf.Tensor>): tf.Tensor4D {
  let x = input;
  for (const [index, block] of Object.entries(blocks)) {
    x = applyResidual(x, block, GROUPS);
    if (attention) x = applyAttention(x, attention[index], GROUPS);
  }
  return x;
}

function applyMiddle(x: tf.Tensor4D, { before, attention, after }: Middle<tf.Tensor>): tf.Tensor4D {
  return applyResidual(applyAttention(applyResidual(x, before, GROUPS), attention, GROUPS), after, GROUPS);
}
