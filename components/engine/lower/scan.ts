import type { CumprodAttrs, CumsumAttrs } from '@tensorflow/tfjs-core';
import { binary, cast } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { longestSum, reduce } from '../graph/reduce.ts';
import { pad, reshape, slice } from '../graph/shape.ts';
import type { Value } from '../graph/value.ts';
import type { Lowerings } from './lowering.ts';
import { axesOf, withAttributes } from './lowering.ts';

/** Bools are counted. */
const countable = (g: Graph, x: Value) => (x.type === 'bool' ? cast(g, x, 'int32') : x);

/** Sums up to each number, of floats in blocks: one after the other, 262,144 times 0.1 is off by 2.5e-3. */
function cumsum(g: Graph, given: Value, attributes: CumsumAttrs): Value {
  const x = countable(g, given);
  const along = axesOf(attributes.axis, x.shape.length)[0]!;
  const length = x.shape[along]!;
  if (x.type !== 'float32' || length <= longestSum.column)
    return plainCumsum(g, x, { ...attributes, axis: along });
  const { reverse } = attributes;
  const block = longestSum.column;
  const blocks = Math.ceil(length / block);
  const missing = blocks * block - length;
  const widths = x.shape.map((_, axis): [number, number] => {
    if (axis !== along) return [0, 0];
    return reverse ? [missing, 0] : [0, missing];
  });
  const padded = pad(g, x, widths);
  const split = reshape(g, padded, x.shape.toSpliced(along, 1, blocks, block));
  const within = plainCumsum(g, split, { ...attributes, axis: along + 1 });
  const totals = reduce(g, 'ReduceSum', split, [along + 1], false);
  const before = cumsum(g, totals, { axis: along, exclusive: true, reverse });
  const sums = binary(g, 'Add', within, reshape(g, before, before.shape.toSpliced(along + 1, 0, 1)));
  const range = { axis: along, start: reverse ? missing : 0, count: length, step: 1 };
  return slice(g, reshape(g, sums, padded.shape), [range]);
}

function plainCumsum(g: Graph, x: Value, { axis: along, exclusive, reverse }: CumsumAttrs): Value {
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
