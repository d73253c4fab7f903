import type {
  AvgPoolAttrs,
  Conv2DAttrs,
  Conv2DBackpropInputAttrs,
  DepthwiseConv2dNativeAttrs,
  Dilation2DAttrs,
  GradConfig,
  LRNAttrs,
  MaxPoolAttrs,
  Tensor,
} from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { PlainGradients } from './dilated.ts';
import { dilatedGradients, isDilated } from './dilated.ts';
import { gradient, run } from './gradient.ts';

const plainConv: PlainGradients = {
  x: (dy, filter, inputShape, plain) => run('Conv2DBackpropInput', { dy, filter }, { ...plain, inputShape }),
  filter: (x, dy, filterShape, plain) => run('Conv2DBackpropFilter', { x, dy }, { ...plain, filterShape }),
};

const plainDepthwise: PlainGradients = {
  x: (dy, filter, inputShape, plain) =>
    run('DepthwiseConv2dNativeBackpropInput', { dy, filter }, { ...plain, inputShape }),
  filter: (x, dy, filterShape, plain) =>
    run('DepthwiseConv2dNativeBackpropFilter', { x, dy }, { ...plain, filterShape }),
};

function conv2d(dy: Tensor, [x, filter]: readonly Tensor[], attributes: Conv2DAttrs) {
  if (isDilated(attributes)) return dilatedGradients([dy, x, filter], attributes, false, plainConv);
  const { dilations: _, ...same } = attributes;
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
  if (isDilated(attributes)) return dilatedGradients([dy, x, filter], attributes, true, plainDepthwise);
  return {
    x: () =>
      run('DepthwiseConv2dNativeBackpropInput', { dy, filter }, { ...attributes, inputShape: x.shape }),
    filter: () =>
      run('DepthwiseConv2dNativeBackpropFilter', { x, dy }, { ...attributes, filterShape: filter.shape }),
  };
}

/**
 * Averages are of the pixels inside the image, but tfjs's gradient kernel divides by the size of the whole window: what
 * it gives is right only where the window lies inside. So dy is enlarged where it does not.
 */
function avgPool(dy: Tensor, x: Tensor, attributes: AvgPoolAttrs): Tensor {
  const { filterSize, strides, pad, dimRoundingMode } = attributes;
  const shape = x.shape as [number, number, number, number];
  const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  const ratios = (out: number, stride: number, size: number, before: number, length: number) =>
    Array.from({ length: out }, (_, index) => {
      const start = index * stride - before;
      return size / (Math.min(start + size, length) - Math.max(start, 0));
    });
  const { padInfo } = info;
  const down = ratios(info.outHeight, info.strideHeight, info.filterHeight, padInfo.top, info.inHeight);
  const right = ratios(info.outWidth, info.strideWidth, info.filterWidth, padInfo.left, info.inWidth);
  const whole = [...down, ...right].every((ratio) => ratio === 1);
  const enlarged = whole
    ? dy
    : tf.mul(dy, tf.mul(tf.tensor(down, [1, down.length, 1, 1]), tf.tensor(right, [1, 1, right.length, 1])));
  return run('AvgPoolGrad', { dy: enlarged, input: x }, attributes);
}

export const windowGradients: readonly GradConfig[] = [
  gradient<Conv2DAttrs>('Conv2D', { inputs: ['x', 'filter'] }, conv2d),
  gradient<Conv2DBackpropInputAttrs>('Conv2DBackpropInput', { inputs: ['dy', 'filter'] }, convTranspose),
  gradient<DepthwiseConv2dNativeAttrs>('DepthwiseConv2dNative', { inputs: ['x', 'filter'] }, depthwise),
  gradient<MaxPoolAttrs>('MaxPool', { inputs: ['x'], output: true }, (dy, [x, y], attributes) => ({
    x: () => run('MaxPoolGrad', { dy, input: x, output: y }, attributes),
  })),
  {
    kernelName: 'MaxPoolWithArgmax',
    inputsToSave: ['x'],
    outputsToSave: [true, false],
    gradFunc: (dy, [x, y], attributes) => ({
      x: () => run('MaxPoolGrad', { dy: (dy as Tensor[])[0], input: x, output: y }, attributes),
    }),
  },
  gradient<AvgPoolAttrs>('AvgPool', { inputs: ['x'] }, (dy, [x], attributes) => ({
    x: () => avgPool(dy, x, attributes),
  })),
  gradient<LRNAttrs>('LRN', { inputs: ['x'], output: true }, (dy, [x, y], attributes) => ({
    x: () => run('LRNGrad', { x, y, dy }, attributes),
  })),
  gradient<Dilation2DAttrs>('Dilation2D', { inputs: ['x', 'filter'] }, (dy, [x, filter], attributes) => ({
    x: () => run('Dilation2DBackpropInput', { x, filter, dy }, attributes),
    filter: () => run('Dilation2DBackpropFilter', { x, filter, dy }, attributes),
  })),
];
