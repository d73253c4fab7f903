import type {
  DepthwiseConv2dNativeAttrs,
  DepthwiseConv2dNativeBackpropFilterAttrs,
  DepthwiseConv2dNativeBackpropInputAttrs,
  FusedDepthwiseConv2DAttrs,
} from '@tensorflow/tfjs-core';
import type { Graph } from '../../graph/graph.ts';
import { pad, reshape, slice, transpose } from '../../graph/shape.ts';
import type { Attributes, Value } from '../../graph/value.ts';
import { describeConv, type Info, type Shape4, type WindowAttributes } from '../../lower/conv-info.ts';
import { finish } from '../../lower/fused.ts';
import type { Lowerings } from '../../lower/lowering.ts';
import { withAttributes } from '../../lower/lowering.ts';
import { gathered, ints, padded, reached, span, spread, toFirst, toLast, unpadded } from './image.ts';

/**
 * TensorFlow's kernels have one stride for both directions, and no dilation backwards: images are padded before, filters
 * spread for the gradients, and where the strides differ the result of stride 1 is thinned out.
 */
function windowOf(info: Info): Attributes {
  const stride = evenStride(info);
  return { strides: { ints: [1, stride, stride, 1] }, padding: { text: 'VALID' } };
}

const evenStride = ({ strideHeight, strideWidth }: Info) => (strideHeight === strideWidth ? strideHeight : 1);

/** Height and width of what the kernel computes. */
function computed(info: Info): [number, number] {
  if (info.strideHeight === info.strideWidth) return [info.outHeight, info.outWidth];
  return [(info.outHeight - 1) * info.strideHeight + 1, (info.outWidth - 1) * info.strideWidth + 1];
}

function depthwise(g: Graph, given: Value, filter: Value, attributes: WindowAttributes): Value {
  const info = describeConv(given.shape, filter.shape, attributes, true);
  const first = attributes.dataFormat === 'NCHW';
  const x = first ? transpose(g, given, toLast) : given;
  const result = dilates(info) ? dilated(g, x, filter, info) : plain(g, x, filter, info);
  return first ? transpose(g, result, toFirst) : result;
}

const dilates = (info: Info) => info.dilationHeight > 1 || info.dilationWidth > 1;

function plain(g: Graph, x: Value, filter: Value, info: Info): Value {
  const shape = [info.batchSize, ...computed(info), info.outChannels];
  const type = { type: 'float32', shape } as const;
  const inputs = [padded(g, x, info), filter];
  const all = g.emit('DepthwiseConv2dNative', inputs, type, windowOf(info), 'tensorflow');
  return info.strideHeight === info.strideWidth ? all : slice(g, all, thinning(info));
}

/** The kernel knows dilation with stride 1 only. Zeros in the filter instead would make NaN of infinities. */
function dilated(g: Graph, x: Value, filter: Value, info: Info): Value {
  const { dilationHeight, dilationWidth } = info;
  const [height, width] = [
    (info.outHeight - 1) * info.strideHeight + 1,
    (info.outWidth - 1) * info.strideWidth + 1,
  ];
  const type = { type: 'float32', shape: [info.batchSize, height, width, info.outChannels] } as const;
  const window = {
    strides: { ints: [1, 1, 1, 1] },
    padding: { text: 'VALID' },
    dilations: { ints: [1, dilationHeight, dilationWidth, 1] },
  };
  const inputs = [padded(g, x, info), filter];
  const all = g.emit('DepthwiseConv2dNative', inputs, type, window, 'tensorflow');
  return slice(g, all, thinning(info));
}

function thinning(info: Info) {
  return [
    { axis: 1, start: 0, count: info.outHeight, step: info.strideHeight },
    { axis: 2, start: 0, count: info.outWidth, step: info.strideWidth },
  ];
}

/** dy with zeros where the result was thinned out. */
function thickened(g: Graph, dy: Value, info: Info): Value {
  if (info.strideHeight === info.strideWidth) return dy;
  const [batch, height, width, channels] = dy.shape as Shape4;
  const apart = pad(g, reshape(g, dy, [batch, height, 1, width, 1, channels]), [
    [0, 0],
    [0, 0],
    [0, info.strideHeight - 1],
    [0, 0],
    [0, info.strideWidth - 1],
    [0, 0],
  ]);
  const [rows, columns] = computed(info);
  const whole = reshape(g, apart, [batch, height * info.strideHeight, width * info.strideWidth, channels]);
  return slice(g, whole, [
    { axis: 1, start: 0, count: rows, step: 1 },
    { axis: 2, start: 0, count: columns, step: 1 },
  ]);
}

function inputGradient(g: Graph, dy: Value, filter: Value, info: Info): Value {
  const shape = [info.batchSize, ...reached(info), info.inChannels];
  const inputs = [ints(g, shape), spread(g, filter, info), thickened(g, dy, info)];
  const type = { type: 'float32', shape } as const;
  const dx = g.emit('DepthwiseConv2dNativeBackpropInput', inputs, type, windowOf(info), 'tensorflow');
  return unpadded(g, dx, info);
}

function filterGradient(g: Graph, x: Value, dy: Value, info: Info): Value {
  const { filterHeight, filterWidth, inChannels, outChannels } = info;
  const shape = [
    span(filterHeight, info.dilationHeight),
    span(filterWidth, info.dilationWidth),
    inChannels,
    outChannels / inChannels,
  ];
  const inputs = [padded(g, x, info), ints(g, shape), thickened(g, dy, info)];
  const type = { type: 'float32', shape } as const;
  const gradient = g.emit('DepthwiseConv2dNativeBackpropFilter', inputs, type, windowOf(info), 'tensorflow');
  return gathered(g, gradient, info);
}

export const depthwiseLowerings: Lowerings = {
  DepthwiseConv2dNative: withAttributes<DepthwiseConv2dNativeAttrs>((g, { x, filter }, attributes) =>
    depthwise(g, x!, filter!, attributes),
  ),
  FusedDepthwiseConv2D: withAttributes<FusedDepthwiseConv2DAttrs>((g, inputs, attributes) =>
    finish(g, depthwise(g, inputs.x!, inputs.filter!, attributes), inputs, attributes),
  ),
  DepthwiseConv2dNativeBackpropInput: withAttributes<DepthwiseConv2dNativeBackpropInputAttrs>(
    (g, { dy, filter }, attributes) =>
      inputGradient(g, dy!, filter!, describeConv(attributes.inputShape, filter!.shape, attributes, true)),
  ),
  DepthwiseConv2dNativeBackpropFilter: withAttributes<DepthwiseConv2dNativeBackpropFilterAttrs>(
    (g, { x, dy }, attributes) =>
      filterGradient(g, x!, dy!, describeConv(x!.shape, attributes.filterShape, attributes, true)),
  ),
};
