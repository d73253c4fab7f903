import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { HostTensor } from '../../../components/engine/types.ts';
import { hostTensor } from '../../../components/nn/tree.ts';
import { compute, type Tensors } from './steps/support/train.ts';
import { floats, ints } from './support/arbitrary.ts';

// Added one after the other in float32, n equal numbers lose most: their roundings all go the same way.
const tenth = Math.fround(0.1);
const tolerance = 1e-5;

const sizeOf = (shape: readonly number[]) => shape.reduce((product, each) => product * each, 1);
const filled = (shape: readonly number[], value = tenth): HostTensor =>
  hostTensor(shape, new Float32Array(sizeOf(shape)).fill(value));

/** What functions of one tensor give on ONNX Runtime. */
function results(
  x: HostTensor,
  ops: { readonly [name: string]: (x: Tensor) => Tensor },
  threads = 1,
): Promise<Tensors> {
  return compute<{ x: Tensor }, { [name: string]: Tensor }, Record<string, never>>(
    { threads },
    {},
    { x },
    (_, given) => Object.fromEntries(Object.entries(ops).map(([name, op]) => [name, op(given.x)])),
  );
}

/** Sums over axes, and sums of the absolute values, in float64. */
function sumsOf({ shape, data }: HostTensor, axes: readonly number[]): { sums: number[]; sizes: number[] } {
  const kept = shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
  const sums = new Array<number>(sizeOf(kept)).fill(0);
  const sizes = new Array<number>(sizeOf(kept)).fill(0);
  const place = new Array<number>(shape.length).fill(0);
  for (const value of data) {
    const at = kept.reduce((index, length, axis) => index * length + (length === 1 ? 0 : place[axis]), 0);
    sums[at] += value;
    sizes[at] += Math.abs(value);
    for (let axis = shape.length - 1; axis >= 0 && ++place[axis] === shape[axis]; axis--) place[axis] = 0;
  }
  return { sums, sizes };
}

/** Lengths around those at which sums are taken in blocks, primes among them. */
const lengths = [
  1, 2, 3, 16, 100, 255, 256, 257, 1021, 1024, 1025, 2048, 4099, 8192, 30_030, 65_537, 131_072,
];
const cases = fc
  .record({
    shape: fc.array(fc.constantFrom(...lengths), { minLength: 1, maxLength: 4 }),
    chosen: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    seed: fc.integer({ min: 0, max: 1000 }),
    equal: fc.boolean(),
    transposed: fc.boolean(),
  })
  .filter(({ shape }) => sizeOf(shape) <= 2 ** 20);

test('sums and means of many numbers, over any axes, stay within 1e-5', async (t) => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ shape, chosen, seed, equal, transposed }) => {
      const axes = shape.flatMap((_, axis) => (chosen[axis] ? [axis] : []));
      const x = equal ? filled(shape) : floats(shape, seed, { min: -0.2, max: 1 });
      // As the step sees it: with its axes the other way round, if `transposed`.
      const seen = axes.map((axis) => (transposed ? shape.length - 1 - axis : axis));
      const turn = (value: Tensor) => (transposed ? tf.transpose(value) : value);
      const back = (value: Tensor) => (transposed ? tf.transpose(value) : value);
      const out = await results(x, {
        sum: (value) => back(tf.sum(turn(value), seen, true)),
        mean: (value) => back(tf.mean(turn(value), seen, true)),
        dropped: (value) => tf.sum(turn(value), seen),
      });
      const { sums, sizes } = sumsOf(x, axes);
      const count = sizeOf(shape) / sums.length;
      let worst = 0;
      for (const [i, sum] of sums.entries()) {
        const errors = [out.sum.data[i] - sum, out.mean.data[i] * count - sum];
        worst = Math.max(worst, ...errors.map((error) => Math.abs(error) / sizes[i]));
      }
      t.true(worst < tolerance, `[${shape}] over ${axes}: ${worst}`);
      t.is(out.dropped.data.length, sums.length);
    }),
    { numRuns: 60, seed: 11 },
  );
});

test('sums of integers are exact', async (t) => {
  for (const shape of [[70_000], [4099, 3], [3, 2048, 5]]) {
    const x = ints(shape, 3, { min: -20_000, max: 29_999 });
    const axes = shape.length === 1 ? [0] : [shape.indexOf(Math.max(...shape))];
    const out = await results(x, { sum: (value) => tf.sum(value, axes) });
    t.deepEqual([out.sum.dtype, ...out.sum.data], ['int32', ...sumsOf(x, axes).sums]);
  }
});

const n = 2 ** 18;

/** What it gives, and what is right. */
type Built = (x: Tensor) => readonly [Tensor, number];

