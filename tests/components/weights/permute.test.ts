import test from 'ava';
import fc from 'fast-check';
import type { HostTensor } from '../../../components/engine/types.ts';
import { permute, reshape } from '../../../components/weights/permute.ts';

function counted(shape: readonly number[]): HostTensor {
  const count = shape.reduce((size, one) => size * one, 1);
  return { dtype: 'float32', shape, data: Float32Array.from({ length: count }, (_, i) => i) };
}

test('a permuted tensor is that of numpy', (t) => {
  t.deepEqual(permute(counted([2, 3]), [1, 0]), {
    dtype: 'float32',
    shape: [3, 2],
    data: Float32Array.of(0, 3, 1, 4, 2, 5),
  });
  // numpy.arange(24).reshape(2, 3, 4).transpose(2, 0, 1).ravel()
  t.deepEqual(permute(counted([2, 3, 4]), [2, 0, 1]), {
    dtype: 'float32',
    shape: [4, 2, 3],
    data: Float32Array.of(
      0,
      4,
      8,
      12,
      16,
      20,
      1,
      5,
      9,
      13,
      17,
      21,
      2,
      6,
      10,
      14,
      18,
      22,
      3,
      7,
      11,
      15,
      19,
      23,
    ),
  });
});

test('a permutation and its inverse give the tensor again', (t) => {
  const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 });
  const cases = shapes.chain((shape) =>
    fc.tuple(fc.constant(shape), fc.shuffledSubarray([...shape.keys()], { minLength: shape.length })),
  );
  fc.assert(
    fc.property(cases, ([shape, axes]) => {
      const inverse = axes.map((_, axis) => axes.indexOf(axis));
      t.deepEqual(permute(permute(counted(shape), axes), inverse), counted(shape));
    }),
  );
});

test('axes that are no permutation, and shapes of another count, are refused', (t) => {
  t.throws(() => permute(counted([2, 3]), [0, 0]), { instanceOf: RangeError });
  t.throws(() => permute(counted([2, 3]), [0]), { instanceOf: RangeError });
  t.throws(() => reshape(counted([2, 3]), [7]), { message: '[7] for 6 values' });
});
