import * as tf from '@tensorflow/tfjs-core';
import { initUpsampling, type Upsampling, upsample } from '../../../backbone/pyramid.ts';
import type { HostTensor } from '../../../engine/types.ts';
import { fanInUniform, normal, zeros } from '../../../nn/init.ts';
import { type Affine, conv, dense } from '../../../nn/layers.ts';
import type { Random } from '../../../nn/random.ts';
import type { MaskRcnnModelConfig } from './config.ts';

/**
 * Class and place of a box. Column 0 of the classes is the background, class c is column c + 1, as in torchvision. That has a
 * place and a mask for the background, too, which nothing learns and nothing reads; detectron2 and mmdetection have not.
 */
export interface BoxHead<T> {
  readonly first: Affine<T>;
  readonly second: Affine<T>;
  /** [width, 1 + classes] */
  readonly classes: Affine<T>;
  /** [width, classes * 4]: four numbers for each class. */
  readonly deltas: Affine<T>;
}

/** A mask for each class. */
export interface MaskHead<T> {
  /** 3 x 3, each followed by a ReLU. */
  readonly convolutions: { readonly [index: string]: Affine<T> };
  /** 2 x 2 with stride 2, followed by a ReLU. */
  readonly enlarge: Upsampling<T>;
  /** [channels, classes] */
  readonly masks: Affine<T>;
}

/** As torchvision's `TwoMLPHead` and `FastRCNNPredictor`: PyTorch's uniform numbers; biases here begin at 0. */
export function initBoxHead(
  random: Random,
  { fpnChannels, boxHead: { size, width } }: MaskRcnnModelConfig,
  classes: number,
): BoxHead<HostTensor> {
  const affine = (inputs: number, outputs: number): Affine<HostTensor> => ({
    weight: fanInUniform(random, inputs, outputs),
    bias: zeros(outputs),
  });
  return {
    first: affine(fpnChannels * size ** 2, width),
    second: affine(width, width),
    classes: affine(width, 1 + classes),
    deltas: affine(width, 4 * classes),
  };
}

/** As torchvision's `MaskRCNNHeads` and `MaskRCNNPredictor`: normal numbers of variance 2 / fan out. */
export function initMaskHead(
  random: Random,
  { fpnChannels, maskHead: { convolutions, channels } }: MaskRcnnModelConfig,
  classes: number,
): MaskHead<HostTensor> {
  const fanOut = (places: number, ...shape: number[]): Affine<HostTensor> => ({
    weight: normal(random, Math.sqrt(2 / (places * shape.at(-1)!)), ...shape),
    bias: zeros(shape.at(-1)!),
  });
  // PyTorch counts the fan out of a transposed convolution by its first axis: the channels that come in.
  const { weight } = fanOut(4, 4 * channels, channels);
  return {
    convolutions: Object.fromEntries(
      Array.from({ length: convolutions }, (_, index) => [
        String(index),
        fanOut(9, 3, 3, index === 0 ? fpnChannels : channels, channels),
      ]),
    ),
    enlarge: {
      ...initUpsampling(random, channels, channels),
      weight: { ...weight, shape: [channels, 4 * channels] },
    },
    masks: fanOut(1, channels, classes),
  };
}

/** What is cut for each box, [N, size, size, C] -> logits [N, 1 + classes] and deltas [N, classes, 4]. */
export function applyBoxHead(head: BoxHead<tf.Tensor>, cut: tf.Tensor) {
  const [boxes] = cut.shape as [number];
  const hidden = tf.relu(dense(tf.relu(dense(tf.reshape(cut, [boxes, -1]), head.first)), head.second));
  return {
    logits: dense(hidden, head.classes) as tf.Tensor2D,
    deltas: tf.reshape(dense(hidden, head.deltas), [boxes, -1, 4]) as tf.Tensor3D,
  };
}

/**
 * What is cut for each box, [N, size, size, C] -> logits of the mask of one class for each, [N, 2 size, 2 size]; `classes` int32
 * [N] says which. Only that class's mask is computed.
 */
export function applyMaskHead(head: MaskHead<tf.Tensor>, cut: tf.Tensor, classes: tf.Tensor): tf.Tensor3D {
  const convolved = Object.values(head.convolutions).reduce(
    (x, convolution) => tf.relu(conv(x, convolution)),
    cut as tf.Tensor,
  );
  const hidden = tf.relu(upsample(convolved, head.enlarge));
  const [boxes, height, width, channels] = hidden.shape;
  const weights = tf.gather(tf.transpose(head.masks.weight), classes as tf.Tensor1D);
  const biases = tf.gather(head.masks.bias, classes as tf.Tensor1D);
  const flat = tf.reshape(hidden, [boxes, height * width, channels]);
  const products = tf.matMul(flat, tf.reshape(weights, [boxes, channels, 1]));
  const logits = tf.add(products, tf.reshape(biases, [boxes, 1, 1]));
  return tf.reshape(logits, [boxes, height, width]) as tf.Tensor3D;
}
