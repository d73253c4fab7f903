import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { imagesAt } from '../../../../components/data/loader.ts';
import type { Dataset } from '../../../../components/data/types.ts';
import { type HostTree, leaves } from '../../../../components/nn/tree.ts';
import { vggConvolutions } from '../../../../components/perceptual/vgg/architecture.ts';
import { vgg } from '../../../../components/perceptual/vgg/config.ts';
import { load } from '../../../../components/perceptual/vgg/load.ts';
import { initProjected, initVgg } from '../../../../components/perceptual/vgg/model.ts';
import { run } from '../../../../components/perceptual/vgg/stage.ts';
import type { StageContext, StageInput } from '../../../../framework/stage/contract.ts';
import { imagesOf } from '../../../support/images.ts';
import { leafInput, noCheckpoints } from '../../../support/stage-input.ts';

/** Stripes along x or along y, with a random-looking phase: easy for convolutions, impossible for a single pixel. */
const stripes = imagesOf(
  Uint8Array.from({ length: 200 * 64 }, (_, i) => {
    const index = Math.floor(i / 64);
    const [y, x] = [Math.floor((i % 64) / 8), i % 8];
    return ((index % 2 === 0 ? x : y) + index * 7) % 4 < 2 ? 255 : 0;
  }),
  { size: 8, channels: 1, classes: ['along x', 'along y'] },
);

const component = vgg({
  width: 8,
  blocks: 2,
  convsPerBlock: [1, 2],
  steps: 120,
  batchSize: 16,
  view: { crop: { kind: 'shift', distance: 1 } },
  warmup: 10,
  learningRate: 1e-2,
});

async function trainOn(
  dataset: Dataset,
  component: ReturnType<typeof vgg>,
): Promise<{ dir: string; metrics: { readonly [name: string]: number }; about?: string }> {
  const dir = mkdtempSync(join(tmpdir(), 'peco-vgg-'));
  const train: StageInput = { ...leafInput(component), load: async () => dataset };
  const context: StageContext<never> = {
    config: component.config as never,
    seed: 0,
    inputs: { train },
    files: {},
    outDir: dir,
    workDir: dir,
    checkpoints: noCheckpoints,
    engine: { name: 'onnx', threads: 1 },
    signal: new AbortController().signal,
    progress: () => {},
    log: () => {},
  };
  const { metrics = {}, ...rest } = await run(context as never);
  return { dir, metrics, ...rest };
}

async function openNetwork(component: ReturnType<typeof vgg>, dir: string) {
  const network = await load(leafInput(component, dir));
  const weights = Object.fromEntries(
    Object.entries(network.weights).map(([name, w]) => [name, tf.tensor(w.data, [...w.shape])]),
  );
  return { network, weights };
}

test('width 64 with [2, 2, 3, 3, 3] has the convolutions of VGG16', (t) => {
  const convolutions = vggConvolutions({ width: 64, blocks: 5, convsPerBlock: [2, 2, 3, 3, 3] });
  // torchvision: 14,714,688 parameters in `features`.
  const parameters = convolutions.reduce(
    (sum, { inputs, outputs }) => sum + 9 * inputs * outputs + outputs,
    0,
  );
  t.is(parameters, 14_714_688);
  t.is(convolutions.at(-1)?.layer, 'relu5_3');
});

test('the layers of a configuration are offered', (t) => {
  const { offers } = vgg({ blocks: 2, convsPerBlock: [1, 2], steps: 1 });
  t.deepEqual(offers, ['relu1_1', 'relu2_1', 'relu2_2']);
});

test('numbers for other blocks than there are: told by field', (t) => {
  t.snapshot(vgg({ blocks: 3, convsPerBlock: [1, 2], steps: 1 }).issues);
});

test('training learns, is deterministic, and its result is a network of the offered layers', async (t) => {
  const { dir, metrics, about } = await trainOn(stripes, component);
  t.true(metrics.loss < 0.35, `loss ${metrics.loss}, log 2 at the start`);
  t.true(metrics.heldOutAccuracy > 0.9, `held-out accuracy ${metrics.heldOutAccuracy}`);
  t.is(metrics.heldOutImages, 20);
  // Of 200 images 20 are held out; 120 batches of 16 see all others.
  t.is(metrics.labels, 180);
  t.is(about, 'network trained on 180 labels');
  t.deepEqual((await trainOn(stripes, component)).metrics, metrics);

  const { network, weights } = await openNetwork(component, dir);
  t.deepEqual(network.layers, ['relu1_1', 'relu2_1', 'relu2_2']);
  const { data } = await imagesAt(stripes, [0, 1]);
  const images = tf.tensor4d(
    Float32Array.from(data, (byte) => byte / 255),
    [2, 8, 8, 3],
  );
  const shapes = network.features(weights, images, ['relu2_2', 'relu1_1']).map((x) => x.shape);
  t.deepEqual(shapes, [
    [2, 4, 4, 16],
    [2, 8, 8, 8],
  ]);
  t.throws(() => network.features(weights, images, ['relu3_1']), { instanceOf: RangeError });
});

