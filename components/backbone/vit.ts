import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../engine/types.ts';
import { constant, truncatedNormal, zeros } from '../nn/init.ts';
import { type Affine, dense, gelu, initDense, initNorm, layerNorm, type Norm } from '../nn/layers.ts';
import type { Random } from '../nn/random.ts';
import { hostTensor } from '../nn/tree.ts';
import type { VitConfig } from './config.ts';

export interface Block<T> {
  readonly norm1: Norm<T>;
  readonly qkv: Affine<T>;
  readonly projection: Affine<T>;
  readonly norm2: Norm<T>;
  readonly expand: Affine<T>;
  readonly contract: Affine<T>;
  /** LayerScale, absent where `layerScaleInit` is 0. */
  readonly scale1?: T;
  readonly scale2?: T;
}

export interface Vit<T> {
  readonly patch: Affine<T>;
  /** [1, 1, dim] */
  readonly classToken: T;
  /** Learned absolute positions, [1, 1 + tokens, dim]; BEiT has relative ones. */
  readonly positions: T;
  readonly blocks: { readonly [index: string]: Block<T> };
  readonly norm: Norm<T>;
}

/**
 * Weights as BEiT starts them: truncated normal of 0.02, and the last matrix of each branch of block l (from 1)
 * divided by sqrt(2 l) (microsoft/unilm, beit/modeling_pretrain.py, `fix_init_weight`).
 */
export function initVit(random: Random, config: VitConfig, imageSize: number): Vit<HostTensor> {
  const { dim, depth, patch, layerScaleInit } = config;
  const tokens = (imageSize / patch) ** 2;
  const hidden = Math.round(dim * config.mlpRatio);
  const shrunk = (inputs: number, layer: number): Affine<HostTensor> =>
    initDense(random, inputs, dim, 0.02 / Math.sqrt(2 * layer));
  const scales =
    layerScaleInit > 0
      ? { scale1: constant(layerScaleInit, dim), scale2: constant(layerScaleInit, dim) }
      : {};
  const block = (layer: number): Block<HostTensor> => ({
    norm1: initNorm(dim),
    qkv: initDense(random, dim, 3 * dim),
    projection: shrunk(dim, layer),
    norm2: initNorm(dim),
    expand: initDense(random, dim, hidden),
    contract: shrunk(hidden, layer),
    ...scales,
  });
  return {
    patch: { weight: truncatedNormal(random, 0.02, [patch * patch * 3, dim]), bias: zeros(dim) },
    classToken: truncatedNormal(random, 0.02, [1, 1, dim]),
    positions: truncatedNormal(random, 0.02, [1, tokens + 1, dim]),
    blocks: Object.fromEntries(Array.from({ length: depth }, (_, i) => [String(i), block(i + 1)])),
    norm: initNorm(dim),
  };
}

/** images [B, H, W, 3] in [0, 1] -> patches [B, tokens, patch * patch * 3] in [-1, 1], row by row. */
export function patchify(images: tf.Tensor, patch: number): tf.Tensor {
  const [batch, height, width, channels] = images.shape as [number, number, number, number];
  const rows = height / patch;
  const columns = width / patch;
  const split = tf.reshape(images, [batch, rows, patch, columns, patch, channels]);
  const grouped = tf.transpose(split, [0, 1, 3, 2, 4, 5]);
  const flat = tf.reshape(grouped, [batch, rows * columns, patch * patch * channels]);
  return tf.sub(tf.mul(flat, 2), 1);
}

/** Patch embeddings [B, tokens, dim], before the class token and the positions. */
export function embedPatches(vit: Vit<tf.Tensor>, config: VitConfig, images: tf.Tensor): tf.Tensor {
  return dense(patchify(images, config.patch), vit.patch);
}

/** Puts the class token in front and adds the positions: [B, tokens, dim] -> [B, 1 + tokens, dim]. */
export function withPositions(vit: Vit<tf.Tensor>, embedded: tf.Tensor): tf.Tensor {
  const [batch, , dim] = embedded.shape as [number, number, number];
  const first = tf.broadcastTo(vit.classToken, [batch, 1, dim]);
  return tf.add(tf.concat([first, embedded], 1), vit.positions);
}

/** Runs the first `depth` blocks (all unless said); the final norm is not applied. */
export function applyBlocks(
  vit: Vit<tf.Tensor>,
  config: VitConfig,
  tokens: tf.Tensor,
  depth?: number,
): tf.Tensor {
  let x = tokens;
  for (const block of Object.values(vit.blocks).slice(0, depth)) {
    const attended = attention(layerNorm(x, block.norm1), block, config.heads);
    x = tf.add(x, block.scale1 ? tf.mul(attended, block.scale1) : attended);
    const mixed = dense(gelu(dense(layerNorm(x, block.norm2), block.expand)), block.contract);
    x = tf.add(x, block.scale2 ? tf.mul(mixed, block.scale2) : mixed);
  }
  return x;
}

/** Mean of the patch tokens, without the class token: [B, 1 + tokens, dim] -> [B, dim]. */
export function meanOfPatches(tokens: tf.Tensor): tf.Tensor2D {
  const [batch, count, dim] = tokens.shape as [number, number, number];
  return tf.mean(tf.slice(tokens, [0, 1, 0], [batch, count - 1, dim]), 1);
}

/** Multi-head self-attention (Vaswani et al. 2017) of [B, N, dim]. */
function attention(x: tf.Tensor, block: Block<tf.Tensor>, heads: number): tf.Tensor {
  const [batch, count, dim] = x.shape as [number, number, number];
  const size = dim / heads;
  const split = tf.reshape(dense(x, block.qkv), [batch, count, 3, heads, size]);
  const [query, key, value] = tf.unstack(tf.transpose(split, [2, 0, 3, 1, 4]));
  const scores = tf.matMul(tf.mul(query, 1 / Math.sqrt(size)), key, false, true);
  const mixed = tf.matMul(tf.softmax(scores), value);
  return dense(tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch, count, dim]), block.projection);
}

/**
 * A head of zeros, so that fine-tuning starts from even odds. BEiT scales random numbers by 0.001: there the backbone has
 * a gradient from the first step, here from the step after the head has moved.
 */
export function initHead(dim: number, classes: number): Affine<HostTensor> {
  return { weight: hostTensor([dim, classes]), bias: zeros(classes) };
}
