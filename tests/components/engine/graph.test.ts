import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import fc from 'fast-check';
import { liveNodes } from '../../../components/engine/graph/graph.ts';
import { composed, inverse, permuted, reshapeFirst } from '../../../components/engine/graph/layout.ts';
import { traceStep } from '../../../components/engine/record/trace.ts';
import type { Dtype, TensorSpec } from '../../../components/engine/types.ts';
import { seeds, shapes } from './support/arbitrary.ts';

/** The ONNX operators that a function of x (and nothing else) needs. */
function operators(
  shape: readonly number[],
  compute: (x: Tensor) => Tensor,
  dtype: Dtype = 'float32',
): string[] {
  const trace = traceStep({
    name: 'ops',
    state: {},
    batch: { x: { shape, dtype } satisfies TensorSpec },
    constants: {},
    step: (state, batch) => ({ state, out: { y: compute((batch as { x: Tensor }).x) } }),
  });
  return liveNodes(trace.graph, [...trace.outputs.values()]).map(({ op }) => op);
}

test('what is computed twice is recorded once, and what no output needs not at all', (t) => {
  t.deepEqual(
    operators([2, 3], (x) => tf.mul(tf.exp(x), tf.exp(x))),
    ['Exp', 'Mul'],
  );
  t.deepEqual(
    operators([2, 3], (x) => {
      tf.sum(tf.sin(x));
      return tf.exp(x);
    }),
    ['Exp'],
  );
});

test('arithmetic with known numbers is done while recording', (t) => {
  t.deepEqual(
    operators([2, 3], (x) => tf.add(tf.mul(x, tf.sub(3, 2)), tf.zeros([2, 3]))),
    [],
  );
  t.deepEqual(
    operators([2, 3], (x) => tf.mul(tf.mul(x, 2), tf.exp(tf.scalar(1)))),
    ['Mul'],
  );
  t.deepEqual(
    operators([2, 3], (x) => tf.mul(tf.broadcastTo(tf.sum(x, 1, true), [2, 3]), x)),
    ['ReduceSum', 'Mul'],
  );
});

test('the gradient to a filter of very many windows is made place by place of the filter', (t) => {
  const gradient = (side: number) =>
    operators([1, side, side, 64], (x) => {
      const filter = tf.ones([3, 3, 64, 2]);
      return tf.grad((w: Tensor) => tf.conv2d(x as Tensor4D, w as Tensor4D, 1, 'same'))(filter);
    }).filter((op) => op === 'Gather' || op === 'Slice');
  // 256 x 256 x 9 x 64 numbers are 2^25; sixteen times as many would be 2.4 GB.
  t.deepEqual(gradient(256), ['Gather']);
  t.deepEqual(gradient(1024), new Array(9).fill('Slice'));
});

test('pictures are picked from while they are bytes, and become numbers then', (t) => {
  const rows = (x: Tensor) => tf.gather(tf.reshape(x, [6, 4]), tf.tensor1d([5, 0], 'int32'));
  t.deepEqual(
    operators([2, 3, 4], (x) => tf.div(tf.cast(rows(x), 'float32'), 255), 'uint8'),
    ['Reshape', 'Gather', 'Cast', 'Div'],
  );
});

test('transposes cancel, also across elementwise work and norms between convolutions', (t) => {
  t.deepEqual(
    operators([2, 3, 4], (x) => tf.transpose(tf.relu(tf.transpose(x, [2, 0, 1])), [1, 2, 0])),
    ['Relu'],
  );
  // Too large for the matrix of windows: ONNX's Conv in NCHW, between tensors in NHWC.
  const ops = operators([4, 128, 128, 8], (x) => {
    const filter = tf.ones([3, 3, 8, 8]) as Tensor4D;
    const y = tf.conv2d(x as Tensor4D, filter, 1, 'same');
    const { mean, variance } = tf.moments(tf.reshape(y, [4, 128, 128, 2, 4]), [1, 2, 4], true);
    const scaled = tf.mul(tf.sub(tf.reshape(y, [4, 128, 128, 2, 4]), mean), tf.rsqrt(variance));
    const z = tf.add(tf.relu(tf.reshape(scaled, [4, 128, 128, 8])), tf.tensor1d([1, 2, 3, 4, 5, 6, 7, 8]));
    return tf.conv2d(z as Tensor4D, filter, 1, 'same');
  });
  t.is(ops.filter((op) => op === 'Conv').length, 2);
  t.is(ops.filter((op) => op === 'Transpose').length, 2, 'one on the way in, one on the way out');
});

test('a reshape that goes before a transpose gives the same elements in the same order', (t) => {
  const row = (shape: readonly number[]) =>
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, index) => index);
  /** Elements of a transposed tensor in memory order, by hand. */
  const transposed = (values: readonly number[], shape: readonly number[], perm: readonly number[]) => {
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const target = permuted(shape, perm);
    return row(target).map((index) => {
      let rest = index;
      let at = 0;
      for (let axis = target.length - 1; axis >= 0; axis--) {
        at += (rest % target[axis]) * strides[perm[axis]];
        rest = Math.floor(rest / target[axis]);
      }
      return values[at];
    });
  };
  let moved = 0;
  fc.assert(
    fc.property(shapes(1, 4), seeds, fc.nat(3), fc.boolean(), (shape, seed, at, split) => {
      const perm = [...shape.keys()].sort((a, b) => ((seed >> a) & 7) - ((seed >> b) & 7));
      const source = permuted(shape, perm);
      const axis = at % source.length;
      const target = split
        ? [...source.slice(0, axis), 1, ...source.slice(axis)]
        : [
            ...source.slice(0, axis),
            source.slice(axis, axis + 2).reduce((a, b) => a * b, 1),
            ...source.slice(axis + 2),
          ];
      const earlier = reshapeFirst(shape, perm, target);
      if (!earlier) return;
      moved++;
      const values = row(shape);
      t.deepEqual(permuted(earlier.shape, earlier.perm), target);
      t.deepEqual(transposed(values, earlier.shape, earlier.perm), transposed(values, shape, perm));
    }),
    { seed: 13 },
  );
  t.true(moved > 50, `${moved} of 100 could be moved`);
});

test('permutations are undone and composed', (t) => {
  t.deepEqual(permuted(permuted(['a', 'b', 'c'], [2, 0, 1]), inverse([2, 0, 1])), ['a', 'b', 'c']);
  t.deepEqual(
    permuted(['a', 'b', 'c'], composed([2, 0, 1], [1, 0, 2])),
    permuted(permuted(['a', 'b', 'c'], [2, 0, 1]), [1, 0, 2]),
  );
});
