import type { CropAndResizeAttrs } from '@tensorflow/tfjs-core';
import { binary, cast, unary, where } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { reshape, slice } from '../graph/shape.ts';
import type { Value } from '../graph/value.ts';
import { sizeOf } from '../graph/value.ts';
import { gatherAxis } from './gather.ts';
import type { Lowerings } from './lowering.ts';
import { withAttributes } from './lowering.ts';

/** Where the rows (or columns) of each crop lie in the image: [boxes, length], float, in pixels. */
interface Samples {
  /** Moved to the nearest pixel where it is outside. */
  readonly at: Value;
  readonly inside: Value;
}

const number = (g: Graph, value: number) => g.splat(Math.fround(value), 'float32', []);

/** Evenly from the first to the last pixel of the box; one sample alone takes its centre. */
function samples(
  g: Graph,
  boxes: Value,
  [low, high]: readonly [number, number],
  from: number,
  to: number,
): Samples {
  const count = boxes.shape[0]!;
  const end = (column: number) =>
    binary(g, 'Mul', slice(g, boxes, [{ axis: 1, start: column, count: 1, step: 1 }]), number(g, from - 1));
  const [first, last] = [end(low), end(high)];
  const shares = Float32Array.from({ length: to }, (_, index) => (to === 1 ? 0.5 : index / (to - 1)));
  const share = g.constant(shares, 'float32', [1, to]);
  const rest = g.constant(
    shares.map((each) => 1 - each),
    'float32',
    [1, to],
  );
  const exact = binary(g, 'Add', binary(g, 'Mul', first, rest), binary(g, 'Mul', last, share));
  // Rounding must not push a sample out of its box: at the image's border it would count as outside.
  const at = binary(
    g,
    'Min',
    binary(g, 'Max', exact, binary(g, 'Min', first, last)),
    binary(g, 'Max', first, last),
  );
  const within = (op: string, limit: number) => binary(g, op, at, number(g, limit), 'bool');
  const inside = binary(g, 'And', within('GreaterOrEqual', 0), within('LessOrEqual', from - 1));
  const clamped = binary(g, 'Min', binary(g, 'Max', at, number(g, 0)), number(g, from - 1));
  return { at: reshape(g, clamped, [count, to]), inside: reshape(g, inside, [count, to]) };
}

type Size = readonly [height: number, width: number];

function cropAndResize(
  g: Graph,
  image: Value,
  boxes: Value,
  boxInd: Value,
  { cropSize: [height, width], method, extrapolationValue }: CropAndResizeAttrs,
): Value {
  const [batch, fromHeight, fromWidth, channels] = image.shape as [number, number, number, number];
  const count = boxes.shape[0]!;
  const rows = samples(g, boxes, [0, 2], fromHeight, height);
  const columns = samples(g, boxes, [1, 3], fromWidth, width);
  const pixels = reshape(g, cast(g, image, 'float32'), [batch * fromHeight * fromWidth, channels]);
  const known = binary(g, 'Less', boxInd, g.splat(batch, 'int32', []), 'bool');
  const item = reshape(g, where(g, known, boxInd, g.splat(0, 'int32', [])), [count, 1, 1]);
  const down = (x: Value) => reshape(g, x, [count, height, 1]);
  const right = (x: Value) => reshape(g, x, [count, 1, width]);
  const pick = (row: Value, column: Value) =>
    gatherAxis(g, pixels, flat(g, [item, down(row), right(column)], [fromHeight, fromWidth]), 0);
  const values =
    method === 'nearest'
      ? pick(nearest(g, rows.at), nearest(g, columns.at))
      : bilinear(g, rows.at, columns.at, pick);
  const inside = binary(g, 'And', down(rows.inside), right(columns.inside));
  const wide = (x: Value) => reshape(g, x, [...x.shape, 1]);
  const cropped = where(g, wide(inside), values, number(g, extrapolationValue));
  return where(g, reshape(g, known, [count, 1, 1, 1]), cropped, number(g, 0));
}

/** Pixel numbers from image number, row and column, broadcast together. */
function flat(g: Graph, [item, row, column]: readonly [Value, Value, Value], [height, width]: Size): Value {
  const times = (x: Value, factor: number) => binary(g, 'Mul', x, g.splat(factor, 'int32', []));
  const start = binary(g, 'Add', times(item, height * width), times(row, width));
  return binary(g, 'Add', start, column);
}

/** Halves go up, where ONNX's Round would take the even one. */
function nearest(g: Graph, at: Value): Value {
  return cast(g, unary(g, 'Floor', binary(g, 'Add', at, number(g, 0.5))), 'int32');
}

/** Between the four pixels around each sample, first along the rows. */
function bilinear(g: Graph, down: Value, right: Value, pick: (row: Value, column: Value) => Value): Value {
  const around = (at: Value) => ({
    low: cast(g, unary(g, 'Floor', at), 'int32'),
    high: cast(g, unary(g, 'Ceil', at), 'int32'),
    share: binary(g, 'Sub', at, unary(g, 'Floor', at)),
  });
  const [y, x] = [around(down), around(right)];
  const [boxes, height] = down.shape as [number, number];
  const between = (a: Value, b: Value, share: Value) =>
    binary(g, 'Add', a, binary(g, 'Mul', binary(g, 'Sub', b, a), share));
  const along = (row: Value) =>
    between(
      pick(row, x.low),
      pick(row, x.high),
      reshape(g, x.share, [boxes, 1, sizeOf(right.shape) / boxes, 1]),
    );
  return between(along(y.low), along(y.high), reshape(g, y.share, [boxes, height, 1, 1]));
}

export const cropLowerings: Lowerings = {
  CropAndResize: withAttributes<CropAndResizeAttrs>((g, { image, boxes, boxInd }, attributes) =>
    cropAndResize(g, image, boxes, boxInd, attributes),
  ),
};
