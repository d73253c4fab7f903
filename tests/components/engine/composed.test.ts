import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { composedCases } from './gradients/composed.ts';
import { floats } from './support/arbitrary.ts';
import type { Case } from './support/compare.ts';
import { assertSame, computeAll } from './support/compare.ts';

test('ops that are made of several kernels agree with tfjs', async (t) => {
  const cases = Object.entries(composedCases).flatMap(([name, list]) =>
    list.map(({ inputs, op, variables = inputs.length }): Case => {
      return { name, inputs, compute: op, gradients: [...inputs.keys()].slice(0, variables) };
    }),
  );
  await assertSame(t, cases, { absolute: 2e-5, relative: 2e-5 });
});

test('tensors made inside the function become constants', async (t) => {
  const x = floats([2, 3], 1);
  const matrix = [
    [1, 2],
    [3, 4],
    [5, 6],
  ];
  await assertSame(t, [
    { name: 'range', inputs: [x], compute: (a) => tf.add(a, tf.range(0, 3)) },
    { name: 'linspace', inputs: [x], compute: (a) => tf.mul(a, tf.linspace(0, 1, 3)) },
    { name: 'large zeros', inputs: [], compute: () => tf.zeros([70, 70]) },
    { name: 'tensor', inputs: [x], compute: (a) => tf.matMul(a as Tensor2D, tf.tensor2d(matrix)) },
    {
      name: 'bools',
      inputs: [x],
      compute: (a) => tf.where(tf.tensor1d([1, 0, 1], 'bool'), a, tf.scalar(-1)),
    },
    { name: 'eye', inputs: [x], compute: (a) => tf.matMul(a as Tensor2D, tf.eye(3)) },
  ]);
});

test('products of two batches of which each is repeated, which tfjs confuses', async (t) => {
  const a = floats([2, 1, 3, 4], 1);
  const b = floats([1, 2, 4, 2], 2);
  const product = (x: Tensor, y: Tensor) => tf.matMul(x, y);
  const spelled = (x: Tensor, y: Tensor) => tf.matMul(tf.tile(x, [1, 2, 1, 1]), tf.tile(y, [2, 1, 1, 1]));
  const both = (x: Tensor, y: Tensor) => tf.sub(product(x, y), spelled(x, y));
  const [compiled, reference] = [
    await outputOf('onnx', both, [a, b]),
    await outputOf('reference', both, [a, b]),
  ];
  t.true(compiled.every((value) => Math.abs(value) < 1e-5));
  t.false(
    reference.every((value) => Math.abs(value) < 1e-5),
    'tfjs has it right now: compare as usual',
  );
});

async function outputOf(engine: string, compute: Case['compute'], inputs: Case['inputs']): Promise<number[]> {
  const { case0 } = await computeAll(engine, [{ name: 'product', inputs, compute }]);
  return [...case0.x0.data];
}

test('a chain of convolutions, norms and residuals keeps its meaning when transposes are moved', async (t) => {
  const norm = (x: Tensor) => {
    const [batch, height, width, channels] = x.shape;
    const groups = tf.reshape(x, [batch, height, width, 2, channels / 2]);
    const { mean, variance } = tf.moments(groups, [1, 2, 4], true);
    return tf.reshape(tf.div(tf.sub(groups, mean), tf.sqrt(tf.add(variance, 1e-3))), x.shape);
  };
  const none = Array.from({ length: 4 }, (): [number, number] => [0, 0]);
  const compute = (x: Tensor, f: Tensor, g: Tensor, bias: Tensor) => {
    const down = tf.add(tf.conv2d(x as Tensor4D, f as Tensor4D, 2, 'same'), bias);
    const y = tf.mul(norm(down), tf.sigmoid(norm(down)));
    const residual = tf.add(down, tf.conv2d(y as Tensor4D, g as Tensor4D, 1, 'same'));
    const up = tf.image.resizeNearestNeighbor(residual as Tensor4D, [8, 8]);
    const wide = tf.relu(tf.concat([up, tf.pad(up, none)], 3));
    return tf.conv2d(wide as Tensor4D, tf.concat([g, g], 2) as Tensor4D, 1, 'same');
  };
  const inputs = [floats([2, 8, 8, 3], 1), floats([4, 4, 3, 4], 2), floats([3, 3, 4, 4], 3), floats([4], 4)];
  await assertSame(t, [{ name: 'chain', inputs, compute, gradients: [0, 1, 2, 3] }], {
    absolute: 1e-4,
    relative: 1e-4,
  });
});
