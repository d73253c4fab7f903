import type {
  DepthwiseConv2dNativeAttrs,
  DepthwiseConv2dNativeBackpropFilterAttrs,
  DepthwiseConv2dNativeBackpropInputAttrs,
  FusedDepthwiseConv2DAttrs,
} from '@tensorflow/tfjs-core';
import { binary } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { reduce } from '../graph/reduce.ts';
import type { Range } from '../graph/shape.ts';
import { concat, pad, reshape, slice, transpose } from '../graph/shape.ts';
import type { Value } from '../graph/value.ts';
import type { Info, Shape4, WindowAttributes } from './conv-info.ts';
import {
  backFrom,
  channelsFirst,
  convTranspose,
  describeConv,
  onnxConv,
  toNchw,
  toNhwc,
} from './conv-info.ts';
import { finish } from './fused.ts';
import type { Lowerings } from './lowering.ts';
import { withAttributes } from './lowering.ts';

/** A depthwise filter [height, width, in, multiplier] as ONNX wants it, [in * multiplier, 1, height, width]. */
function depthwiseFilter(g: Graph, filter: Value): Value {
  const [height, width, channels, multiplier] = filter.shape as Shape4;
  return reshape(g, transpose(g, filter, [2, 3, 0, 1]), [channels * multiplier, 1, height, width]);
}

function depthwise(g: Graph, x: Value, filter: Value, attributes: WindowAttributes): Value {
  const info = describeConv(x.shape, filter.shape, attributes, true);
  const result = onnxConv(
    g,
    channelsFirst(g, x, attributes.dataFormat),
    depthwiseFilter(g, filter),
    info,
    info.inChannels,
  );
  return backFrom(g, result, attributes.dataFormat);
}

function depthwiseFilterGradient(g: Graph, x: Value, dy: Value, info: Info): Value {
  const { batchSize, outHeight, outWidth, inChannels, outChannels, filterHeight, filterWidth } = info;
  const multiplier = outChannels / inChannels;
  const output = reshape(g, dy, [batchSize, outHeight, outWidth, inChannels, multiplier]);
  const sums = patches(g, x, info).map((part) => {
    const products = binary(g, 'Mul', reshape(g, part, [...part.shape, 1]), output);
    return reduce(g, 'ReduceSum', products, [0, 1, 2], false);
  });
  const stacked = concat(
    g,
    sums.map((sum) => reshape(g, sum, [1, inChannels, multiplier])),
    0,
  );
  return reshape(g, stacked, [filterHeight, filterWidth, inChannels, multiplier]);
}

/**
 * For each place in the filter, the part of x [batch, height, width, channels] that it meets: as large as the output.
 * `outside` is what x has beyond its borders.
 */
export function patches(g: Graph, x: Value, info: Info, outside = 0): Value[] {
  const { padInfo, filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } =
    info;
  const range = (axis: number, at: number, out: number, stride: number): Range => ({
    axis,
    start: at,
    count: out,
    step: stride,
  });
  const margins = [
    [0, 0],
    [padInfo.top, padInfo.bottom],
    [padInfo.left, padInfo.right],
    [0, 0],
  ] as const;
  const padded = pad(g, x, margins, outside);
  const parts: Value[] = [];
  for (let row = 0; row < filterHeight; row++) {
    for (let column = 0; column < filterWidth; column++) {
      const ranges = [
        range(1, row * dilationHeight, info.outHeight, strideHeight),
        range(2, column * dilationWidth, info.outWidth, strideWidth),
      ];
      parts.push(slice(g, padded, ranges));
    }
  }
  return parts;
}

export const depthwiseLowerings: Lowerings = {
  DepthwiseConv2dNative: withAttributes<DepthwiseConv2dNativeAttrs>((g, { x, filter }, attributes) =>
    depthwise(g, x, filter, attributes),
  ),
  FusedDepthwiseConv2D: withAttributes<FusedDepthwiseConv2DAttrs>((g, inputs, attributes) =>
    finish(g, depthwise(g, inputs.x!, inputs.filter!, attributes), inputs, attributes),
  ),
  DepthwiseConv2dNativeBackpropInput: withAttributes<DepthwiseConv2dNativeBackpropInputAttrs>(
    (g, { dy, filter }, attributes) => {
      const info = describeConv(attributes.inputShape, filter.shape, attributes, true);
      const shape = [info.batchSize, info.inChannels, info.inHeight, info.inWidth];
      const result = convTranspose(
        g,
        transpose(g, dy, toNchw),
        depthwiseFilter(g, filter),
        info,
        shape,
        info.inChannels,
      );
      return transpose(g, result, toNhwc);
    },
  ),
  DepthwiseConv2dNativeBackpropFilter: withAttributes<DepthwiseConv2dNativeBackpropFilterAttrs>(
    (g, { x, dy }, attributes) =>
      depthwiseFilterGradient(g, x, dy, describeConv(x.shape, attributes.filterShape, attributes, true)),
  ),
};
