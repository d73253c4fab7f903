import type { LRNAttrs, LRNGradAttrs } from '@tensorflow/tfjs-core';
import { binary } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { reshape } from '../graph/shape.ts';
import type { Value } from '../graph/value.ts';
import { sizeOf } from '../graph/value.ts';
import type { Lowerings } from './lowering.ts';
import { withAttributes } from './lowering.ts';

const number = (g: Graph, value: number) => g.splat(Math.fround(value), 'float32', []);

/** Sums over each channel and its neighbours up to `radius`, by pooling along the channels. */
function aroundChannel(g: Graph, x: Value, radius: number): Value {
  const size = 2 * radius + 1;
  const channels = x.shape.at(-1)!;
  const shape = [1, sizeOf(x.shape) / channels, 1, channels];
  const attributes = {
    kernel_shape: { ints: [1, size] },
    strides: { ints: [1, 1] },
    pads: { ints: [0, radius, 0, radius] },
    count_include_pad: { int: 1 },
  };
  const means = g.emit('AveragePool', [reshape(g, x, shape)], { type: 'float32', shape }, attributes);
  return binary(g, 'Mul', reshape(g, means, x.shape), number(g, size));
}

/** bias + alpha * (sum of squares around the channel): local response normalisation divides by its power `beta`. */
function norms(g: Graph, x: Value, { depthRadius, bias, alpha }: LRNAttrs): Value {
  const squares = aroundChannel(g, binary(g, 'Mul', x, x), depthRadius);
  return binary(g, 'Add', binary(g, 'Mul', squares, number(g, alpha)), number(g, bias));
}

function lrn(g: Graph, x: Value, attributes: LRNAttrs): Value {
  return binary(g, 'Mul', x, binary(g, 'Pow', norms(g, x, attributes), number(g, -attributes.beta)));
}

/** dy norm^-beta - 2 alpha beta x (sum of dy y / norm around the channel). */
function lrnGradient(g: Graph, x: Value, y: Value, dy: Value, attributes: LRNGradAttrs): Value {
  const { depthRadius, alpha, beta } = attributes;
  const norm = norms(g, x, attributes);
  const own = binary(g, 'Mul', dy, binary(g, 'Pow', norm, number(g, -beta)));
  const shares = aroundChannel(g, binary(g, 'Div', binary(g, 'Mul', dy, y), norm), depthRadius);
  const others = binary(g, 'Mul', binary(g, 'Mul', x, shares), number(g, 2 * alpha * beta));
  return binary(g, 'Sub', own, others);
}

export const lrnLowerings: Lowerings = {
  LRN: withAttributes<LRNAttrs>((g, { x }, attributes) => lrn(g, x, attributes)),
  LRNGrad: withAttributes<LRNGradAttrs>((g, { x, y, dy }, attributes) =>
    lrnGradient(g, x, y, dy, attributes),
  ),
};
