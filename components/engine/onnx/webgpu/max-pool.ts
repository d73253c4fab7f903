import { binary, where } from '../../graph/elementwise.ts';
import type { Graph, Rewrite, Wanted } from '../../graph/graph.ts';
import { pad, slice } from '../../graph/shape.ts';
import type { Value } from '../../graph/value.ts';
import { integers } from './rewrites.ts';

type Four = [number, number, number, number];

/**
 * It does not tell where the maxima are: they are looked for, from the last place of the window to the first, so that
 * the first of equal ones is found. The places are int32.
 */
export const maxPool: Rewrite = (g, wanted) => {
  if (wanted.outputs.length < 2) return undefined;
  const x = wanted.inputs[0]!;
  const values = g.emit('MaxPool', [x], wanted.outputs[0]!, wanted.attributes);
  return [values, placesOf(g, x, values, wanted)];
};

/** float32's least number stands for what lies outside of the image. */
const least = -3.4028234663852886e38;

/** For each maximum its place in x [batch, channels, height, width], counted from the beginning of x. */
function placesOf(g: Graph, x: Value, values: Value, wanted: Wanted): Value {
  const [batch, channels, height, width] = x.shape as Four;
  const [, , outHeight, outWidth] = values.shape as Four;
  const [rows, columns] = integers(wanted, 'kernel_shape') as [number, number];
  const [down, right] = integers(wanted, 'strides') as [number, number];
  const [top, left, bottom, end] = integers(wanted, 'pads') as Four;
  const padded = pad(
    g,
    x,
    [
      [0, 0],
      [0, 0],
      [top, bottom],
      [left, end],
    ],
    least,
  );
  const inside = (place: number, size: number) => Math.min(Math.max(place, 0), size - 1);
  const pixels = (row: number, column: number) => {
    const all = Int32Array.from({ length: outHeight * outWidth }, (_, index) => {
      const y = Math.floor(index / outWidth) * down + row - top;
      const at = (index % outWidth) * right + column - left;
      return inside(y, height) * width + inside(at, width);
    });
    return g.constant(all, 'int32', [1, 1, outHeight, outWidth]);
  };
  let places = pixels(rows - 1, columns - 1);
  for (let window = rows * columns - 1; window >= 0; window--) {
    const [row, column] = [Math.floor(window / columns), window % columns];
    const met = slice(g, padded, [
      { axis: 2, start: row, count: outHeight, step: down },
      { axis: 3, start: column, count: outWidth, step: right },
    ]);
    places = where(g, binary(g, 'Equal', met, values, 'bool'), pixels(row, column), places);
  }
  const planes = Int32Array.from({ length: batch * channels }, (_, plane) => plane * height * width);
  return binary(g, 'Add', places, g.constant(planes, 'int32', [batch, channels, 1, 1]));
}
