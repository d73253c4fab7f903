import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import test from 'ava';
import { adamw } from '../../../components/training/optimizer.ts';

test.before(async () => {
  await tf.setBackend('cpu');
});

test('biases, gains and named parameters do not decay; everything else does', (t) => {
  const ones = (...shape: number[]) => tf.ones(shape) as tf.Tensor;
  const parameters = {
    patch: { weight: ones(2, 2), bias: ones(2) },
    positions: ones(1, 2, 2),
    classToken: ones(1, 1, 2),
    norm: { gain: ones(2) },
  };
  const zeros = (tree: object): never =>
    Object.fromEntries(
      Object.entries(tree).map(([name, leaf]) => [
        name,
        leaf instanceof tf.Tensor ? tf.zerosLike(leaf) : zeros(leaf),
      ]),
    ) as never;
  const scalars = {
    learningRate: tf.scalar(0.5),
    correction1: tf.scalar(0.1),
    correction2: tf.scalar(0.001),
  };
  const decayed = (noDecay?: readonly string[]) => {
    const moments = { first: zeros(parameters), second: zeros(parameters) };
    const options = { weightDecay: 0.5, ...(noDecay ? { noDecay } : {}) };
    const next = adamw(
      parameters,
      zeros(parameters) as typeof parameters,
      moments,
      scalars,
      options,
    ).parameters;
    const first = (tensor: tf.Tensor) => tensor.dataSync()[0];
    return {
      ...{ weight: first(next.patch.weight), bias: first(next.patch.bias), gain: first(next.norm.gain) },
      ...{ positions: first(next.positions), classToken: first(next.classToken) },
    };
  };
  // Without a gradient a weight shrinks by the learning rate times the decay.
  t.deepEqual(decayed(), { weight: 0.75, bias: 1, gain: 1, positions: 0.75, classToken: 0.75 });
  const named = { weight: 0.75, bias: 1, gain: 1, positions: 1, classToken: 1 };
  t.deepEqual(decayed(['classToken', 'positions']), named);
});
