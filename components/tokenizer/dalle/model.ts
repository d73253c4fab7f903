import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../engine/types.ts';
import { normal, zeros } from '../../nn/init.ts';
import { type Affine, conv } from '../../nn/layers.ts';
import { type Random, random } from '../../nn/random.ts';
import {
  type DalleBlock,
  type DalleForm,
  type DalleSide,
  dalleBlocks,
  groupCount,
  KERNELS,
  OUTPUT_CHANNELS,
  postGain,
} from './architecture.ts';

interface Named<T> {
  readonly [name: string]: T;
}

interface Block<T> {
  readonly conv1: Affine<T>;
  readonly conv2: Affine<T>;
  readonly conv3: Affine<T>;
  readonly conv4: Affine<T>;
  /** Where the block changes the number of channels. */
  readonly skip?: Affine<T>;
}

export interface DalleWeights<T> {
  readonly encoder: {
    readonly input: Affine<T>;
    /** By group and block, counted from 1. */
    readonly groups: Named<Named<Block<T>>>;
    readonly output: Affine<T>;
  };
  readonly decoder: {
    /** [dim]: added to the vector of every code. */
    readonly bias: T;
    readonly groups: Named<Named<Block<T>>>;
    readonly output: Affine<T>;
  };
  /** [K, dim]: the kernel of the decoder's first convolution, which is 1x1 and takes codes as one-hot vectors. */
  readonly codebook: T;
}

/** As the official code: normal with variance 1 / fan-in, biases 0. */
function initConv(random: Random, size: number, inputs: number, outputs: number): Affine<HostTensor> {
  const weight = normal(random, 1 / Math.sqrt(size * size * inputs), size, size, inputs, outputs);
  return { weight, bias: zeros(outputs) };
}

function initBlock(draw: Random, { inputs, outputs }: DalleBlock, side: DalleSide): Block<HostTensor> {
  const inner = outputs / 4;
  const [k1, k2, k3, k4] = KERNELS[side] as [number, number, number, number];
  return {
    conv1: initConv(draw, k1, inputs, inner),
    conv2: initConv(draw, k2, inner, inner),
    conv3: initConv(draw, k3, inner, inner),
    conv4: initConv(draw, k4, inner, outputs),
    ...(inputs === outputs ? {} : { skip: initConv(draw, 1, inputs, outputs) }),
  };
}

function initGroups(form: DalleForm, side: DalleSide, seed: number): Named<Named<Block<HostTensor>>> {
  const groups: { [group: string]: { [block: string]: Block<HostTensor> } } = {};
  for (const block of dalleBlocks(form, side)) {
    const draw = random(seed, side, block.group, block.block);
    groups[block.group] = { ...groups[block.group], [block.block]: initBlock(draw, block, side) };
  }
  return groups;
}

export function initDalle(form: DalleForm, seed: number): DalleWeights<HostTensor> {
  const { width, codebook } = form;
  const lowest = width * 2 ** (groupCount(form) - 1);
  return {
    encoder: {
      input: initConv(random(seed, 'encoder', 'input'), 7, 3, width),
      groups: initGroups(form, 'encoder', seed),
      output: initConv(random(seed, 'encoder', 'output'), 1, lowest, codebook.size),
    },
    decoder: {
      bias: zeros(codebook.dim),
      groups: initGroups(form, 'decoder', seed),
      output: initConv(random(seed, 'decoder', 'output'), 1, width, OUTPUT_CHANNELS),
    },
    codebook: normal(random(seed, 'codebook'), 1 / Math.sqrt(codebook.size), codebook.size, codebook.dim),
  };
}

function applyBlock(x: tf.Tensor4D, block: Block<tf.Tensor>, gain: number): tf.Tensor4D {
  const inner = [block.conv1, block.conv2, block.conv3, block.conv4].reduce(
    (y, layer) => conv(tf.relu(y), layer),
    x,
  );
  const same = block.skip ? conv(x, block.skip) : x;
  return tf.add(same, tf.mul(inner, gain));
}

/** Twice as many pixels along both sides, each repeated. */
function repeatPixels(x: tf.Tensor4D): tf.Tensor4D {
  const [, height, width] = x.shape;
  return tf.image.resizeNearestNeighbor(x, [2 * height, 2 * width]);
}

/** Groups in order, with a change of resolution between them. */
function applyGroups(
  x: tf.Tensor4D,
  groups: Named<Named<Block<tf.Tensor>>>,
  form: DalleForm,
  between: (x: tf.Tensor4D) => tf.Tensor4D,
): tf.Tensor4D {
  const gain = postGain(form);
  let y = x;
  for (let group = 1; group <= groupCount(form); group++) {
    if (group > 1) y = between(y);
    for (let block = 1; block <= form.residualBlocks; block++) {
      y = applyBlock(y, groups[String(group)]![String(block)]!, gain);
    }
  }
  return y;
}

/** images [B, H, W, 3] in [0, 1] -> logits of the codes [B, H / stride, W / stride, K]. */
export function dalleLogits(
  { encoder }: Pick<DalleWeights<tf.Tensor>, 'encoder'>,
  images: tf.Tensor,
  form: DalleForm,
): tf.Tensor4D {
  const x = conv(mapPixels(images), encoder.input);
  const y = applyGroups(x, encoder.groups, form, (z) => tf.maxPool(z, 2, 2, 'valid'));
  return conv(tf.relu(y), encoder.output);
}

/** Vectors of codes, or mixtures of them, [B, h, w, dim] -> [B, h * stride, w * stride, 6]: see `likelihood.ts`. */
export function dalleDecode(
  { decoder }: Pick<DalleWeights<tf.Tensor>, 'decoder'>,
  vectors: tf.Tensor,
  form: DalleForm,
): tf.Tensor4D {
  const x = tf.add(vectors, decoder.bias) as tf.Tensor4D;
  return conv(tf.relu(applyGroups(x, decoder.groups, form, repeatPixels)), decoder.output);
}

/** How far pixels stay away from 0 and 1, where the density of the logit-Laplace distribution has no end. */
const MARGIN = 0.1;

/** [0, 1] -> [0.1, 0.9]: what the encoder sees, and what the likelihood is of. */
export function mapPixels(images: tf.Tensor): tf.Tensor {
  return tf.add(tf.mul(images, 1 - 2 * MARGIN), MARGIN);
}

/** The inverse of `mapPixels`; the official code then clips to [0, 1], which all who decode codes do here. */
export function unmapPixels(pixels: tf.Tensor): tf.Tensor {
  return tf.div(tf.sub(pixels, MARGIN), 1 - 2 * MARGIN);
}

/** The decoder's output [B, H, W, 6] -> images [B, H, W, 3] around [0, 1]: the sigmoid of the locations. */
export function imagesOf(output: tf.Tensor4D): tf.Tensor4D {
  const [batch, height, width] = output.shape;
  const locations = tf.slice(output, [0, 0, 0, 0], [batch, height, width, 3]);
  return unmapPixels(tf.sigmoid(locations)) as tf.Tensor4D;
}
