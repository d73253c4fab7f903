import type {
  Conv2DAttrs,
  Conv2DBackpropFilterAttrs,
  Conv2DBackpropInputAttrs,
  DepthwiseConv2dNativeAttrs,
  DepthwiseConv2dNativeBackpropFilterAttrs,
  DepthwiseConv2dNativeBackpropInputAttrs,
  FusedConv2DAttrs,
} from '@tensorflow/tfjs-core';
import { backend_util } from '@tensorflow/tfjs-core';
import { binary } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { gemm } from '../graph/matmul.ts';
import { reduce } from '../graph/reduce.ts';
import type { Range } from '../graph/shape.ts';
import { concat, pad, reshape, slice, transpose } from '../graph/shape.ts';
import type { Attributes, Value } from '../graph/value.ts';
import type { Inputs, Lowerings } from './lowering.ts';
import { withAttributes } from './lowering.ts';
import { activate } from './unary.ts';

type Shape4 = [number, number, number, number];
type Info = backend_util.Conv2DInfo;

/** tfjs's order of axes to ONNX's, and back. */
export const toNchw = [0, 3, 1, 2] as const;
export const toNhwc = [0, 2, 3, 1] as const;
/** A tfjs filter [height, width, in, out] as ONNX wants it, [out, in, height, width]. */
const filterToOnnx = [3, 2, 0, 1] as const;

interface WindowAttributes {
  readonly strides: [number, number] | number;
  readonly dilations?: [number, number] | number;
  readonly pad: Conv2DAttrs['pad'];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dataFormat?: 'NHWC' | 'NCHW';
}

/** Sizes and paddings, by tfjs's own rules. `inputShape` in the data format of the attributes. */
function describe(
  inputShape: readonly number[],
  filterShape: readonly number[],
  a: WindowAttributes,
  depthwise = false,
): Info {
  const info = backend_util.computeConv2DInfo(
    [...inputShape] as Shape4,
    [...filterShape] as Shape4,
    a.strides,
    a.dilations ?? 1,
    a.pad,
    a.dimRoundingMode,
    depthwise,
    a.dataFormat === 'NCHW' ? 'channelsFirst' : 'channelsLast',
  );
  const { padInfo } = info;
  // What windows really reach at the end: for a numeric padding tfjs may count more windows than fit.
  const bottom =
    reach(info.outHeight, info.strideHeight, info.filterHeight, info.dilationHeight) -
    padInfo.top -
    info.inHeight;
  const right =
    reach(info.outWidth, info.strideWidth, info.filterWidth, info.dilationWidth) -
    padInfo.left -
    info.inWidth;
  return { ...info, padInfo: { ...padInfo, bottom: Math.max(bottom, 0), right: Math.max(right, 0) } };
}

/** How many rows `out` windows cover. */
function reach(out: number, stride: number, size: number, dilation: number): number {
  return (out - 1) * stride + (size - 1) * dilation + 1;
}

function windowOf(info: Info): Attributes {
  const { top, bottom, left, right } = info.padInfo;
  return {
    kernel_shape: { ints: [info.filterHeight, info.filterWidth] },
    strides: { ints: [info.strideHeight, info.strideWidth] },
    dilations: { ints: [info.dilationHeight, info.dilationWidth] },
    pads: { ints: [top, left, bottom, right] },
  };
}

const channelsFirst = (g: Graph, x: Value, format?: string) =>
  format === 'NCHW' ? x : transpose(g, x, toNchw);
const backFrom = (g: Graph, x: Value, format?: string) => (format === 'NCHW' ? x : transpose(g, x, toNhwc));

/** x [batch, in, height, width] and filter [out, in, height, width] in ONNX's layout, and so the result. */
function onnxConv(g: Graph, x: Value, filter: Value, info: Info, groups = 1): Value {
  const shape = [x.shape[0]!, filter.shape[0]!, info.outHeight, info.outWidth];
  const attributes = { ...windowOf(info), group: { int: groups } };
  return g.emit('Conv', [x, filter], { type: 'float32', shape }, attributes);
}

function conv2d(g: Graph, x: Value, filter: Value, attributes: WindowAttributes): Value {
  const format = attributes.dataFormat;
  const info = describe(x.shape, filter.shape, attributes);
  const result = onnxConv(g, channelsFirst(g, x, format), transpose(g, filter, filterToOnnx), info);
  return backFrom(g, result, format);
}

/** Gradient of a convolution to its input; dy and the result in NCHW, filter as tfjs has it. */
function convInputGradient(g: Graph, dy: Value, filter: Value, info: Info): Value {
  const { filterHeight, filterWidth, inHeight, inWidth, outHeight, outWidth, padInfo } = info;
  const shape = [dy.shape[0]!, filter.shape[2]!, inHeight, inWidth];
  const top = filterHeight - 1 - padInfo.top;
  const left = filterWidth - 1 - padInfo.left;
  const bottom = inHeight - outHeight - top + filterHeight - 1;
  const right = inWidth - outWidth - left + filterWidth - 1;
  const plain =
    info.strideHeight === 1 &&
    info.strideWidth === 1 &&
    info.dilationHeight === 1 &&
    info.dilationWidth === 1;
  if (plain && Math.min(top, left, bottom, right) >= 0) {
    // With stride 1 it is a convolution of dy with the filter turned by 180 degrees: faster than ConvTranspose.
    const turned = slice(g, filter, [
      { axis: 0, start: filterHeight - 1, count: filterHeight, step: -1 },
      { axis: 1, start: filterWidth - 1, count: filterWidth, step: -1 },
    ]);
    const attributes = {
      kernel_shape: { ints: [filterHeight, filterWidth] },
      pads: { ints: [top, left, bottom, right] },
    };
    return g.emit('Conv', [dy, transpose(g, turned, [2, 3, 0, 1])], { type: 'float32', shape }, attributes);
  }
  return convTranspose(g, dy, transpose(g, filter, filterToOnnx), info, shape, 1);
}

