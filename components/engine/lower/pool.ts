import type { AvgPoolAttrs, MaxPoolAttrs, MaxPoolWithArgmaxAttrs } from '@tensorflow/tfjs-core';
import { backend_util } from '@tensorflow/tfjs-core';
import { binary, cast } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { longestSum, reduce } from '../graph/reduce.ts';
import { reshape, transpose } from '../graph/shape.ts';
import type { Attributes, Value } from '../graph/value.ts';
import { sizeOf } from '../graph/value.ts';
import { convTranspose, toNchw, toNhwc, withReach } from './conv-info.ts';
import type { Lowerings } from './lowering.ts';
import { withAttributes } from './lowering.ts';

type Info = backend_util.Conv2DInfo;
type PoolAttributes = Pick<MaxPoolAttrs, 'filterSize' | 'strides' | 'pad' | 'dimRoundingMode'>;

export function describePool(
  shape: readonly number[],
  { filterSize, strides, pad, dimRoundingMode }: PoolAttributes,
): Info {
  const size = shape as [number, number, number, number];
  return withReach(backend_util.computePool2DInfo(size, filterSize, strides, 1, pad, dimRoundingMode));
}

function windowOf({ filterHeight, filterWidth, strideHeight, strideWidth, padInfo }: Info): Attributes {
  return {
    kernel_shape: { ints: [filterHeight, filterWidth] },
    strides: { ints: [strideHeight, strideWidth] },
    pads: { ints: [padInfo.top, padInfo.left, padInfo.bottom, padInfo.right] },
  };
}

const outputShape = (info: Info) => [info.batchSize, info.inChannels, info.outHeight, info.outWidth];

function maxPool(g: Graph, x: Value, info: Info): { readonly values: Value; readonly places: Value } {
  const shape = outputShape(info);
  const types = [
    { type: 'float32', shape },
    { type: 'int64', shape },
  ] as const;
  const [values, places] = g.emitAll('MaxPool', [transpose(g, x, toNchw)], types, windowOf(info));
  return { values: values!, places: places! };
}

/** ONNX counts the places of the maxima in [batch, channels, height, width], tfjs in its own order of axes. */
function maxPoolWithArgmax(
  g: Graph,
  x: Value,
  { includeBatchInIndex, ...attributes }: MaxPoolWithArgmaxAttrs,
): Value[] {
  const info = describePool(x.shape, attributes);
  const { values, places } = maxPool(g, cast(g, x, 'float32'), info);
  const { batchSize, inChannels: channels } = info;
  const size = info.inHeight * info.inWidth;
  const integers = (value: (item: number, channel: number) => number) =>
    g.constant(
      Int32Array.from({ length: batchSize * channels }, (_, plane) =>
        value(Math.floor(plane / channels), plane % channels),
      ),
      'int32',
      [batchSize, channels, 1, 1],
    );
  const plane = integers((item, channel) => (item * channels + channel) * size);
  const pixel = binary(g, 'Sub', cast(g, places, 'int32'), plane);
  const first = integers((item, channel) => (includeBatchInIndex ? item * size * channels : 0) + channel);
  const index = binary(g, 'Add', binary(g, 'Mul', pixel, g.splat(channels, 'int32', [])), first);
  return [cast(g, transpose(g, values, toNhwc), x.type), transpose(g, index, toNhwc)];
}

/** Each dy goes to where its maximum was (the first of several); windows may overlap, so they add. */
function maxPoolGradient(g: Graph, dy: Value, x: Value, info: Info): Value {
  const { places } = maxPool(g, x, info);
  const size = sizeOf(x.shape);
  const outputs = sizeOf(places.shape);
  const flat = [
    g.splat(0, 'float32', [size]),
    reshape(g, places, [outputs]),
    reshape(g, transpose(g, dy, toNchw), [outputs]),
  ];
  const attributes = { axis: { int: 0 }, reduction: { text: 'add' } };
  const scattered = g.emit('ScatterElements', flat, { type: 'float32', shape: [size] }, attributes);
  const { batchSize, inChannels, inHeight, inWidth } = info;
  return transpose(g, reshape(g, scattered, [batchSize, inChannels, inHeight, inWidth]), toNhwc);
}

