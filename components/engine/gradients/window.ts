import type {
  AvgPoolAttrs,
  Conv2DAttrs,
  Conv2DBackpropInputAttrs,
  DepthwiseConv2dNativeAttrs,
  GradConfig,
  MaxPoolAttrs,
  Tensor,
} from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { gradient, run } from './gradient.ts';

/** tfjs's backward kernels know no dilation. */
function withoutDilation(dilations: number | [number, number]): void {
  const plain = [dilations].flat().every((dilation) => dilation === 1);
  tf.util.assert(plain, () => `tf.conv2d with dilations [${dilations}] has no gradient`);
}

function conv2d(dy: Tensor, [x, filter]: readonly Tensor[], attributes: Conv2DAttrs) {
  const { dilations, ...same } = attributes;
  withoutDilation(dilations);
  return {
    x: () => run('Conv2DBackpropInput', { dy, filter }, { ...same, inputShape: x.shape }),
    filter: () => run('Conv2DBackpropFilter', { x, dy }, { ...same, filterShape: filter.shape }),
  };
}

/** Both are linear, so each is the other's gradient. `dy` is what tfjs calls the input of a transposed convolution. */
function convTranspose(ddx: Tensor, [dy, filter]: readonly Tensor[], attributes: Conv2DBackpropInputAttrs) {
  const { inputShape: _, ...same } = attributes;
  return {
    dy: () => run('Conv2D', { x: ddx, filter }, { ...same, dilations: 1 }),
    filter: () => run('Conv2DBackpropFilter', { x: ddx, dy }, { ...same, filterShape: filter.shape }),
  };
}

function depthwise(dy: Tensor, [x, filter]: readonly Tensor[], attributes: DepthwiseConv2dNativeAttrs) {
  return {
    x: () =>
      run('DepthwiseConv2dNativeBackpropInput', { dy, filter }, { ...attributes, inputShape: x.shape }),
    filter: () =>
      run('DepthwiseConv2dNativeBackpropFilter', { x, dy }, { ...attributes, filterShape: filter.shape }),
  };
}

export const windowGradients: readonly GradConfig[] = [
  gradient<Conv2DAttrs>('Conv2D', { inputs: ['x', 'filter'] }, conv2d),
  gradient<Conv2DBackpropInputAttrs>('Conv2DBackpropInput', { inputs: ['dy', 'filter'] }, convTranspose),
  gradient<DepthwiseConv2dNativeAttrs>('DepthwiseConv2dNative', { inputs: ['x', 'filter'] }, depthwise),
  gradient<MaxPoolAttrs>('MaxPool', { inputs: ['x'], output: true }, (dy, [x, y], attributes) => ({
    x: () => run('MaxPoolGrad', { dy, input: x, output: y }, attributes),
  })),
  gradient<AvgPoolAttrs>('AvgPool', { inputs: ['x'] }, (dy, [x], attributes) => ({
    x: () => run('AvgPoolGrad', { dy, input: x }, attributes),
  })),
];
