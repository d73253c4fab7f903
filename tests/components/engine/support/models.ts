import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { floats, ints } from './arbitrary.ts';

export type Weights = { readonly [name: string]: Tensor };
export type Training = {
  readonly weights: Weights;
  readonly m: Weights;
  readonly v: Weights;
  readonly step: Tensor;
};
export type Host = { readonly [name: string]: HostTensor };

const zerosLike = (host: Host): Host =>
  Object.fromEntries(
    Object.entries(host).map(([name, { shape, data }]) => [
      name,
      { dtype: 'float32', shape, data: new Float32Array(data.length) },
    ]),
  );

/** Weights with the optimiser's state around them. */
export function trainingState(weights: Host) {
  const step: HostTensor = { dtype: 'float32', shape: [], data: Float32Array.of(0) };
  return { weights, m: zerosLike(weights), v: zerosLike(weights), step };
}

/** One AdamW step on a loss, as components write it. */
export function adamW(
  state: Training,
  loss: (weights: Weights) => Tensor,
  rate = 0.01,
): { state: Training; loss: Tensor } {
  const names = Object.keys(state.weights);
  const rebuild = (tensors: readonly Tensor[]): Weights =>
    Object.fromEntries(names.map((name, index) => [name, tensors[index]]));
  const { value, grads } = tf.valueAndGrads((...given: Tensor[]) => loss(rebuild(given)) as Scalar)(
    Object.values(state.weights),
  );
  const step = tf.add(state.step, 1);
  const next = names.map((name, index) => {
    const m = tf.add(tf.mul(state.m[name], 0.9), tf.mul(grads[index], 0.1));
    const v = tf.add(tf.mul(state.v[name], 0.999), tf.mul(tf.square(grads[index]), 0.001));
    const unbiasedM = tf.div(m, tf.sub(1, tf.pow(0.9, step)));
    const unbiasedV = tf.div(v, tf.sub(1, tf.pow(0.999, step)));
    const direction = tf.add(
      tf.div(unbiasedM, tf.add(tf.sqrt(unbiasedV), 1e-8)),
      tf.mul(state.weights[name], 0.05),
    );
    return { weight: tf.sub(state.weights[name], tf.mul(direction, rate)), m, v };
  });
  const state_ = {
    weights: rebuild(next.map(({ weight }) => weight)),
    m: rebuild(next.map(({ m }) => m)),
    v: rebuild(next.map(({ v }) => v)),
    step,
  };
  return { state: state_, loss: value };
}

const layerNorm = (x: Tensor, scale: Tensor, shift: Tensor) => {
  const { mean, variance } = tf.moments(x, -1, true);
  return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), scale), shift);
};

const gelu = (x: Tensor) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));

