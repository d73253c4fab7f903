import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { type HostTree, leaves, mapTree } from '../../../components/nn/tree.ts';
import { type DalleConfig, dalle } from '../../../components/tokenizer/dalle/config.ts';
import { decoderCounts, encoderCounts } from '../../../components/tokenizer/dalle/costs.ts';
import {
  type DalleWeights,
  dalleDecode,
  dalleLogits,
  initDalle,
  mapPixels,
  unmapPixels,
} from '../../../components/tokenizer/dalle/model.ts';
import { scheduleAt } from '../../../components/tokenizer/dalle/training.ts';
import { convFlops } from '../support/flops.ts';

const official = dalle({ steps: 3_000_000 }).config as DalleConfig;

test('encoder and decoder have the parameters of the official ones', (t) => {
  t.is(encoderCounts(official, 8).parameters, 53_786_240);
  t.is(decoderCounts(official, 8).parameters, 43_829_766);
});

test('the weights that are made have as many numbers as are counted', (t) => {
  for (const form of [
    { width: 8, stride: 4, residualBlocks: 1, codebook: { size: 5, dim: 3 } },
    { width: 4, stride: 8, residualBlocks: 2, codebook: { size: 6, dim: 4 } },
  ]) {
    const { encoder, ...decoder } = initDalle(form, 0);
    const sizes = (tree: object) =>
      leaves(tree as never).reduce((sum, { leaf }) => sum + (leaf as { data: Float32Array }).data.length, 0);
    t.is(sizes(encoder), encoderCounts(form, 8).parameters);
    t.is(sizes(decoder), decoderCounts(form, 8).parameters);
  }
});

test('FLOPs are those of the convolutions that run', async (t) => {
  const form = { width: 4, stride: 4 as const, residualBlocks: 1, codebook: { size: 5, dim: 3 } };
  const weights = mapTree(initDalle(form, 0) as unknown as HostTree, ({ data, shape }) =>
    tf.tensor(data, [...shape]),
  ) as unknown as DalleWeights<tf.Tensor>;
  const [images, vectors] = [tf.zeros([1, 8, 8, 3]), tf.zeros([1, 2, 2, 3])];
  t.is(await convFlops(() => dalleLogits(weights, images, form)), encoderCounts(form, 8).flops);
  // Its first convolution is a look-up of code vectors, or a product with shares of them.
  const products = 2 * 4 * 5 * 3;
  t.is((await convFlops(() => dalleDecode(weights, vectors, form))) + products, decoderCounts(form, 8).flops);
  const component = dalle({ ...form, steps: 10, batchSize: 4 });
  const costs = component.costs!({ train: { name: 'data.train', facts: { size: 8, images: 40 } } })!;
  t.is(costs.images, 40);
  const first = 2 * 64 * 49 * 3 * 4;
  t.is(costs.flops!.conv, 3 * (encoderCounts(form, 8).flops + decoderCounts(form, 8).flops) - first);
  t.is(component.costs!({})!.flops, undefined);
});

test('the schedules are those of the paper for its 3 million steps', (t) => {
  const at = (step: number) => scheduleAt(official, step, 3_000_000);
  t.deepEqual(at(0), { temperature: 1, divergenceWeight: 0 });
  t.true(Math.abs(at(75_000).temperature - (1 + 1 / 16) / 2) < 1e-12);
  t.is(at(150_000).temperature, 1 / 16);
  t.true(Math.abs(at(2_500).divergenceWeight - 3.3) < 1e-12);
  t.is(at(5_000).divergenceWeight, 6.6);
  t.deepEqual(at(2_999_999), { temperature: 1 / 16, divergenceWeight: 6.6 });
});

test('pixels stay a tenth away from 0 and 1, and come back', (t) => {
  const mapped = mapPixels(tf.tensor1d([0, 0.5, 1]));
  const close = (tensor: tf.Tensor, wanted: number[]) =>
    t.true(wanted.every((value, i) => Math.abs(tensor.dataSync()[i] - value) < 1e-6));
  close(mapped, [0.1, 0.5, 0.9]);
  close(unmapPixels(mapped), [0, 0.5, 1]);
});

test('errors name the fields of a config without meaning', (t) => {
  const issues = (input: object) => dalle({ steps: 10, ...input } as never).issues;
  t.like(issues({ width: 6 })[0], { path: ['width'] });
  t.like(issues({ temperature: { from: 0.5, to: 1 } })[0], { path: ['temperature', 'to'] });
  t.like(issues({ divergence: { over: 0 } })[0], { path: ['divergence', 'over'] });
  t.deepEqual(issues({ stride: 16, residualBlocks: 1 }), []);
});
