import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import test, { type ExecutionContext } from 'ava';
import { openEngine } from '../../components/engine/open.ts';
import type { HostTensor } from '../../components/engine/types.ts';
import { hostTensor } from '../../components/nn/tree.ts';
import type { FeatureNetwork } from '../../components/perceptual/types.ts';
import { load as loadVgg } from '../../components/perceptual/vgg16/load.ts';
import { run as runVgg } from '../../components/perceptual/vgg16/stage.ts';
import { load as loadVit } from '../../components/perceptual/vit/load.ts';
import { run as runVit } from '../../components/perceptual/vit/stage.ts';
import { openWeights } from '../../components/weights/open.ts';
import type { RawTensor } from '../../components/weights/raw.ts';
import { formatSafetensors, loadTree } from '../../components/weights/safetensors.ts';
import { file, vgg, vitFeatures } from '../../index.ts';
import { importNetwork } from '../components/perceptual/support/imported.ts';

// Networks of full size against torchvision and timm, which run here and now: PYTHON names a Python that has them.
const python = process.env.PYTHON ?? 'python3';
const script = new URL('../fixtures/perceptual/full.py', import.meta.url).pathname;
const folder = fs.mkdtempSync(path.join(tmpdir(), 'peco-imported-'));
test.after.always(() => fs.rmSync(folder, { recursive: true }));
execFileSync(python, [script, folder], { stdio: ['ignore', 'ignore', 'inherit'] });
const expected = loadTree<{ [name: string]: HostTensor }>(path.join(folder, 'features.safetensors'));

/** Features of the image, by an engine. */
async function compute(network: FeatureNetwork, layers: readonly string[]): Promise<readonly HostTensor[]> {
  const engine = await openEngine({ name: 'onnx', threads: 2 });
  try {
    const program = await engine.compile({
      name: 'features',
      state: engine.state<Record<string, never>>({}),
      step: (state, { images }: { images: tf.Tensor }, weights: { [name: string]: tf.Tensor }) => {
        const found = network.features(weights, images as tf.Tensor4D, layers);
        return { state, out: Object.fromEntries(found.map((feature, i) => [layers[i], feature])) };
      },
      batch: { images: { shape: [1, 224, 224, 3] } },
      constants: network.weights,
    });
    const pixels = Float32Array.from(expected.images.data, (byte) => byte / 255);
    const out = await program.run({ images: hostTensor([1, 224, 224, 3], pixels) });
    return layers.map((layer) => out[layer]);
  } finally {
    engine.dispose();
  }
}

async function compare(
  t: ExecutionContext,
  network: FeatureNetwork,
  layers: readonly string[],
): Promise<void> {
  const found = await compute(network, layers);
  for (const [i, layer] of layers.entries()) {
    const right = expected[layer];
    t.deepEqual(found[i].shape, right.shape);
    let [worst, largest] = [0, 0];
    for (const [at, value] of right.data.entries()) {
      worst = Math.max(worst, Math.abs(value - found[i].data[at]));
      largest = Math.max(largest, Math.abs(value));
    }
    t.log(
      `${layer} [${right.shape.join(', ')}]: worst ${worst.toExponential(2)} of ${largest.toPrecision(4)}: ${(worst / largest).toExponential(2)}`,
    );
    t.true(worst / largest < 1e-5, layer);
  }
}

test.serial('VGG16 of full size has the features of torchvision', async (t) => {
  const place = path.join(folder, 'vgg16.pth');
  const started = performance.now();
  const { network } = await importNetwork(vgg({ weights: file(place) }), { run: runVgg, load: loadVgg });
  t.log(
    `${(fs.statSync(place).size / 2 ** 20).toFixed(0)} MiB imported in ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  await compare(t, network, ['relu1_2', 'relu2_2', 'relu3_3', 'relu4_3', 'relu5_3']);
});

test.serial('ViT-B/16 with the names of MoCo v3 has the features of timm', async (t) => {
  const component = vitFeatures({ weights: file(path.join(folder, 'vit.pth.tar')), layout: 'moco-v3' });
  const { network } = await importNetwork(component, { run: runVit, load: loadVit });
  await compare(t, network, ['block3', 'block6', 'block9', 'block12']);
});

test.serial(
  'what PyTorch saved, and is written here as safetensors, it loads again bit for bit',
  async (t) => {
    const opened = await openWeights(path.join(folder, 'kinds.pth'));
    const tensors: { [name: string]: RawTensor } = {};
    for (const name of opened.tensors.keys()) tensors[name] = await opened.read(name);
    await opened.close();
    fs.writeFileSync(path.join(folder, 'kinds.safetensors'), formatSafetensors({ tensors, metadata: {} }));
    const said = execFileSync(python, [script, folder, '--compare'], { encoding: 'utf8' });
    t.is(said.trim(), `${Object.keys(tensors).length} tensors are the same, bit for bit`);
  },
);