/** dy [batch, out, ...], filter [out, in / groups, height, width]. */
export function convTranspose(
  g: Graph,
  dy: Value,
  filter: Value,
  info: Info,
  shape: readonly number[],
  groups: number,
): Value {
  const { padInfo } = info;
  const endHeight =
    reach(info.outHeight, info.strideHeight, info.filterHeight, info.dilationHeight) -
    padInfo.top -
    info.inHeight;
  const endWidth =
    reach(info.outWidth, info.strideWidth, info.filterWidth, info.dilationWidth) -
    padInfo.left -
    info.inWidth;
  const attributes = {
    ...windowOf(info),
    group: { int: groups },
    pads: { ints: [padInfo.top, padInfo.left, Math.max(endHeight, 0), Math.max(endWidth, 0)] },
  };
  const covered = [
    shape[0]!,
    shape[1]!,
    info.inHeight + Math.min(endHeight, 0),
    info.inWidth + Math.min(endWidth, 0),
  ];
  const result = g.emit('ConvTranspose', [dy, filter], { type: 'float32', shape: covered }, attributes);
  // Rows at the end that no window reached have no gradient.
  const rest = [0, 0, Math.max(-endHeight, 0), Math.max(-endWidth, 0)];
  return pad(
    g,
    result,
    rest.map((after) => [0, after] as const),
  );
}

/** For each place in the filter, the part of x [batch, height, width, channels] that it meets: as large as the output. */
function patches(g: Graph, x: Value, info: Info): Value[] {
  const { padInfo, filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } =
    info;
  const range = (axis: number, at: number, out: number, stride: number): Range => ({
    axis,
    start: at,
    count: out,
    step: stride,
  });
  const padded = pad(g, x, [
    [0, 0],
    [padInfo.top, padInfo.bottom],
    [padInfo.left, padInfo.right],
    [0, 0],
  ]);
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

/** Gradient of a convolution to its filter: the windows as rows of one matrix ("im2col"), times dy. x, dy in NHWC. */
function convFilterGradient(g: Graph, x: Value, dy: Value, info: Info): Value {
  const { batchSize, outHeight, outWidth, inChannels, outChannels, filterHeight, filterWidth } = info;
  const rows = batchSize * outHeight * outWidth;
  const windows = reshape(g, concat(g, patches(g, x, info), 3), [
    rows,
    filterHeight * filterWidth * inChannels,
  ]);
  const product = gemm(
    g,
    { value: windows, transposed: true },
    { value: reshape(g, dy, [rows, outChannels]), transposed: false },
  );
  return reshape(g, product, [filterHeight, filterWidth, inChannels, outChannels]);
}

function fusedConv2d(g: Graph, inputs: Inputs, attributes: FusedConv2DAttrs): Value {
  const { x, filter, bias, preluActivationWeights } = inputs as Partial<Inputs>;
  const result = conv2d(g, x!, filter!, attributes);
  const column =
    bias && attributes.dataFormat === 'NCHW' ? reshape(g, bias, [bias.shape.at(-1)!, 1, 1]) : bias;
  const biased = column ? binary(g, 'Add', result, column) : result;
  return activate(
    g,
    biased,
    attributes.activation ?? 'linear',
    attributes.leakyreluAlpha ?? 0.2,
    preluActivationWeights,
  );
}

/** A depthwise filter [height, width, in, multiplier] as ONNX wants it, [in * multiplier, 1, height, width]. */
function depthwiseFilter(g: Graph, filter: Value): Value {
  const [height, width, channels, multiplier] = filter.shape as Shape4;
  return reshape(g, transpose(g, filter, [2, 3, 0, 1]), [channels * multiplier, 1, height, width]);
}

function depthwise(g: Graph, x: Value, filter: Value, attributes: WindowAttributes): Value {
  const info = describe(x.shape, filter.shape, attributes, true);
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

export const convLowerings: Lowerings = {
  Conv2D: withAttributes<Conv2DAttrs>((g, { x, filter }, attributes) => conv2d(g, x, filter, attributes)),
  FusedConv2D: withAttributes<FusedConv2DAttrs>(fusedConv2d),
  Conv2DBackpropInput: withAttributes<Conv2DBackpropInputAttrs>((g, { dy, filter }, attributes) => {
    const info = describe(attributes.inputShape, filter.shape, attributes);
    const format = attributes.dataFormat;
    return backFrom(g, convInputGradient(g, channelsFirst(g, dy, format), filter, info), format);
  }),
  Conv2DBackpropFilter: withAttributes<Conv2DBackpropFilterAttrs>((g, { x, dy }, attributes) => {
    const info = describe(x.shape, attributes.filterShape, attributes);
    const last = (value: Value) => (attributes.dataFormat === 'NCHW' ? transpose(g, value, toNhwc) : value);
    return convFilterGradient(g, last(x), last(dy), info);
  }),
  DepthwiseConv2dNative: withAttributes<DepthwiseConv2dNativeAttrs>((g, { x, filter }, attributes) =>
    depthwise(g, x, filter, attributes),
  ),
  DepthwiseConv2dNativeBackpropInput: withAttributes<DepthwiseConv2dNativeBackpropInputAttrs>(
    (g, { dy, filter }, attributes) => {
      const info = describe(attributes.inputShape, filter.shape, attributes, true);
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
      depthwiseFilterGradient(g, x, dy, describe(x.shape, attributes.filterShape, attributes, true)),
  ),
};
