import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../engine/types.ts';
import { constant, zeros } from './init.ts';
import { type Norm, standardise } from './layers.ts';
import { hostTensor } from './tree.ts';

/** What an evaluation normalises with, [channels] each. */
export interface Running<T> {
  readonly mean: T;
  readonly variance: T;
}

/** Of each batch norm of a network, by its name. Names have no slash. */
export type RunningStatistics<T> = { readonly [layer: string]: Running<T> };

/** A batch norm of a network: x [B, H, W, C] -> the same shape. */
export type BatchNorm = (layer: string, x: tf.Tensor, norm: Norm<tf.Tensor>) => tf.Tensor4D;

/** As in PyTorch. */
const epsilon = 1e-5;
const momentum = 0.1;

/**
 * Batch norms as they train (Ioffe and Szegedy 2015; `nn.SyncBatchNorm` of PyTorch): statistics are those of the images
 * that are in memory at once, the micro-batch where there is one, over batch, height and width.
 *
 * `statistics` fills as `norm` is applied: for each layer [3, channels], sums over all places, for `batchNormRest`.
 */
export function trainingNorms(running: RunningStatistics<tf.Tensor>): {
  readonly norm: BatchNorm;
  readonly statistics: { readonly [layer: string]: tf.Tensor };
} {
  const statistics: { [layer: string]: tf.Tensor } = {};
  const norm: BatchNorm = (layer, x, { gain, bias }) => {
    statistics[layer] = sumsOf(x, runningOf(running, layer));
    return tf.add(tf.mul(standardise(x, epsilon, meanOfChannels), gain), bias);
  };
  return { norm, statistics };
}

/** Batch norms as they evaluate: by the running statistics, which belong to no batch. */
export function evaluationNorms(running: RunningStatistics<tf.Tensor>): BatchNorm {
  return (layer, x, { gain, bias }) => {
    const { mean, variance } = runningOf(running, layer);
    const scale = tf.mul(gain, tf.rsqrt(tf.add(variance, epsilon)));
    return tf.add(tf.mul(x, scale), tf.sub(bias, tf.mul(mean, scale)));
  };
}

/**
 * The `rest` of a training's objective (training/objective.ts): running statistics, which begin as mean 0 and variance 1 and
 * move a tenth of the way to those of each step's batch. The variance that they move to is the unbiased one, as in PyTorch.
 * Sums of micro-batches add up: it moves once a step.
 *
 * @param channels of each batch norm
 */
export function batchNormRest(channels: { readonly [layer: string]: number }) {
  const each = <T>(make: (count: number) => T): { readonly [layer: string]: T } =>
    Object.fromEntries(Object.entries(channels).map(([layer, count]) => [layer, make(count)]));
  return {
    init: (): RunningStatistics<HostTensor> =>
      each((count) => ({ mean: zeros(count), variance: constant(1, count) })),
    none: (): { readonly [layer: string]: HostTensor } => each((count) => hostTensor([3, count])),
    update: (
      running: RunningStatistics<tf.Tensor>,
      sums: { readonly [layer: string]: tf.Tensor },
    ): RunningStatistics<tf.Tensor> =>
      Object.fromEntries(Object.keys(running).map((layer) => [layer, moved(running[layer]!, sums[layer]!)])),
  };
}

function runningOf(running: RunningStatistics<tf.Tensor>, layer: string): Running<tf.Tensor> {
  const own = running[layer];
  if (!own) throw new Error(`no running statistics of a batch norm "${layer}"`);
  return own;
}

const meanOfChannels = (x: tf.Tensor): tf.Tensor => tf.mean(x, [0, 1, 2], true);

/**
 * Rows: sums of x - m and of its square, m the running mean, and how many places there are. Around m, since a variance as
 * difference of two large numbers would lose its digits.
 */
function sumsOf(x: tf.Tensor, { mean }: Running<tf.Tensor>): tf.Tensor {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const places = batch * height * width;
  const own = meanOfChannels(x);
  const variance = tf.reshape(meanOfChannels(tf.square(tf.sub(x, own))), [channels]);
  const shift = tf.sub(tf.reshape(own, [channels]), mean);
  const square = tf.add(variance, tf.square(shift));
  return tf.stack([tf.mul(shift, places), tf.mul(square, places), tf.fill([channels], places)]);
}

function moved({ mean, variance }: Running<tf.Tensor>, sums: tf.Tensor): Running<tf.Tensor> {
  const [first, second, places] = tf.unstack(sums) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const shift = tf.div(first, places);
  const biased = tf.sub(tf.div(second, places), tf.square(shift));
  // Of a single place there is no variance; PyTorch refuses it.
  const unbiased = tf.mul(tf.maximum(biased, 0), tf.div(places, tf.maximum(tf.sub(places, 1), 1)));
  return {
    mean: tf.add(mean, tf.mul(shift, momentum)),
    variance: tf.add(tf.mul(variance, 1 - momentum), tf.mul(unbiased, momentum)),
  };
}
