import type {
  Conv2DAttrs,
  Conv2DBackpropFilterAttrs,
  Conv2DBackpropInputAttrs,
  FusedConv2DAttrs,
} from '@tensorflow/tfjs-core';
import type { Graph } from '../graph/graph.ts';
import { reshape, slice, transpose } from '../graph/shape.ts';
import type { Value } from '../graph/value.ts';
import type { Info, WindowAttributes } from './conv-info.ts';
import {
  backFrom,
  channelsFirst,
  convTranspose,
  describeConv,
  filterToOnnx,
  onnxConv,
  toNhwc,
} from './conv-info.ts';
import { finish } from './fused.ts';
import type { Inputs, Lowerings } from './lowering.ts';
import { withAttributes } from './lowering.ts';
import { convByWindows, convFilterGradient, preferWindows } from './windows.ts';

function conv2d(g: Graph, x: Value, filter: Value, attributes: WindowAttributes): Value {
  const format = attributes.dataFormat;
  const info = describeConv(x.shape, filter.shape, attributes);
  if (preferWindows(info, filter) && format !== 'NCHW') return convByWindows(g, x, filter, info);
  const result = onnxConv(g, channelsFirst(g, x, format), transpose(g, filter, filterToOnnx), info);
  return backFrom(g, result, format);
}

/** Gradient of a convolution to its input; dy and the result in the data format. */
function convInputGradient(g: Graph, dy: Value, filter: Value, info: Info, format?: string): Value {
  const mirrored = mirroredConv(info);
  if (!mirrored) {
    const shape = [info.batchSize, info.inChannels, info.inHeight, info.inWidth];
    const onnxFilter = transpose(g, filter, filterToOnnx);
    return backFrom(g, convTranspose(g, channelsFirst(g, dy, format), onnxFilter, info, shape, 1), format);
  }
  // With stride 1 it is a convolution of dy with the filter turned by 180 degrees: faster than ConvTranspose.
  const turned = slice(g, filter, [
    { axis: 0, start: info.filterHeight - 1, count: info.filterHeight, step: -1 },
    { axis: 1, start: info.filterWidth - 1, count: info.filterWidth, step: -1 },
  ]);
  const swapped = transpose(g, turned, [0, 1, 3, 2]);
  if (preferWindows(mirrored, swapped) && format !== 'NCHW') return convByWindows(g, dy, swapped, mirrored);
  const result = onnxConv(g, channelsFirst(g, dy, format), transpose(g, swapped, filterToOnnx), mirrored);
  return backFrom(g, result, format);
}

/** The convolution of dy that gives the gradient to the input; undefined where strides or dilations forbid it. */
function mirroredConv(info: Info): Info | undefined {
  const top = info.filterHeight - 1 - info.padInfo.top;
  const left = info.filterWidth - 1 - info.padInfo.left;
  const bottom = info.inHeight - info.outHeight - top + info.filterHeight - 1;
  const right = info.inWidth - info.outWidth - left + info.filterWidth - 1;
  const steps = [info.strideHeight, info.strideWidth, info.dilationHeight, info.dilationWidth];
  if (steps.some((step) => step !== 1) || Math.min(top, left, bottom, right) < 0) return undefined;
  return {
    ...info,
    inHeight: info.outHeight,
    inWidth: info.outWidth,
    inChannels: info.outChannels,
    outHeight: info.inHeight,
    outWidth: info.inWidth,
    outChannels: info.inChannels,
    padInfo: { ...info.padInfo, top, left, bottom, right },
  };
}

function fusedConv2d(g: Graph, inputs: Inputs, attributes: FusedConv2DAttrs): Value {
  const { x, filter, bias } = inputs as Partial<Inputs>;
  const result = conv2d(g, x!, filter!, attributes);
  if (!bias || attributes.dataFormat !== 'NCHW') return finish(g, result, inputs, attributes);
  return finish(g, result, { ...inputs, bias: reshape(g, bias, [bias.shape.at(-1)!, 1, 1]) }, attributes);
}

export const convLowerings: Lowerings = {
  Conv2D: withAttributes<Conv2DAttrs>((g, { x, filter }, attributes) => conv2d(g, x, filter, attributes)),
  FusedConv2D: withAttributes<FusedConv2DAttrs>(fusedConv2d),
  Conv2DBackpropInput: withAttributes<Conv2DBackpropInputAttrs>((g, { dy, filter }, attributes) => {
    const info = describeConv(attributes.inputShape, filter.shape, attributes);
    return convInputGradient(g, dy, filter, info, attributes.dataFormat);
  }),
  Conv2DBackpropFilter: withAttributes<Conv2DBackpropFilterAttrs>((g, { x, dy }, attributes) => {
    const info = describeConv(x.shape, attributes.filterShape, attributes);
    const last = (value: Value) => (attributes.dataFormat === 'NCHW' ? transpose(g, value, toNhwc) : value);
    return convFilterGradient(g, last(x), last(dy), info);
  }),
};
