import type { CumprodAttrs, CumsumAttrs } from '@tensorflow/tfjs-core';
import { binary, cast } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { pad, slice } from '../graph/shape.ts';
import type { Value } from '../graph/value.ts';
import type { Lowerings } from './lowering.ts';
import { axesOf, withAttributes } from './lowering.ts';

/** Bools are counted. */
const countable = (g: Graph, x: Value) => (x.type === 'bool' ? cast(g, x, 'int32') : x);

function cumsum(g: Graph, given: Value, { axis, exclusive, reverse }: CumsumAttrs): Value {
  const x = countable(g, given);
  const along = axesOf(axis, x.shape.length)[0]!;
  const attributes = { exclusive: { int: exclusive ? 1 : 0 }, reverse: { int: reverse ? 1 : 0 } };
  return g.emit('CumSum', [x, g.int64([along], [])], { type: x.type, shape: x.shape }, attributes);
}

/** Doubles the length of the products in each of log2(n) rounds (Hillis and Steele 1986): ONNX has no operator for it. */
function cumprod(g: Graph, given: Value, { axis, exclusive, reverse }: CumprodAttrs): Value {
  const x = countable(g, given);
  const along = axesOf(axis, x.shape.length)[0]!;
  let products = exclusive ? shifted(g, x, along, 1, reverse) : x;
  for (let reach = 1; reach < x.shape[along]!; reach *= 2) {
    products = binary(g, 'Mul', products, shifted(g, products, along, reach, reverse));
  }
  return products;
}

/** x moved towards the end of the axis (`reverse`: the start); ones take the places that become free. */
function shifted(g: Graph, x: Value, axis: number, by: number, reverse: boolean): Value {
  const count = Math.max(x.shape[axis]! - by, 0);
  const free = x.shape[axis]! - count;
  const kept = slice(g, x, [{ axis, start: reverse ? free : 0, count, step: 1 }]);
  const widths = x.shape.map((_, each): [number, number] => {
    if (each !== axis) return [0, 0];
    return reverse ? [0, free] : [free, 0];
  });
  return pad(g, kept, widths, 1);
}

export const scanLowerings: Lowerings = {
  Cumsum: withAttributes<CumsumAttrs>((g, { x }, attributes) => cumsum(g, x, attributes)),
  Cumprod: withAttributes<CumprodAttrs>((g, { x }, attributes) => cumprod(g, x, attributes)),
};
