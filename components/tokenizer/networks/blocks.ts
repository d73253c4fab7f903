import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../engine/types.ts';
import { fanInUniform, zeros } from '../../nn/init.ts';
import { type Affine, conv, dense, groupNorm, initConv, initNorm, type Norm, silu } from '../../nn/layers.ts';
import type { Random } from '../../nn/random.ts';

/** Layers by their number: trees have names only. */
export interface Stack<T> {
  readonly [name: string]: T;
}

export function stack<T>(count: number, make: (index: number) => T): Stack<T> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [String(index), make(index)]));
}

/** x + conv(silu(norm(conv(silu(norm(x)))))); with a 1x1 convolution of x where the number of channels changes. */
export interface Residual<T> {
  readonly norm1: Norm<T>;
  readonly conv1: Affine<T>;
  readonly norm2: Norm<T>;
  readonly conv2: Affine<T>;
  readonly shortcut?: Affine<T>;
}

export function initResidual(random: Random, inputs: number, outputs = inputs): Residual<HostTensor> {
  return {
    norm1: initNorm(inputs),
    conv1: initConv(random, 3, inputs, outputs),
    norm2: initNorm(outputs),
    conv2: initConv(random, 3, outputs, outputs),
    ...(inputs === outputs ? {} : { shortcut: initConv(random, 1, inputs, outputs) }),
  };
}

/** x [B, H, W, in] -> [B, H, W, out]. */
export function applyResidual(x: tf.Tensor, block: Residual<tf.Tensor>, groups: number): tf.Tensor4D {
  const inner = conv(silu(groupNorm(x, block.norm1, groups)), block.conv1);
  const change = conv(silu(groupNorm(inner, block.norm2, groups)), block.conv2);
  return tf.add(block.shortcut ? conv(x, block.shortcut) : x, change) as tf.Tensor4D;
}

/** Self-attention of all positions with one head as wide as the image has channels, added to x. Weights [C, C]. */
export interface Attention<T> {
  readonly norm: Norm<T>;
  readonly query: Affine<T>;
  readonly key: Affine<T>;
  readonly value: Affine<T>;
  readonly out: Affine<T>;
}

export function initAttention(random: Random, channels: number): Attention<HostTensor> {
  const linear = () => ({ weight: fanInUniform(random, channels, channels), bias: zeros(channels) });
  return { norm: initNorm(channels), query: linear(), key: linear(), value: linear(), out: linear() };
}

/** x [B, H, W, C] -> the same shape. */
export function applyAttention(x: tf.Tensor, block: Attention<tf.Tensor>, groups: number): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const rows = tf.reshape(groupNorm(x, block.norm, groups), [batch, height * width, channels]);
  const query = tf.mul(dense(rows, block.query), channels ** -0.5);
  const scores = tf.matMul(query, dense(rows, block.key), false, true);
  const mixed = tf.matMul(tf.softmax(scores), dense(rows, block.value));
  return tf.add(x, tf.reshape(dense(mixed, block.out), x.shape)) as tf.Tensor4D;
}
