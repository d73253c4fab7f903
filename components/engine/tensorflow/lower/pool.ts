import type { AvgPoolAttrs, MaxPoolAttrs, MaxPoolWithArgmaxAttrs } from '@tensorflow/tfjs-core';
import { binary, cast } from '../../graph/elementwise.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Attributes, Value } from '../../graph/value.ts';
import type { Info, Shape4 } from '../../lower/conv-info.ts';
import type { Lowerings } from '../../lower/lowering.ts';
import { withAttributes } from '../../lower/lowering.ts';
import { describePool } from '../../lower/pool.ts';
import { ints, padded, paddingName, strides, unpadded } from './image.ts';

function windowOf(info: Info, padding = 'VALID'): Attributes {
  return {
    ...strides(info),
    ksize: { ints: [1, info.filterHeight, info.filterWidth, 1] },
    padding: { text: padding },
  };
}

const outputShape = (info: Info) => [info.batchSize, info.outHeight, info.outWidth, info.inChannels];

/** Where no number of x can win, so that padding never does. */
const outside = Number.NEGATIVE_INFINITY;

function maxPool(g: Graph, x: Value, info: Info): Value {
  const type = { type: 'float32', shape: outputShape(info) } as const;
  const name = paddingName(info);
  if (name) return g.emit('MaxPool', [x], type, windowOf(info, name), 'tensorflow');
  return g.emit('MaxPool', [padded(g, x, info, outside)], type, windowOf(info), 'tensorflow');
}

/** To the place of each maximum, the first of several. */
function maxPoolGradient(g: Graph, dy: Value, x: Value, info: Info): Value {
  const name = paddingName(info);
  const from = name ? x : padded(g, x, info, outside);
  const inputs = [from, maxPool(g, x, info), dy];
  const type = { type: 'float32', shape: from.shape } as const;
  const dx = g.emit('MaxPoolGrad', inputs, type, windowOf(info, name), 'tensorflow');
  return name ? dx : unpadded(g, dx, info);
}

/** Places count as in tfjs: (row * width + column) * channels + channel. */
function maxPoolWithArgmax(
  g: Graph,
  x: Value,
  { includeBatchInIndex, ...attributes }: MaxPoolWithArgmaxAttrs,
): Value[] {
  const info = describePool(x.shape, attributes);
  const from = padded(g, cast(g, x, 'float32'), info, outside);
  const [, , width, channels] = from.shape as Shape4;
  const shape = outputShape(info);
  const types = [
    { type: 'float32', shape },
    { type: 'int32', shape },
  ] as const;
  const [values, places] = g.emitAll('MaxPoolWithArgmax', [from], types, windowOf(info), 'tensorflow');
  const number = (value: number) => g.splat(value, 'int32', []);
  const pixel = floorDivide(g, places!, channels);
  const channel = binary(g, 'Sub', places!, binary(g, 'Mul', pixel, number(channels)));
  const row = floorDivide(g, pixel, width);
  const column = binary(g, 'Sub', pixel, binary(g, 'Mul', row, number(width)));
  const inRow = binary(g, 'Sub', row, number(info.padInfo.top));
  const inColumn = binary(g, 'Sub', column, number(info.padInfo.left));
  const inPixel = binary(g, 'Add', binary(g, 'Mul', inRow, number(info.inWidth)), inColumn);
  const place = binary(g, 'Add', binary(g, 'Mul', inPixel, number(channels)), channel);
  const size = includeBatchInIndex ? info.inHeight * info.inWidth * channels : 0;
  const items = Int32Array.from({ length: info.batchSize }, (_, item) => item * size);
  const start = g.constant(items, 'int32', [info.batchSize, 1, 1, 1]);
  return [cast(g, values!, x.type), binary(g, 'Add', place, start)];
}

const floorDivide = (g: Graph, x: Value, by: number) => binary(g, 'Div', x, g.splat(by, 'int32', []));

/** Divides by the numbers inside the image. */
function avgPool(g: Graph, x: Value, info: Info): Value {
  const type = { type: 'float32', shape: outputShape(info) } as const;
  const name = paddingName(info);
  if (name) return g.emit('AvgPool', [x], type, windowOf(info, name), 'tensorflow');
  const means = g.emit('AvgPool', [padded(g, x, info)], type, windowOf(info), 'tensorflow');
  return binary(
    g,
    'Mul',
    means,
    g.constant(wholeByInside(info), 'float32', [1, info.outHeight, info.outWidth, 1]),
  );
}

/** The size of a window by how many of its pixels lie inside, for each window. */
function wholeByInside(info: Info): Float32Array {
  const { inHeight, inWidth, outHeight, outWidth, filterHeight, filterWidth, padInfo } = info;
  const inside = (start: number, size: number, length: number) =>
    Math.min(start + size, length) - Math.max(start, 0);
  return Float32Array.from({ length: outHeight * outWidth }, (_, window) => {
    const row = Math.floor(window / outWidth) * info.strideHeight - padInfo.top;
    const column = (window % outWidth) * info.strideWidth - padInfo.left;
    const count = inside(row, filterHeight, inHeight) * inside(column, filterWidth, inWidth);
    return (filterHeight * filterWidth) / count;
  });
}

/** tfjs divides by the size of the whole window, also where part of it is padding. */
function avgPoolGradient(g: Graph, dy: Value, info: Info): Value {
  const { padInfo, inHeight, inWidth } = info;
  const shape = [
    info.batchSize,
    Math.max(inHeight + padInfo.top + padInfo.bottom, info.filterHeight),
    Math.max(inWidth + padInfo.left + padInfo.right, info.filterWidth),
    info.inChannels,
  ];
  const type = { type: 'float32', shape } as const;
  const dx = g.emit('AvgPoolGrad', [ints(g, shape), dy], type, windowOf(info), 'tensorflow');
  return unpadded(g, dx, info);
}

export const poolLowerings: Lowerings = {
  MaxPool: withAttributes<MaxPoolAttrs>((g, { x }, attributes) =>
    cast(g, maxPool(g, cast(g, x!, 'float32'), describePool(x!.shape, attributes)), x!.type),
  ),
  MaxPoolGrad: withAttributes<MaxPoolAttrs>((g, { dy, input }, attributes) =>
    maxPoolGradient(g, dy!, input!, describePool(input!.shape, attributes)),
  ),
  MaxPoolWithArgmax: withAttributes<MaxPoolWithArgmaxAttrs>((g, { x }, attributes) =>
    maxPoolWithArgmax(g, x!, attributes),
  ),
  AvgPool: withAttributes<AvgPoolAttrs>((g, { x }, attributes) =>
    avgPool(g, cast(g, x!, 'float32'), describePool(x!.shape, attributes)),
  ),
  AvgPoolGrad: withAttributes<AvgPoolAttrs>((g, { dy, input }, attributes) =>
    avgPoolGradient(g, dy!, describePool(input!.shape, attributes)),
  ),
};