/** Things that are sums of many numbers of 0.1. */
const built: { readonly [name: string]: Built } = {
  norm: (x) => [tf.norm(x), tenth * Math.sqrt(n)],
  'logSumExp of logarithms': (x) => [tf.exp(tf.logSumExp(tf.log(x))), tenth * n],
  'a product of two vectors': (x) => [tf.dot(x as Tensor1D, x as Tensor1D), tenth ** 2 * n],
  'a matrix by a vector': (x) => [
    tf.matMul(tf.reshape(x, [2, -1]) as Tensor2D, tf.reshape(tf.slice(x, 0, n / 2), [-1, 1]) as Tensor2D),
    (tenth ** 2 * n) / 2,
  ],
  'einsum over one factor': (x) => [tf.einsum('ij->j', tf.reshape(x, [-1, 4])), (tenth * n) / 4],
  'einsum over two factors': (x) => [tf.einsum('i,i->', x, x), tenth ** 2 * n],
  'the sum of a segment': (x) => [
    tf.slice(tf.unsortedSegmentSum(x, tf.zeros([n], 'int32') as Tensor1D, 3), 0, 1),
    tenth * n,
  ],
  'the sum of one of many segments': (x) => [
    tf.slice(tf.unsortedSegmentSum(x, tf.zeros([n], 'int32') as Tensor1D, 900), 0, 1),
    tenth * n,
  ],
  'weights counted': (x) => [
    tf.slice(tf.denseBincount(tf.zeros([n], 'int32') as Tensor1D, x as Tensor1D, 2), 0, 1),
    tenth * n,
  ],
  'the last of the sums so far': (x) => [tf.slice(tf.cumsum(x), n - 1, 1), tenth * n],
  'average pooling of a whole image': (x) => [
    tf.avgPool(tf.reshape(x, [1, 512, 512, 1]) as Tensor4D, 512, 1, 'valid'),
    tenth,
  ],
  'average pooling of quarters of an image': (x) => [
    tf.avgPool(tf.reshape(x, [1, 512, 512, 1]) as Tensor4D, 256, 256, 'valid'),
    tenth,
  ],
  'average pooling with padding': (x) => [
    tf.avgPool(tf.reshape(x, [1, 512, 256, 2]) as Tensor4D, [300, 500], 200, 'same'),
    tenth,
  ],
  ...Object.fromEntries(
    [1, 2, 3].map((columns): [string, Built] => [
      `a product of matrices with ${columns} rows and columns`,
      (x) => {
        const narrow = tf.slice(tf.reshape(x, [-1, 4]) as Tensor2D, 0, [n / 4, columns]);
        return [tf.matMul(narrow, narrow, true), (tenth ** 2 * n) / 4];
      },
    ]),
  ),
  'the gradient of a bias': (x) => [
    tf.grad((bias: Tensor) => tf.sum(tf.mul(tf.add(tf.reshape(x, [-1, 2]), bias), tenth)))(tf.zeros([2])),
    (tenth * n) / 2,
  ],
};

for (const [name, of] of Object.entries(built)) {
  test(`${name} stays within 1e-5`, async (t) => {
    let right = 0;
    const out = await results(filled([n]), {
      it: (x) => {
        const [value, expected] = of(x);
        right = expected;
        return value;
      },
    });
    for (const value of out.it.data)
      t.true(Math.abs(value / right - 1) < tolerance, `${value}, not ${right}`);
  });
}

test('softmax over many classes sums to 1', async (t) => {
  const logits = floats([2, n], 5, { min: -3, max: 3 });
  const out = await results(logits, { rows: (x) => tf.softmax(x) });
  const exponentials = Float64Array.from(logits.data, (value) => Math.exp(value));
  for (const row of [0, 1]) {
    const total = exponentials.subarray(row * n, (row + 1) * n).reduce((sum, each) => sum + each, 0);
    for (const at of [0, 1, n / 2, n - 1]) {
      const right = exponentials[row * n + at] / total;
      t.true(Math.abs(out.rows.data[row * n + at] / right - 1) < tolerance);
    }
  }
});

test('sums so far: exclusive and from the end, of lengths that blocks do not divide', async (t) => {
  for (const length of [256, 257, 700, 70_001]) {
    const x = floats([2, length, 2], 7, { min: 0, max: 1 });
    for (const exclusive of [false, true]) {
      for (const reverse of [false, true]) {
        const { sums } = await results(x, { sums: (value) => tf.cumsum(value, 1, exclusive, reverse) });
        checkSumsSoFar(t, x, sums, { length, exclusive, reverse });
      }
    }
  }
});

function checkSumsSoFar(
  t: ExecutionContext,
  x: HostTensor,
  sums: HostTensor,
  { length, exclusive, reverse }: { length: number; exclusive: boolean; reverse: boolean },
): void {
  let worst = 0;
  for (const [outer, inner] of [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]) {
    let sum = 0;
    for (let step = 0; step < length; step++) {
      const at = (outer * length + (reverse ? length - 1 - step : step)) * 2 + inner;
      if (!exclusive) sum += x.data[at];
      if (sum > 0) worst = Math.max(worst, Math.abs(sums.data[at] / sum - 1));
      if (exclusive) sum += x.data[at];
    }
  }
  t.true(worst < tolerance, `${length} ${exclusive} ${reverse}: ${worst}`);
}

test('long sums are the same bytes on 1 to 4 threads', async (t) => {
  const ops = {
    all: (x: Tensor) => tf.sum(x),
    rows: (x: Tensor) => tf.sum(tf.reshape(x, [6, -1]), 1),
    columns: (x: Tensor) => tf.sum(tf.reshape(x, [-1, 6]), 0),
    middle: (x: Tensor) => tf.mean(tf.reshape(x, [2, -1, 3]), 1),
    threes: (x: Tensor) => tf.sum(tf.slice(tf.reshape(x, [3, -1, 4]), 0, [3, 50, 4]), 1),
    both: (x: Tensor) => tf.sum(tf.reshape(x, [1001, 5, 48]), [0, 2]),
    squares: (x: Tensor) => tf.dot(x as Tensor1D, x as Tensor1D),
    soFar: (x: Tensor) => tf.cumsum(x),
    softmax: (x: Tensor) => tf.softmax(x),
  };
  const x = floats([240_240], 9);
  const first = await results(x, ops, 1);
  for (const threads of [2, 3, 4]) {
    const again = await results(x, ops, threads);
    const bytes = (all: Tensors, name: string) => Buffer.from(all[name].data.buffer);
    const other = Object.keys(first).filter((name) => !bytes(first, name).equals(bytes(again, name)));
    t.deepEqual(other, [], `${threads} threads`);
  }
});
