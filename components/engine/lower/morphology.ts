import type { Dilation2DAttrs } from '@tensorflow/tfjs-core';
import { backend_util } from '@tensorflow/tfjs-core';
import { binary, cast } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { concat, reshape, slice } from '../graph/shape.ts';
import type { Value } from '../graph/value.ts';
import { sizeOf } from '../graph/value.ts';
import type { Info } from './conv-info.ts';
import { patches } from './depthwise.ts';
import { addRows, gatherAxis } from './gather.ts';
import type { Lowerings } from './lowering.ts';
import { withAttributes } from './lowering.ts';

/** x [batch, height, width, channels], filter [height, width, channels]. */
function describe(x: Value, filter: Value, { strides, pad, dilations }: Dilation2DAttrs): Info {
  return backend_util.computeDilation2DInfo(
    x.shape as [number, number, number, number],
    filter.shape as [number, number, number],
    strides,
    pad,
    'NHWC',
    dilations,
  );
}

/** x + filter for each place in the filter, as large as the output; padding never wins. */
function sums(g: Graph, x: Value, filter: Value, info: Info): Value[] {
  const places = info.filterHeight * info.filterWidth;
  const rows = reshape(g, filter, [places, info.inChannels]);
  return patches(g, x, info, Number.NEGATIVE_INFINITY).map((patch, place) =>
    binary(g, 'Add', patch, slice(g, rows, [{ axis: 0, start: place, count: 1, step: 1 }])),
  );
}

/** Which place in the filter has the largest sum (the first of several): int32, as large as the output. */
function winners(g: Graph, x: Value, filter: Value, info: Info): Value {
  const stacked = concat(
    g,
    sums(g, x, filter, info).map((sum) => reshape(g, sum, [1, ...sum.shape])),
    0,
  );
  const attributes = { axis: { int: 0 }, keepdims: { int: 0 }, select_last_index: { int: 0 } };
  return cast(
    g,
    g.emit('ArgMax', [stacked], { type: 'int64', shape: stacked.shape.slice(1) }, attributes),
    'int32',
  );
}

function integers(
  g: Graph,
  length: number,
  shape: readonly number[],
  value: (index: number) => number,
): Value {
  return g.constant(
    Int32Array.from({ length }, (_, index) => value(index)),
    'int32',
    shape,
  );
}

/** Sums dy by place number: `places` is as large as dy. */
function gathered(g: Graph, dy: Value, places: Value, count: number): Value {
  const size = sizeOf(dy.shape);
  return addRows(g, reshape(g, dy, [size, 1]), reshape(g, places, [size]), count);
}

function toFilter(g: Graph, x: Value, filter: Value, dy: Value, info: Info): Value {
  const { inChannels: channels } = info;
  const start = binary(g, 'Mul', winners(g, x, filter, info), g.splat(channels, 'int32', []));
  const places = binary(
    g,
    'Add',
    start,
    integers(g, channels, [channels], (channel) => channel),
  );
  return reshape(g, gathered(g, dy, places, sizeOf(filter.shape)), filter.shape);
}

function toInput(g: Graph, x: Value, filter: Value, dy: Value, info: Info): Value {
  const { inHeight, inWidth, inChannels: channels, filterHeight, filterWidth, padInfo } = info;
  const corner = (batch: Value, row: Value, column: Value, channel: Value) =>
    [row, column, channel].reduce((sum, each) => binary(g, 'Add', sum, each), batch);
  const first = corner(
    integers(g, info.batchSize, [info.batchSize, 1, 1, 1], (item) => item * inHeight * inWidth * channels),
    integers(
      g,
      info.outHeight,
      [info.outHeight, 1, 1],
      (row) => (row * info.strideHeight - padInfo.top) * inWidth * channels,
    ),
    integers(
      g,
      info.outWidth,
      [info.outWidth, 1],
      (column) => (column * info.strideWidth - padInfo.left) * channels,
    ),
    integers(g, channels, [channels], (channel) => channel),
  );
  const steps = integers(g, filterHeight * filterWidth, [filterHeight * filterWidth], (place) => {
    const row = Math.floor(place / filterWidth) * info.dilationHeight;
    return (row * inWidth + (place % filterWidth) * info.dilationWidth) * channels;
  });
  const places = binary(g, 'Add', first, gatherAxis(g, steps, winners(g, x, filter, info), 0));
  return reshape(g, gathered(g, dy, places, sizeOf(x.shape)), x.shape);
}

const float = (g: Graph, x: Value) => cast(g, x, 'float32');

export const morphologyLowerings: Lowerings = {
  Dilation2D: withAttributes<Dilation2DAttrs>((g, { x, filter }, attributes) => {
    const all = sums(g, float(g, x), float(g, filter), describe(x, filter, attributes));
    return cast(
      g,
      all.reduce((most, sum) => binary(g, 'Max', most, sum)),
      x.type,
    );
  }),
  Dilation2DBackpropInput: withAttributes<Dilation2DAttrs>((g, { x, filter, dy }, attributes) =>
    toInput(g, x, filter, dy, describe(x, filter, attributes)),
  ),
  Dilation2DBackpropFilter: withAttributes<Dilation2DAttrs>((g, { x, filter, dy }, attributes) =>
    toFilter(g, x, filter, dy, describe(x, filter, attributes)),
  ),
};
