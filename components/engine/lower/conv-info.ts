import type { Conv2DAttrs } from '@tensorflow/tfjs-core';
import { backend_util } from '@tensorflow/tfjs-core';
import type { Graph } from '../graph/graph.ts';
import { pad, transpose } from '../graph/shape.ts';
import type { Attributes, Value } from '../graph/value.ts';

/** Axes of an image batch or a filter. */
export type Shape4 = [number, number, number, number];
export type Info = backend_util.Conv2DInfo;

/** tfjs's order of axes to ONNX's, and back. */
export const toNchw = [0, 3, 1, 2] as const;
export const toNhwc = [0, 2, 3, 1] as const;
/** A tfjs filter [height, width, in, out] as ONNX wants it, [out, in, height, width]. */
export const filterToOnnx = [3, 2, 0, 1] as const;

export interface WindowAttributes {
  readonly strides: [number, number] | number;
  readonly dilations?: [number, number] | number;
  readonly pad: Conv2DAttrs['pad'];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dataFormat?: 'NHWC' | 'NCHW';
}

/** Sizes and paddings, by tfjs's own rules. `inputShape` in the data format of the attributes. */
export function describeConv(
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
  return withReach(info);
}

/** With paddings at the end that windows really reach. */
export function withReach(info: Info): Info {
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

export const channelsFirst = (g: Graph, x: Value, format?: string) =>
  format === 'NCHW' ? x : transpose(g, x, toNchw);
export const backFrom = (g: Graph, x: Value, format?: string) =>
  format === 'NCHW' ? x : transpose(g, x, toNhwc);

/** x [batch, in, height, width] and filter [out, in, height, width] in ONNX's layout, and so the result. */
export function onnxConv(g: Graph, x: Value, filter: Value, info: Info, groups = 1): Value {
  const shape = [x.shape[0]!, filter.shape[0]!, info.outHeight, info.outWidth];
  const attributes = { ...windowOf(info), group: { int: groups } };
  return g.emit('Conv', [x, filter], { type: 'float32', shape }, attributes);
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