function avgPool(g: Graph, x: Value, info: Info): Value {
  const { filterHeight, filterWidth, inHeight, inWidth, outHeight, outWidth, padInfo } = info;
  const padded = padInfo.top + padInfo.bottom + padInfo.left + padInfo.right > 0;
  if (!padded && outHeight * outWidth === 1 && filterHeight === inHeight && filterWidth === inWidth) {
    // One window for the whole image: a mean, which is added in blocks.
    return reduce(g, 'ReduceMean', x, [1, 2], true);
  }
  const pooled = (value: Value, part: Info) =>
    g.emit(
      'AveragePool',
      [value],
      { type: 'float32', shape: outputShape(part) },
      { ...windowOf(part), count_include_pad: { int: 0 } },
    );
  const planes = transpose(g, x, toNchw);
  if (filterHeight * filterWidth <= longestSum.column) return transpose(g, pooled(planes, info), toNhwc);
  // ONNX Runtime adds number by number. The mean of a window is the mean of the means of its rows, padded or not.
  const { top, bottom, left, right, type } = padInfo;
  const rows = {
    ...info,
    ...{ filterHeight: 1, strideHeight: 1, outHeight: inHeight },
    padInfo: { top: 0, bottom: 0, left, right, type },
  };
  const columns = {
    ...info,
    ...{ filterWidth: 1, strideWidth: 1 },
    padInfo: { top, bottom, left: 0, right: 0, type },
  };
  return transpose(g, pooled(pooled(planes, rows), columns), toNhwc);
}

/** tfjs divides by the size of the whole window, also where part of it is padding. */
function avgPoolGradient(g: Graph, dy: Value, info: Info): Value {
  const { batchSize, inChannels, inHeight, inWidth, outHeight, outWidth, filterHeight, filterWidth } = info;
  const planes = batchSize * inChannels;
  const share = Math.fround(1 / (filterHeight * filterWidth));
  const scaled = binary(g, 'Mul', transpose(g, dy, toNchw), g.splat(share, 'float32', []));
  const filter = g.splat(1, 'float32', [1, 1, filterHeight, filterWidth]);
  const spread = convTranspose(
    g,
    reshape(g, scaled, [planes, 1, outHeight, outWidth]),
    filter,
    info,
    [planes, 1, inHeight, inWidth],
    1,
  );
  return transpose(g, reshape(g, spread, [batchSize, inChannels, inHeight, inWidth]), toNhwc);
}

export const poolLowerings: Lowerings = {
  MaxPool: withAttributes<MaxPoolAttrs>((g, { x }, attributes) => {
    const { values } = maxPool(g, cast(g, x, 'float32'), describePool(x.shape, attributes));
    return cast(g, transpose(g, values, toNhwc), x.type);
  }),
  MaxPoolGrad: withAttributes<MaxPoolAttrs>((g, { dy, input }, attributes) =>
    maxPoolGradient(g, dy, input, describePool(input.shape, attributes)),
  ),
  MaxPoolWithArgmax: withAttributes<MaxPoolWithArgmaxAttrs>((g, { x }, attributes) =>
    maxPoolWithArgmax(g, x, attributes),
  ),
  AvgPool: withAttributes<AvgPoolAttrs>((g, { x }, attributes) =>
    avgPool(g, cast(g, x, 'float32'), describePool(x.shape, attributes)),
  ),
  AvgPoolGrad: withAttributes<AvgPoolAttrs>((g, { dy, input }, attributes) =>
    avgPoolGradient(g, dy, describePool(input.shape, attributes)),
  ),
};
