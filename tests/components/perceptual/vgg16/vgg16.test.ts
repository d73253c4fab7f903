import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import test, { type ExecutionContext } from 'ava';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { load } from '../../../../components/perceptual/vgg16/load.ts';
import { run } from '../../../../components/perceptual/vgg16/stage.ts';
import { loadTree } from '../../../../components/weights/safetensors.ts';
import type { StageContext } from '../../../../framework/stage/contract.ts';
import { file, vgg } from '../../../../index.ts';
import { leafInput, noCheckpoints } from '../../../support/stage-input.ts';

const at = (place: string): string => fileURLToPath(new URL(`../../../../${place}`, import.meta.url));
/** Of width 2, written by PyTorch: see make-smoke.py beside it. */
const small = at('components/perceptual/vgg16/smoke.pth');

async function importOf(t: ExecutionContext, component: ReturnType<typeof vgg>) {
  const dir = fs.mkdtempSync(path.join(tmpdir(), 'peco-vgg16-'));
  t.teardown(() => fs.rmSync(dir, { recursive: true }));
  const context: StageContext<never> = {
    config: component.config as never,
    seed: 0,
    inputs: {},
    files: component.files,
    outDir: dir,
    workDir: dir,
    checkpoints: noCheckpoints,
    engine: { name: 'onnx', threads: 1 },
    signal: new AbortController().signal,
    progress: () => {},
    log: () => {},
  };
  const result = await run(context as never);
  return { dir, result };
}

test('an imported VGG16 has the features of torchvision', async (t) => {
  const component = vgg({ weights: file(small), width: 2 });
  t.deepEqual(component.issues, []);
  const { dir, result } = await importOf(t, component);
  t.regex(result.about!, /^network with weights from elsewhere, sha256 [0-9a-f]{8}$/);
  const network = await load(leafInput(component, dir));
  const tensorOf = ({ data, shape }: HostTensor) => tf.tensor(data, [...shape]);
  const weights = Object.fromEntries(Object.entries(network.weights).map(([name, w]) => [name, tensorOf(w)]));
  const expected = loadTree<{ [name: string]: HostTensor }>(
    at('tests/fixtures/perceptual/vgg16.safetensors'),
  );
  const images = tf.div(tensorOf(expected.images), 255) as tf.Tensor4D;
  const layers = ['relu5_3', 'relu1_2', 'relu3_3', 'relu2_2', 'relu4_3'];
  for (const [i, found] of network.features(weights, images, layers).entries()) {
    const right = tensorOf(expected[layers[i]]);
    t.deepEqual(found.shape, right.shape, layers[i]);
    const worst = tf.max(tf.abs(tf.sub(found, right))).dataSync()[0] / tf.max(tf.abs(right)).dataSync()[0];
    t.true(worst < 1e-6, `${layers[i]}: ${worst} of the largest`);
  }
});

test('its layers are those of VGG16, it has one stage for all seeds, and so many parameters', (t) => {
  const component = vgg({ weights: file('vgg16-397923af.pth') });
  t.deepEqual(component.config, { weights: 'file', width: 64, seed: 0 });
  t.is(component.offers.length, 13);
  t.deepEqual([component.offers[0], component.offers.at(-1)], ['relu1_1', 'relu5_3']);
  const use = component.use!(224)!;
  t.is(use.parameters, 14_714_688);
  // Its convolutions at 224 pixels: 15.35 thousand million multiply-adds (Canziani et al. 2016 count 15.5 with the classifier).
  t.is(use.flops.conv, 2 * 15_346_630_656);
});

test('weights and fields of a training exclude each other', (t) => {
  const both = vgg({ weights: file('vgg16.pth'), steps: 100, blocks: 3 } as never);
  t.snapshot(both.issues);
  // A variable that is undefined asks for a training.
  t.is(vgg({ weights: undefined, steps: 100 } as never).kind, 'vgg');
  for (const odd of [null, 'vgg16.pth', 16]) t.true(vgg(odd as never).issues.length > 0);
});

test('weights of another network are refused with what is missing and misshapen', async (t) => {
  const wide = vgg({ weights: file(small) });
  const error = await t.throwsAsync(importOf(t, wide));
  t.snapshot(error.message.replace(small, 'smoke.pth'));
  const other = vgg({ weights: file(at('tests/fixtures/torch/module.pth')) });
  t.snapshot((await t.throwsAsync(importOf(t, other))).message.replace(/^.*module/, 'module'));
});
