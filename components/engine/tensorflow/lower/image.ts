import type { Graph } from '../../graph/graph.ts';
import { pad, reshape, slice } from '../../graph/shape.ts';
import type { Attributes, Value } from '../../graph/value.ts';
import { type Info, type Shape4, toNchw, toNhwc } from '../../lower/conv-info.ts';

/** Images are [batch, height, width, channels] here, as in tfjs and in TensorFlow. */
export const toLast = toNhwc;
export const toFirst = toNchw;

/** Where a window reaches over the border. */
export function margins({ padInfo }: Info): [number, number][] {
  const { top, bottom, left, right } = padInfo;
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}

/** TensorFlow's name of a padding: SAME pads the end more, VALID not at all; others have none. */
export function paddingName(info: Info): 'SAME' | 'VALID' | undefined {
  const { top, bottom, left, right } = info.padInfo;
  if (top + bottom + left + right === 0) return 'VALID';
  const vertical = samePadding(
    info.inHeight,
    info.outHeight,
    info.strideHeight,
    span(info.filterHeight, info.dilationHeight),
  );
  const horizontal = samePadding(
    info.inWidth,
    info.outWidth,
    info.strideWidth,
    span(info.filterWidth, info.dilationWidth),
  );
  const isSame =
    vertical &&
    horizontal &&
    vertical.join() === [top, bottom].join() &&
    horizontal.join() === [left, right].join();
  return isSame ? 'SAME' : undefined;
}

function samePadding(
  size: number,
  out: number,
  stride: number,
  window: number,
): [number, number] | undefined {
  if (out !== Math.ceil(size / stride)) return undefined;
  const total = Math.max((out - 1) * stride + window - size, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

export function span(size: number, dilation: number): number {
  return (size - 1) * dilation + 1;
}

export function strides({ strideHeight, strideWidth }: Info): Attributes {
  return { strides: { ints: [1, strideHeight, strideWidth, 1] } };
}

/** The image with its margins, so that no window reaches over its border: all paddings are VALID then. */
export function padded(g: Graph, x: Value, info: Info, value = 0): Value {
  return cut(g, pad(g, x, margins(info), value), info);
}

/** Rows and columns at the end that no window reaches are left out. */
function cut(g: Graph, x: Value, info: Info): Value {
  const [height, width] = reached(info);
  return slice(g, x, [
    { axis: 1, start: 0, count: height, step: 1 },
    { axis: 2, start: 0, count: width, step: 1 },
  ]);
}

/** Height and width of what the windows reach, margins included. */
export function reached(info: Info): [number, number] {
  return [
    (info.outHeight - 1) * info.strideHeight + span(info.filterHeight, info.dilationHeight),
    (info.outWidth - 1) * info.strideWidth + span(info.filterWidth, info.dilationWidth),
  ];
}

/** The gradient to an image from that to what `padded` made of it. */
export function unpadded(g: Graph, dx: Value, info: Info): Value {
  const { padInfo, inHeight, inWidth } = info;
  const [, height, width] = dx.shape as Shape4;
  const [down, right] = [
    Math.max(inHeight + padInfo.top - height, 0),
    Math.max(inWidth + padInfo.left - width, 0),
  ];
  const whole = pad(g, dx, [
    [0, 0],
    [0, down],
    [0, right],
    [0, 0],
  ]);
  return slice(g, whole, [
    { axis: 1, start: padInfo.top, count: inHeight, step: 1 },
    { axis: 2, start: padInfo.left, count: inWidth, step: 1 },
  ]);
}

/** A filter [height, width, ...] with zeros between its rows and columns, and its size then. */
export function spread(g: Graph, filter: Value, info: Info): Value {
  const { dilationHeight: down, dilationWidth: right } = info;
  if (down === 1 && right === 1) return filter;
  const [height, width, ...rest] = filter.shape as Shape4;
  const apart = pad(g, reshape(g, filter, [height, 1, width, 1, ...rest]), [
    [0, 0],
    [0, down - 1],
    [0, 0],
    [0, right - 1],
    ...rest.map((): [number, number] => [0, 0]),
  ]);
  return slice(g, reshape(g, apart, [height * down, width * right, ...rest]), [
    { axis: 0, start: 0, count: span(height, down), step: 1 },
    { axis: 1, start: 0, count: span(width, right), step: 1 },
  ]);
}

/** The other way: of the gradient to a spread filter, that to the filter. */
export function gathered(g: Graph, gradient: Value, info: Info): Value {
  return slice(g, gradient, [
    { axis: 0, start: 0, count: info.filterHeight, step: info.dilationHeight },
    { axis: 1, start: 0, count: info.filterWidth, step: info.dilationWidth },
  ]);
}

export const ints = (g: Graph, values: readonly number[]) =>
  g.constant(Int32Array.from(values), 'int32', [values.length]);