/** A transformer block on patches, masked-token cross-entropy: everything that masked image modelling does. */
export const transformer = {
  batch: 4,
  tokens: 6,
  width: 8,
  vocabulary: 10,
  weights(): Host {
    const { width, vocabulary } = transformer;
    const matrix = (shape: number[], seed: number) => floats(shape, seed, { min: -0.4, max: 0.4 });
    return {
      embed: matrix([12, width], 1),
      position: matrix([1, transformer.tokens, width], 2),
      mask: matrix([width], 3),
      scale: floats([width], 4, { min: 0.8, max: 1.2 }),
      shift: matrix([width], 5),
      qkv: matrix([width, 3 * width], 6),
      out: matrix([width, width], 7),
      up: matrix([width, 4 * width], 8),
      bias: matrix([4 * width], 9),
      down: matrix([4 * width, width], 10),
      head: matrix([width, vocabulary], 11),
    };
  },
  batches(count: number) {
    const { batch, tokens, vocabulary } = transformer;
    return Array.from({ length: count }, (_, index) => ({
      patches: floats([batch, tokens, 12], 100 + index),
      masked: floats([batch, tokens], 200 + index, { min: 0, max: 1 }),
      codes: ints([batch, tokens], 300 + index, { min: 0, max: vocabulary - 1 }),
    }));
  },
  loss(weights: Weights, given: { patches: Tensor; masked: Tensor; codes: Tensor }): Tensor {
    const { batch, tokens, width, vocabulary } = transformer;
    const rows = batch * tokens;
    const dense = (x: Tensor, w: Tensor) =>
      tf.reshape(tf.matMul(tf.reshape(x, [rows, -1]) as Tensor2D, w as Tensor2D), [batch, tokens, -1]);
    const masked = tf.cast(tf.less(given.masked, 0.4), 'float32');
    const chosen = tf.expandDims(masked, -1);
    const embedded = dense(given.patches, weights.embed);
    const mixed = tf.add(tf.mul(embedded, tf.sub(1, chosen)), tf.mul(weights.mask, chosen));
    let x: Tensor = tf.add(mixed, weights.position);
    const qkv = tf.reshape(dense(layerNorm(x, weights.scale, weights.shift), weights.qkv), [
      batch,
      tokens,
      3,
      2,
      width / 2,
    ]);
    const [q, k, v] = tf.unstack(tf.transpose(qkv, [2, 0, 3, 1, 4]));
    const attention = tf.softmax(tf.mul(tf.matMul(q, k, false, true), 0.5));
    const heads = tf.transpose(tf.matMul(attention, v), [0, 2, 1, 3]);
    x = tf.add(x, dense(tf.reshape(heads, [batch, tokens, width]), weights.out));
    x = tf.add(x, dense(gelu(tf.add(dense(x, weights.up), weights.bias)), weights.down));
    const logits = tf.logSoftmax(dense(x, weights.head));
    const picked = tf.sum(tf.mul(logits, tf.oneHot(given.codes as Tensor1D, vocabulary)), -1);
    return tf.neg(tf.div(tf.sum(tf.mul(picked, masked)), tf.add(tf.sum(masked), 1e-6)));
  },
};

/** A small convolutional autoencoder with a quantised bottleneck and a straight-through gradient. */
export const autoencoder = {
  weights(): Host {
    const filter = (shape: number[], seed: number) => floats(shape, seed, { min: -0.3, max: 0.3 });
    return {
      down: filter([4, 4, 3, 6], 1),
      residual: filter([3, 3, 6, 6], 2),
      bias: filter([6], 3),
      up: filter([3, 3, 6, 3], 4),
    };
  },
  codebook: () => floats([5, 6], 5),
  batches: (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      images: floats([2, 8, 8, 3], 50 + index, { min: 0, max: 1 }),
    })),
  loss(weights: Weights, codebook: Tensor, images: Tensor): Tensor {
    const encoded = tf.add(tf.conv2d(images as Tensor4D, weights.down as Tensor4D, 2, 'same'), weights.bias);
    const block = tf.add(
      encoded,
      tf.conv2d(tf.relu(encoded) as Tensor4D, weights.residual as Tensor4D, 1, 'same'),
    );
    const flat = tf.reshape(block, [-1, 6]) as Tensor2D;
    const distances = tf.sub(
      tf.sum(tf.square(codebook), 1),
      tf.mul(tf.matMul(flat, codebook as Tensor2D, false, true), 2),
    );
    const nearest = tf.reshape(tf.gather(codebook, tf.argMin(distances, 1)), block.shape);
    const straightThrough = tf.customGrad((x) => ({
      value: tf.add(tf.mul(x as Tensor, 0), nearest),
      gradFunc: (dy: Tensor) => dy,
    }));
    const up = tf.image.resizeNearestNeighbor(straightThrough(block) as Tensor4D, [8, 8]);
    const decoded = tf.sigmoid(tf.conv2d(up as Tensor4D, weights.up as Tensor4D, 1, 'same'));
    const commitment = tf.mean(tf.squaredDifference(block, nearest));
    return tf.add(tf.mean(tf.squaredDifference(decoded, images)), tf.mul(commitment, 0.25));
  },
};
