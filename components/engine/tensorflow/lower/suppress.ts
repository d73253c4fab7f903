import { binary, cast, where } from '../../graph/elementwise.ts';
import type { Graph } from '../../graph/graph.ts';
import { concat, reshape, slice } from '../../graph/shape.ts';
import type { Value } from '../../graph/value.ts';
import type { Lowerings } from '../../lower/lowering.ts';
import { withAttributes } from '../../lower/lowering.ts';
import type { SuppressAttributes } from '../../suppress.ts';
import { suppressKernel } from '../../suppress.ts';

/** TensorFlow suppresses the boxes of one group at a time, and fills its list of places up to the number of boxes. */
function suppress(g: Graph, boxes: Value, valid: Value, threshold: number): Value {
  const [groups, count] = valid.shape as [number, number];
  const ranks = g.constant(
    Float32Array.from({ length: count }, (_, place) => count - place),
    'float32',
    [1, count],
  );
  const scores = where(g, cast(g, valid, 'bool'), ranks, g.splat(0, 'float32', []));
  const row = (x: Value, group: number) => slice(g, x, [{ axis: 0, start: group, count: 1, step: 1 }]);
  const order = g.constant(
    Int32Array.from({ length: count }, (_, place) => place),
    'int32',
    [count],
  );
  const kept = Array.from({ length: groups }, (_, group) => {
    const inputs = [
      reshape(g, row(boxes, group), [count, 4]),
      reshape(g, row(scores, group), [count]),
      g.splat(count, 'int32', []),
      g.splat(Math.fround(threshold), 'float32', []),
      g.splat(0, 'float32', []),
    ];
    const types = [
      { type: 'int32', shape: [count] },
      { type: 'int32', shape: [] },
    ] as const;
    const [places, found] = g.emitAll('NonMaxSuppressionV4', inputs, types, {}, 'tensorflow');
    // What fills the list up points to a place more.
    const real = where(g, binary(g, 'Less', order, found!, 'bool'), places!, g.splat(count, 'int32', []));
    const marked = g.emit(
      'TensorScatterAdd',
      [g.splat(0, 'int32', [count + 1]), reshape(g, real, [count, 1]), g.splat(1, 'int32', [count])],
      { type: 'int32', shape: [count + 1] },
      {},
      'tensorflow',
    );
    return reshape(g, slice(g, marked, [{ axis: 0, start: 0, count, step: 1 }]), [1, count]);
  });
  return binary(g, 'Greater', concat(g, kept, 0), g.splat(0, 'int32', []), 'bool');
}

export const suppressLowerings: Lowerings = {
  [suppressKernel]: withAttributes<SuppressAttributes>((g, { boxes, valid }, { threshold }) =>
    suppress(g, boxes!, valid!, threshold),
  ),
};
