import { binary, cast, where } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { concat, reshape, slice } from '../graph/shape.ts';
import type { Value } from '../graph/value.ts';
import type { SuppressAttributes } from '../suppress.ts';
import { suppressKernel } from '../suppress.ts';
import type { Lowerings } from './lowering.ts';
import { withAttributes } from './lowering.ts';

/**
 * ONNX gives a list of the boxes that remain, whose length depends on values. It is filled up to the number of all boxes
 * with rows that point to a column more, so that all that follows has a fixed shape. Scores are places counted from the
 * end, since boxes come in the order of theirs: no two are equal.
 */
function suppress(g: Graph, boxes: Value, valid: Value, threshold: number): Value {
  const [groups, count] = valid.shape as [number, number];
  const total = groups * count;
  const ranks = g.constant(
    Float32Array.from({ length: count }, (_, place) => count - place),
    'float32',
    [1, count],
  );
  const none = g.splat(0, 'float32', []);
  const scores = reshape(g, where(g, cast(g, valid, 'bool'), ranks, none), [groups, 1, count]);
  const remaining = g.emit(
    'NonMaxSuppression',
    [boxes, scores, g.int64([count]), scalar(g, threshold), scalar(g, 0)],
    // That many at most: nothing reads this shape but what comes next.
    { type: 'int64', shape: [total, 3] },
  );
  const filler = g.int64(Array.from({ length: total }, () => [0, 0, count]).flat(), [total, 3]);
  const both = concat(g, [remaining, filler], 0);
  const rows = slice(g, both, [{ axis: 0, start: 0, count: total, step: 1 }]);
  const column = (axis: number) =>
    reshape(g, slice(g, rows, [{ axis: 1, start: axis, count: 1, step: 1 }]), [total]);
  const int32 = (value: Value) => cast(g, value, 'int32');
  const starts = binary(g, 'Mul', int32(column(0)), g.splat(count + 1, 'int32', []));
  const places = binary(g, 'Add', starts, int32(column(2)));
  const size = groups * (count + 1);
  const marked = g.emit(
    'ScatterElements',
    [g.splat(0, 'int32', [size]), places, g.splat(1, 'int32', [total])],
    { type: 'int32', shape: [size] },
    { axis: { int: 0 } },
  );
  const kept = slice(g, reshape(g, marked, [groups, count + 1]), [{ axis: 1, start: 0, count, step: 1 }]);
  return cast(g, kept, 'bool');
}

function scalar(g: Graph, value: number): Value {
  return g.constant(Float32Array.of(value), 'float32', [1]);
}

export const suppressLowerings: Lowerings = {
  [suppressKernel]: withAttributes<SuppressAttributes>((g, { boxes, valid }, { threshold }) =>
    suppress(g, boxes!, valid!, threshold),
  ),
};
