import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { floats } from '../support/arbitrary.ts';
import type { GradientCase } from '../support/differences.ts';
import type { GradientCases } from './elementwise.ts';

type Conv = Parameters<typeof tf.conv2d>;
type Pad = Conv[3];

const image = floats([2, 4, 5, 2], 1);
/** No two values are closer than 0.1: each window has one clear maximum. */
const distinct: HostTensor = {
  ...image,
  data: Float32Array.from(image.data, (_, index) => ((index * 37) % 80) / 10),
};
const explicit: Pad = [
  [0, 0],
  [1, 2],
  [0, 1],
  [0, 0],
];
const explicitFirst: Pad = [
  [0, 0],
  [0, 0],
  [1, 2],
  [0, 1],
];

const conv = (
  shape: [number, number],
  strides: Conv[2],
  pad: Pad,
  dilations: Conv[5] = 1,
  input: HostTensor = image,
): GradientCase => ({
  inputs: [input, floats([...shape, 2, 3], 2)],
  op: (x, filter) =>
    tf.conv2d(
      x as Tensor4D,
      filter as Tensor4D,
      strides,
      pad,
      input === first ? 'NCHW' : 'NHWC',
      dilations,
      typeof pad === 'string' ? undefined : 'floor',
    ),
});

const first = floats([2, 2, 5, 4], 3);

const depthwise = (
  shape: [number, number],
  strides: Conv[2],
  pad: 'same' | 'valid',
  dilations: Conv[5] = 1,
): GradientCase => ({
  inputs: [image, floats([...shape, 2, 2], 4)],
  op: (x, filter) => tf.depthwiseConv2d(x as Tensor4D, filter as Tensor4D, strides, pad, 'NHWC', dilations),
});

const pooled = (
  pool: (x: Tensor4D, window: [number, number], strides: [number, number], pad: 'same' | 'valid') => Tensor,
  input: HostTensor,
): GradientCase[] => [
  { inputs: [input], op: (x) => pool(x as Tensor4D, [2, 2], [2, 2], 'valid') },
  { inputs: [input], op: (x) => pool(x as Tensor4D, [3, 2], [1, 2], 'same') },
  { inputs: [input], op: (x) => pool(x as Tensor4D, [3, 3], [2, 1], 'same') },
];

const resize = (
  method: 'resizeBilinear' | 'resizeNearestNeighbor',
  size: [number, number],
  ...rule: boolean[]
): GradientCase => ({
  inputs: [image],
  op: (x) => tf.image[method](x as Tensor4D, size, rule[0], rule[1]),
});

const resized = (method: 'resizeBilinear' | 'resizeNearestNeighbor') => [
  resize(method, [8, 10]),
  resize(method, [3, 7]),
  resize(method, [7, 3], true),
  resize(method, [5, 9], false, true),
  resize(method, [1, 1], true),
];

/** The whole image, one turned over, one across the border, one of an image that is not there. */
const boxes: HostTensor = {
  dtype: 'float32',
  shape: [4, 4],
  data: Float32Array.from([0, 0, 1, 1, 0.9, 0.7, 0.1, 0.2, -0.3, 0.31, 0.43, 1.2, 0, 0, 1, 1]),
};
const items: HostTensor = { dtype: 'int32', shape: [4], data: Int32Array.of(1, 0, 1, 2) };

const crop = (size: [number, number]): GradientCase => ({
  inputs: [image, boxes, items],
  op: (x, box, item) =>
    tf.image.cropAndResize(x as Tensor4D, box as Tensor2D, item as Tensor1D, size, 'bilinear', 0.5),
  variables: 1,
});

const dilated: GradientCase[] = (
  [
    [1, 'valid', 1],
    [[1, 2], 'same', 1],
    [1, 'same', [2, 1]],
  ] as const
).map(([strides, pad, dilations]) => ({
  inputs: [distinct, floats([2, 2, 2], 5, { min: 0, max: 0.05 })],
  op: (x, filter) =>
    tf.dilation2d(
      x as Tensor4D,
      filter as Tensor3D,
      strides as [number, number] | number,
      pad,
      dilations as [number, number] | number,
    ),
}));

const maxPoolWithArgmax = (
  x: Tensor4D,
  window: [number, number],
  strides: [number, number],
  pad: 'same' | 'valid',
) => tf.maxPoolWithArgmax(x, window, strides, pad).result;

export const windowCases: GradientCases = {
  Conv2D: [
    conv([3, 3], 2, 'same'),
    conv([2, 3], [1, 2], 'valid'),
    conv([3, 2], 1, explicit),
    conv([3, 3], 2, 1),
    conv([2, 2], [2, 1], 'same', 1, first),
    conv([2, 2], 1, 'same', 2),
    conv([2, 3], 1, 'valid', [3, 2]),
    conv([3, 2], 1, explicit, [2, 3]),
    conv([2, 2], 1, 1, 2),
    conv([2, 2], 1, explicitFirst, [3, 2], first),
  ],
  Conv2DBackpropInput: [
    {
      inputs: [floats([2, 2, 3, 3], 6), floats([3, 3, 2, 3], 7)],
      op: (x, filter) => tf.conv2dTranspose(x as Tensor4D, filter as Tensor4D, [2, 4, 6, 2], 2, 'same'),
    },
    {
      inputs: [floats([1, 2, 3, 2], 8), floats([2, 3, 1, 2], 9)],
      op: (x, filter) => tf.conv2dTranspose(x as Tensor4D, filter as Tensor4D, [1, 3, 5, 1], 1, 'valid'),
    },
  ],
  DepthwiseConv2dNative: [
    depthwise([3, 3], 1, 'same'),
    depthwise([2, 3], 2, 'valid'),
    depthwise([2, 2], 1, 'same', 2),
    depthwise([3, 2], 1, 'same', [3, 2]),
    depthwise([2, 2], 1, 'valid', [1, 3]),
  ],
  MaxPool: pooled(tf.maxPool, distinct),
  MaxPoolWithArgmax: pooled(maxPoolWithArgmax, distinct),
  AvgPool: pooled(tf.avgPool, image),
  LRN: [
    {
      inputs: [floats([1, 2, 2, 6], 10)],
      op: (x) => tf.localResponseNormalization(x as Tensor4D, 2, 1.5, 0.7, 0.6),
    },
    { inputs: [floats([2, 1, 2, 3], 11)], op: (x) => tf.localResponseNormalization(x as Tensor4D) },
  ],
  Dilation2D: dilated,
  ResizeNearestNeighbor: resized('resizeNearestNeighbor'),
  ResizeBilinear: resized('resizeBilinear'),
  CropAndResize: [crop([3, 4]), crop([1, 1]), crop([5, 2])],
  FlipLeftRight: [{ inputs: [image], op: (x) => tf.image.flipLeftRight(x as Tensor4D) }],
  RotateWithOffset: [
    { inputs: [image], op: (x) => tf.image.rotateWithOffset(x as Tensor4D, 0.6, 0.25, [0.4, 0.5]) },
    { inputs: [image], op: (x) => tf.image.rotateWithOffset(x as Tensor4D, -2) },
  ],
};
