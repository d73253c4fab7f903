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
import { gatherAxis } from './gather.ts';
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
  if (fewWindows(info) && format !== 'NCHW') return convByWindows(g, x, filter, info);
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
  if (fewWindows(mirrored) && format !== 'NCHW') return convByWindows(g, dy, swapped, mirrored);
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

/**
 * All windows of x [batch, height, width, channels] as the rows of one matrix ("im2col"):
 * [batch * outHeight * outWidth, filterHeight * filterWidth * channels]. One Gather copies them.
 */
function windows(g: Graph, x: Value, info: Info): Value {
  const { padInfo, batchSize, outHeight, outWidth, filterHeight, filterWidth, inChannels } = info;
  const rows = batchSize * outHeight * outWidth;
  const columns = filterHeight * filterWidth * inChannels;
  const whole = filterHeight * filterWidth === 1 && info.strideHeight === 1 && info.strideWidth === 1;
  const padded = pad(g, x, [
    [0, 0],
    [padInfo.top, padInfo.bottom],
    [padInfo.left, padInfo.right],
    [0, 0],
  ]);
  if (whole) return reshape(g, padded, [rows, columns]);
  const [, height, width] = padded.shape as Shape4;
  const pixels = reshape(g, padded, [batchSize, height * width, inChannels]);
  return reshape(g, gatherAxis(g, pixels, windowIndices(g, info, width), 1), [rows, columns]);
}

/** The pixels of each window, counted row by row in an image that is `width` wide. */
function windowIndices(g: Graph, info: Info, width: number): Value {
  const { outHeight, outWidth, filterHeight, filterWidth } = info;
  const indices = new Int32Array(outHeight * outWidth * filterHeight * filterWidth);
  let next = 0;
  for (let top = 0; top < outHeight; top++) {
    for (let left = 0; left < outWidth; left++) {
      for (let row = 0; row < filterHeight; row++) {
        for (let column = 0; column < filterWidth; column++) {
          const y = top * info.strideHeight + row * info.dilationHeight;
          const x = left * info.strideWidth + column * info.dilationWidth;
          indices[next++] = y * width + x;
        }
      }
    }
  }
  return g.constant(indices, 'int32', [indices.length]);
}

const plain = (value: Value) => ({ value, transposed: false });

/** A convolution as the matrix of its windows times the filter, in NHWC. */
function convByWindows(g: Graph, x: Value, filter: Value, info: Info): Value {
  const { batchSize, outHeight, outWidth, inChannels, outChannels, filterHeight, filterWidth } = info;
  const matrix = reshape(g, filter, [filterHeight * filterWidth * inChannels, outChannels]);
  const product = gemm(g, plain(windows(g, x, info)), plain(matrix));
  return reshape(g, product, [batchSize, outHeight, outWidth, outChannels]);
}

/**
 * Up to this many numbers in the matrix of windows it is the faster way: one product for the whole batch instead of
 * one an image, no transposes, and the gradient to the filter uses the same matrix. Beyond, memory would suffer.
 */
const largestWindows = 4 * 2 ** 20;

function fewWindows({
  batchSize,
  outHeight,
  outWidth,
  inChannels,
  filterHeight,
  filterWidth,
}: Info): boolean {
  return batchSize * outHeight * outWidth * inChannels * filterHeight * filterWidth <= largestWindows;
}

/** Gradient of a convolution to its filter: the windows, transposed, times dy. x and dy in NHWC. */
function convFilterGradient(g: Graph, x: Value, dy: Value, info: Info): Value {
  const { batchSize, outHeight, outWidth, inChannels, outChannels, filterHeight, filterWidth } = info;
  const rows = reshape(g, dy, [batchSize * outHeight * outWidth, outChannels]);
  const product = gemm(g, { value: windows(g, x, info), transposed: true }, plain(rows));
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
    return convInputGradient(g, dy, filter, info, attributes.dataFormat);
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