test('a network says how many labels its batches have seen', async (t) => {
  const short = vgg({ width: 8, blocks: 1, convsPerBlock: 1, steps: 2, batchSize: 16, warmup: 1 });
  t.is((await trainOn(stripes, short)).about, 'network trained on 32 labels');
  const rotated = vgg({ ...short.config, objective: 'rotations' } as never);
  const { metrics, about } = await trainOn(stripes, rotated);
  t.is(about, 'network trained without labels, on rotations of 32 images');
  t.is(metrics.labels, 0);
});

test('contrastive: views of one image find each other, without a label, and the network is one of convolutions', async (t) => {
  const alone = vgg({
    ...{ objective: 'contrastive', width: 8, blocks: 2, convsPerBlock: [1, 2] },
    ...{ steps: 60, batchSize: 16, warmup: 5, learningRate: 3e-3, contrast: { dim: 16 } },
    view: { crop: { kind: 'random-resized', scale: [0.6, 1] }, jitter: 0.2 },
  });
  t.deepEqual(alone.issues, []);
  const { dir, metrics, about } = await trainOn(stripes, alone);
  t.is(about, 'network trained without labels, on two views each of 180 images');
  t.is(metrics.labels, 0);
  // Of 31 other vectors one is the partner, 3 %; there are eight different images, so a batch has each about twice.
  t.true(metrics.heldOutAccuracy > 0.1, `${metrics.heldOutAccuracy}`);
  t.deepEqual((await trainOn(stripes, alone)).metrics, metrics);
  const { network, weights } = await openNetwork(alone, dir);
  t.deepEqual(Object.keys(weights).sort(), [
    ...['conv1_1/bias', 'conv1_1/weight', 'conv2_1/bias', 'conv2_1/weight', 'conv2_2/bias', 'conv2_2/weight'],
  ]);
  t.deepEqual(network.layers, ['relu1_1', 'relu2_1', 'relu2_2']);
});

test('what does not go with an objective: told by field', (t) => {
  const contrastive = { objective: 'contrastive', steps: 1 } as const;
  t.snapshot(vgg({ ...contrastive, batchSize: 8, microBatch: 4 }).issues);
  t.snapshot(vgg({ ...contrastive, view: { size: 32 } }).issues);
  t.snapshot(vgg({ steps: 1, contrast: { temperature: 0.1 } }).issues);
  t.snapshot(vgg({ steps: 1, supervision: 'labels' } as never).issues);
  t.deepEqual(vgg({ ...contrastive, batchSize: 8, microBatch: 8 }).issues, []);
});

test('costs: parameters as made, FLOPs by hand, two views of a contrastive network', (t) => {
  const form = { width: 4, blocks: 2, convsPerBlock: 1, steps: 10, batchSize: 8, holdOut: 0.5 } as const;
  const train = { name: 'data.train', facts: { size: 8, images: 40, classes: 3 } };
  const count = (parameters: object) =>
    leaves(parameters as HostTree).reduce((sum, { leaf }) => sum + leaf.data.length, 0);
  const supervised = vgg(form);
  const costs = supervised.costs!({ train })!;
  t.is(costs.parameters, count(initVgg(supervised.config as never, 3, 0)));
  t.is(costs.images, 80);
  // Forward: 8x8 places of 3x3x3x4 products and 4x4 of 3x3x4x8; the head 8x3. Backward twice, but no gradient to pixels.
  const [first, second] = [2 * 64 * 108, 2 * 16 * 288];
  t.deepEqual(costs.flops, { conv: 2 * first + 3 * second, dense: 3 * 2 * 24 });
  const contrastive = vgg({ ...form, objective: 'contrastive', contrast: { dim: 5 } });
  const twice = contrastive.costs!({ train })!;
  t.is(twice.parameters, count(initProjected(contrastive.config as never, 5, 0)));
  t.deepEqual(twice.flops, { conv: 2 * (2 * first + 3 * second), dense: 2 * 3 * 2 * (64 + 40) });
  t.deepEqual(vgg({ ...form, steps: 0 }).costs!({ train }), { parameters: 0 });
  t.deepEqual(vgg(form).costs!({}), { images: 80 });
});

test('of no steps a network keeps its random weights, has seen no labels, and no layer of it is dead or explodes', async (t) => {
  const untrained = vgg({ width: 16, blocks: 4, convsPerBlock: [1, 1, 2, 2], steps: 0 });
  t.deepEqual(untrained.issues, []);
  const noise = tf.randomUniform([4, 32, 32, 3], 0, 1, 'float32', 5) as tf.Tensor4D;
  const { dir, metrics, about } = await trainOn(stripes, untrained);
  t.deepEqual(metrics, { labels: 0 });
  t.is(about, 'untrained network');
  const { network, weights } = await openNetwork(untrained, dir);
  t.regex(network.name, /untrained/);
  for (const [index, feature] of network.features(weights, noise, network.layers).entries()) {
    const layer = network.layers[index];
    const [rms] = tf.sqrt(tf.mean(tf.square(feature))).dataSync();
    t.true(rms > 0.3 && rms < 6, `${layer} has the scale ${rms}`);
    const active = tf.mean(tf.cast(tf.greater(tf.max(feature, [0, 1, 2]), 0), 'float32')).dataSync()[0];
    t.true(active > 0.9, `${layer}: ${active} of the channels are active`);
  }
  t.deepEqual((await trainOn(stripes, untrained)).metrics, metrics);
});
