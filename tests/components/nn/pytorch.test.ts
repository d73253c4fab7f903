import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '../../../components/engine/gradients/register.ts';
import test, { type ExecutionContext } from 'ava';
import { batchNormRest, evaluationNorms, trainingNorms } from '../../../components/nn/batch-norm.ts';
import { gelu, groupNorm, layerNorm, silu } from '../../../components/nn/layers.ts';
import { accuracy, crossEntropy } from '../../../components/nn/losses.ts';
import { adamw } from '../../../components/training/optimizer.ts';
import { stepScalars } from '../../../components/training/schedule.ts';
import { between, weight } from '../engine/steps/support/seeded.ts';

interface Flat {
  readonly shape: number[];
  readonly data: number[];
}
type Case = { readonly [name in 'x' | 'y' | 'dy' | 'dx']: Flat };
// Made by tests/fixtures/nn.py.
const fixture = JSON.parse(readFileSync(new URL('../../fixtures/nn.json', import.meta.url), 'utf8'));

test.before(async () => {
  await tf.setBackend('cpu');
});

const tensor = ({ shape, data }: Flat) => tf.tensor(data, shape);

function near(t: ExecutionContext, actual: tf.Tensor, expected: Flat, tolerance = 2e-5): void {
  t.deepEqual(actual.shape, expected.shape);
  const values = actual.dataSync();
  const worst = expected.data.reduce((most, value, i) => Math.max(most, Math.abs(value - values[i])), 0);
  t.true(worst <= tolerance, `differs by ${worst}`);
}

function agrees(t: ExecutionContext, { x, y, dy, dx }: Case, layer: (x: tf.Tensor) => tf.Tensor): void {
  near(t, layer(tensor(x)), y);
  near(t, tf.grad(layer)(tensor(x), tensor(dy)), dx);
}

const norm = { gain: tensor(fixture.gain), bias: tensor(fixture.bias) };
const layers: { readonly [name: string]: (x: tf.Tensor) => tf.Tensor } = {
  layerNorm: (x) => layerNorm(x, norm),
  groupNorm: (x) => groupNorm(x, norm, 4),
  gelu,
  silu,
  crossEntropy: (x) => crossEntropy(x, tf.tensor1d(fixture.labels, 'int32')),
  smoothed: (x) => crossEntropy(x, tf.tensor1d(fixture.labels, 'int32'), { smoothing: 0.1 }),
};
for (const [name, layer] of Object.entries(layers)) {
  test(`${name} and its gradient are PyTorch's`, (t) => agrees(t, fixture[name], layer));
}

test('cross-entropy with weights is the weighted mean of the rows, and ignores padding', (t) => {
  const logits = tf.tensor2d([
    [0, 0],
    [100, 0],
    [3, -5],
  ]);
  const labels = tf.tensor1d([0, 0, 1], 'int32');
  const loss = crossEntropy(logits, labels, { weights: tf.tensor1d([1, 1, 0]) });
  t.true(Math.abs(loss.dataSync()[0] - Math.LN2 / 2) < 1e-6);
});

test('weights below 1 are shares like any other; without any weight loss and accuracy are 0', (t) => {
  const logits = tf.tensor2d([
    [0, 0],
    [0, 0],
  ]);
  const labels = tf.tensor1d([0, 1], 'int32');
  for (const weight of [1e-30, 0.25, 1, 1e30]) {
    const weights = tf.tensor1d([weight, weight]);
    t.true(Math.abs(crossEntropy(logits, labels, { weights }).dataSync()[0] - Math.LN2) < 1e-6, `${weight}`);
    // The first of equal logits is chosen: one of two is right.
    t.is(accuracy(logits, labels, weights).dataSync()[0], 0.5);
  }
  const one = { weights: tf.tensor1d([0, 0.1]) };
  t.true(
    Math.abs(
      crossEntropy(
        tf.tensor2d([
          [9, 0],
          [0, Math.log(3)],
        ]),
        labels,
        one,
      ).dataSync()[0] - Math.log(4 / 3),
    ) < 1e-6,
  );
  t.is(accuracy(logits, labels, one.weights).dataSync()[0], 0);
  const none = tf.zeros([2]);
  t.is(crossEntropy(logits, labels, { weights: none }).dataSync()[0] + 0, 0);
  t.is(accuracy(logits, labels, none).dataSync()[0], 0);
});

test('three AdamW steps are those of torch.optim.AdamW, without decay of biases', (t) => {
  const { adamw: run } = fixture;
  let parameters = { weight: tensor(run.weight), bias: tensor(run.bias) };
  let moments = {
    first: { weight: tf.zeros([3, 2]) as tf.Tensor, bias: tf.zeros([2]) as tf.Tensor },
    second: { weight: tf.zeros([3, 2]) as tf.Tensor, bias: tf.zeros([2]) as tf.Tensor },
  };
  run.steps.forEach((step: { [name: string]: Flat }, index: number) => {
    const host = stepScalars(index, 0.01, [0.9, 0.98]);
    const scalars = {
      learningRate: tf.scalar(host.learningRate.data[0]),
      correction1: tf.scalar(host.correction1.data[0]),
      correction2: tf.scalar(host.correction2.data[0]),
    };
    const gradients = { weight: tensor(step.weightGradient), bias: tensor(step.biasGradient) };
    const next = adamw(parameters, gradients, moments, scalars, {
      betas: [0.9, 0.98],
      weightDecay: 0.05,
    });
    parameters = next.parameters;
    moments = next.moments;
    near(t, parameters.weight, step.weight);
    near(t, parameters.bias, step.bias);
  });
});

const onDevice = ({ shape, data }: ReturnType<typeof between>) => tf.tensor(data as Float32Array, [...shape]);

test("batch norm, its gradient and running statistics over two steps are PyTorch's", (t) => {
  // Made by tests/fixtures/segmentation/layers.py.
  const { batchNorm } = JSON.parse(
    readFileSync(new URL('../../fixtures/segmentation/layers.json', import.meta.url), 'utf8'),
  ) as {
    batchNorm: {
      steps: { readonly [name in 'y' | 'dx' | 'mean' | 'variance']: Flat }[];
      evaluated: Flat;
    };
  };
  const norm = { gain: onDevice(weight('norm/gain', [3])), bias: onDevice(weight('norm/bias', [3])) };
  const shape = [4, 2, 3, 3];
  const seen = (step: number) => tf.add(tf.mul(onDevice(between(`x${step}`, shape, -1, 1)), 2), 5);
  const { init, none, update } = batchNormRest({ one: 3 });
  let running = {
    one: { mean: onDevice(init().one!.mean), variance: onDevice(init().one!.variance) },
  } as ReturnType<typeof update>;
  batchNorm.steps.forEach(({ y, dx, mean, variance }, step) => {
    const apply = (x: tf.Tensor) => trainingNorms(running).norm('one', x, norm);
    near(t, apply(seen(step)), y);
    near(t, tf.grad(apply)(seen(step), onDevice(between(`dy${step}`, shape, -1, 1))), dx);
    // The statistics of two micro-batches add up to those of the batch.
    const sums = tf.split(seen(step), 2).reduce((sum, half) => {
      const training = trainingNorms(running);
      training.norm('one', half, norm);
      return tf.add(sum, training.statistics.one!);
    }, onDevice(none().one!));
    running = update(running, { one: sums });
    near(t, running.one!.mean, mean);
    near(t, running.one!.variance, variance);
  });
  near(t, evaluationNorms(running)('one', seen(0), norm), batchNorm.evaluated);
});
