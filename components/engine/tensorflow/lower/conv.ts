import type {
  Conv2DAttrs,
  Conv2DBackpropFilterAttrs,
  Conv2DBackpropInputAttrs,
  FusedConv2DAttrs,
} from '@tensorflow/tfjs-core';
import type { Graph } from '../../graph/graph.ts';
import { reshape, transpose } from '../../graph/shape.ts';
import type { Attributes, Value } from '../../graph/value.ts';
import { describeConv, type Info, type Shape4, type WindowAttributes } from '../../lower/conv-info.ts';
import { finish } from '../../lower/fused.ts';
import type { Inputs, Lowerings } from '../../lower/lowering.ts';
import { withAttributes } from '../../lower/lowering.ts';
import { convFilterGradient } from '../../lower/windows.ts';
import { gathered, ints, paddingName, span, spread, strides, toFirst, toLast } from './image.ts';

const channelsLast = (g: Graph, x: Value, format?: string) =>
  format === 'NCHW' ? transpose(g, x, toLast) : x;
const backFrom = (g: Graph, x: Value, format?: string) => (format === 'NCHW' ? transpose(g, x, toFirst) : x);

/** How a convolution goes over the image. Its gradients have no dilation on a CPU: there filters are spread before. */
function windowOf(info: Info): Attributes {
  const name = paddingName(info);
  if (name) return { ...strides(info), padding: { text: name } };
  const { top, left } = info.padInfo;
  // What the windows reach at the end; where they leave rows or columns out, there is none.
  const bottom =
    (info.outHeight - 1) * info.strideHeight +
    span(info.filterHeight, info.dilationHeight) -
    top -
    info.inHeight;
  const right =
    (info.outWidth - 1) * info.strideWidth + span(info.filterWidth, info.dilationWidth) - left - info.inWidth;
  return {
    ...strides(info),
    padding: { text: 'EXPLICIT' },
    explicit_paddings: { ints: [0, 0, top, Math.max(bottom, 0), left, Math.max(right, 0), 0, 0] },
  };
}

function conv2d(g: Graph, x: Value, filter: Value, attributes: WindowAttributes): Value {
  const format = attributes.dataFormat;
  const info = describeConv(x.shape, filter.shape, attributes);
  const shape = [info.batchSize, info.outHeight, info.outWidth, info.outChannels];
  const inputs = [channelsLast(g, x, format), filter];
  const window = { ...windowOf(info), dilations: { ints: [1, info.dilationHeight, info.dilationWidth, 1] } };
  const result = g.emit('Conv2D', inputs, { type: 'float32', shape }, window, 'tensorflow');
  return backFrom(g, result, format);
}

function inputGradient(g: Graph, dy: Value, filter: Value, info: Info): Value {
  const shape = [info.batchSize, info.inHeight, info.inWidth, info.inChannels];
  const inputs = [ints(g, shape), spread(g, filter, info), dy];
  return g.emit('Conv2DBackpropInput', inputs, { type: 'float32', shape }, windowOf(info), 'tensorflow');
}

function filterGradient(g: Graph, x: Value, dy: Value, info: Info): Value {
  const shape = [
    span(info.filterHeight, info.dilationHeight),
    span(info.filterWidth, info.dilationWidth),
    info.inChannels,
    info.outChannels,
  ];
  const inputs = [x, ints(g, shape), dy];
  const gradient = g.emit(
    'Conv2DBackpropFilter',
    inputs,
    { type: 'float32', shape },
    windowOf(info),
    'tensorflow',
  );
  return gathered(g, gradient, info);
}

function fusedConv2d(g: Graph, inputs: Inputs, attributes: FusedConv2DAttrs): Value {
  const { x, filter, bias } = inputs as Partial<Inputs>;
  const result = conv2d(g, x!, filter!, attributes);
  if (!bias || attributes.dataFormat !== 'NCHW') return finish(g, result, inputs, attributes);
  return finish(g, result, { ...inputs, bias: reshape(g, bias, [bias.shape.at(-1)!, 1, 1]) }, attributes);
}

export const convLowerings: Lowerings = {
  Conv2D: withAttributes<Conv2DAttrs>((g, { x, filter }, attributes) => conv2d(g, x!, filter!, attributes)),
  FusedConv2D: withAttributes<FusedConv2DAttrs>(fusedConv2d),
  Conv2DBackpropInput: withAttributes<Conv2DBackpropInputAttrs>((g, { dy, filter }, attributes) => {
    const info = describeConv(attributes.inputShape, filter!.shape, attributes);
    const format = attributes.dataFormat;
    return backFrom(g, inputGradient(g, channelsLast(g, dy!, format), filter!, info), format);
  }),
  Conv2DBackpropFilter: withAttributes<Conv2DBackpropFilterAttrs>((g, { x, dy }, attributes) => {
    const info = describeConv(x!.shape, attributes.filterShape as Shape4, attributes);
    const format = attributes.dataFormat;
    return filterGradient(g, channelsLast(g, x!, format), channelsLast(g, dy!, format), info);
  }),
};

/**
 * oneDNN divides the sums of its gradient to a filter among threads, so that their number decides the rounding. As a product
 * with the windows it is the same bytes for any number, and takes no more time.
 */
export const steadyConvLowerings: Lowerings = {
  Conv2DBackpropFilter: withAttributes<Conv2DBackpropFilterAttrs>((g, { x, dy }, attributes) => {
    const info = describeConv(x!.shape, attributes.filterShape as Shape4, attributes);
    const format = attributes.dataFormat;
    return convFilterGradient(g, channelsLast(g, x!, format), channelsLast(g, dy!, format), info);
  }),
};
