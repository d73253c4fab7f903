import type { ResizeBilinearAttrs, ResizeNearestNeighborAttrs } from '@tensorflow/tfjs-core';
import { cast } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { matmul } from '../graph/matmul.ts';
import { expand, reshape } from '../graph/shape.ts';
import type { Value } from '../graph/value.ts';
import type { ResizeRule } from '../resize-rules.ts';
import { bilinearMatrix, nearestSources, wholeFactor } from '../resize-rules.ts';
import { gatherAxis } from './gather.ts';
import type { Lowerings } from './lowering.ts';
import { withAttributes } from './lowering.ts';

type Size = readonly [height: number, width: number];

function nearest(g: Graph, x: Value, [height, width]: Size, rule: ResizeRule): Value {
  const [batch, fromHeight, fromWidth, channels] = x.shape as [number, number, number, number];
  const down = wholeFactor(fromHeight, height, rule);
  const right = wholeFactor(fromWidth, width, rule);
  if (down !== undefined && right !== undefined) {
    const apart = reshape(g, x, [batch, fromHeight, 1, fromWidth, 1, channels]);
    const repeated = expand(g, apart, [batch, fromHeight, down, fromWidth, right, channels]);
    return reshape(g, repeated, [batch, height, width, channels]);
  }
  const rows = g.constant(Int32Array.from(nearestSources(fromHeight, height, rule)), 'int32', [height]);
  const columns = g.constant(Int32Array.from(nearestSources(fromWidth, width, rule)), 'int32', [width]);
  return gatherAxis(g, gatherAxis(g, x, rows, 1), columns, 2);
}

/** Interpolates along one axis after the other: each is a product with a small constant matrix. */
function bilinear(g: Graph, x: Value, [height, width]: Size, rule: ResizeRule): Value {
  const [batch, fromHeight, fromWidth, channels] = x.shape as [number, number, number, number];
  const matrix = (from: number, to: number) =>
    g.constant(bilinearMatrix(from, to, rule), 'float32', [1, to, from]);
  const columns = reshape(g, cast(g, x, 'float32'), [batch, fromHeight, fromWidth * channels]);
  const tall = matmul(g, matrix(fromHeight, height), columns);
  const rows = reshape(g, tall, [batch * height, fromWidth, channels]);
  return reshape(g, matmul(g, matrix(fromWidth, width), rows), [batch, height, width, channels]);
}

export const resizeLowerings: Lowerings = {
  ResizeNearestNeighbor: withAttributes<ResizeNearestNeighborAttrs>((g, { images }, { size, ...rule }) =>
    nearest(g, images, size, rule),
  ),
  ResizeBilinear: withAttributes<ResizeBilinearAttrs>((g, { images }, { size, ...rule }) =>
    bilinear(g, images, size, rule),
  ),
};
