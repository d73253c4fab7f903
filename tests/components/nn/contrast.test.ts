import { readFileSync } from 'node:fs';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import '../../../components/engine/gradients/register.ts';
import { contrast } from '../../../components/nn/contrast.ts';

interface Flat {
  readonly shape: number[];
  readonly data: number[];
}
type Name = 'first' | 'second' | 'firstGradient' | 'secondGradient';
type Case = { readonly [name in Name]: Flat } & {
  readonly [name in 'temperature' | 'loss' | 'accuracy']: number;
};
// Made by tests/fixtures/contrast.py.
const cases = JSON.parse(
  readFileSync(new URL('../../fixtures/contrast.json', import.meta.url), 'utf8'),
) as readonly Case[];

test.before(async () => {
  await tf.setBackend('cpu');
});

const tensor = ({ shape, data }: Flat) => tf.tensor(data, shape);

for (const each of cases) {
  const [images, width] = each.first.shape;
  test(`NT-Xent of ${images} images in ${width} dimensions and its gradients are PyTorch's`, (t) => {
    const [first, second] = [tensor(each.first), tensor(each.second)];
    const { loss, accuracy } = contrast(first, second, each.temperature);
    t.true(Math.abs(loss.dataSync()[0] - each.loss) < 1e-5 * (1 + each.loss), `${loss} ${each.loss}`);
    t.true(Math.abs(accuracy.dataSync()[0] - each.accuracy) < 1e-6);
    const gradients = tf.grads((a: tf.Tensor, b: tf.Tensor) => contrast(a, b, each.temperature).loss)([
      first,
      second,
    ]);
    for (const [i, wanted] of [each.firstGradient, each.secondGradient].entries()) {
      const found = gradients[i].dataSync();
      const most = Math.max(1e-3, ...wanted.data.map(Math.abs));
      const worst = Math.max(...wanted.data.map((value, j) => Math.abs(value - found[j])));
      t.true(worst < 1e-5 * most, `off by ${worst} of ${most}`);
    }
  });
}

test('a vector of zeros has no direction, and no gradient that is not finite', (t) => {
  const rows = tf.tensor2d([
    [0, 0],
    [1, 2],
  ]);
  const [gradient] = tf.grads(
    (a: tf.Tensor) =>
      contrast(
        a,
        tf.tensor2d([
          [1, 0],
          [0, 1],
        ]),
        0.5,
      ).loss,
  )([rows]);
  t.true(gradient.dataSync().every(Number.isFinite));
});
