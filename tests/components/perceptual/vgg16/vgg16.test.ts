import '@tensorflow/tfjs-backend-cpu';
import test from 'ava';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { load } from '../../../../components/perceptual/vgg16/load.ts';
import { run } from '../../../../components/perceptual/vgg16/stage.ts';
import { loadTree } from '../../../../components/weights/safetensors.ts';
import { file, vgg } from '../../../../index.ts';
import { at, featuresOf, importNetwork, tensorOf, worstOf } from '../support/imported.ts';

/** Of width 2, written by PyTorch: see make-smoke.py beside it. */
const small = at('components/perceptual/vgg16/smoke.pth');
const vgg16 = { run, load };

test('an imported VGG16 has the features of torchvision', async (t) => {
  const component = vgg({ weights: file(small), width: 2 });
  t.deepEqual(component.issues, []);
  const { network, result } = await importNetwork(component, vgg16);
  t.regex(result.about!, /^network with weights from elsewhere, sha256 [0-9a-f]{8}$/);
  const expected = loadTree<{ [name: string]: HostTensor }>(
    at('tests/fixtures/perceptual/vgg16.safetensors'),
  );
  const layers = ['relu5_3', 'relu1_2', 'relu3_3', 'relu2_2', 'relu4_3'];
  for (const [i, found] of featuresOf(network, expected.images, layers).entries()) {
    const right = tensorOf(expected[layers[i]]);
    t.deepEqual(found.shape, right.shape, layers[i]);
    t.true(worstOf(found, right) < 1e-6, `${layers[i]}: ${worstOf(found, right)} of the largest`);
  }
});

test('its layers are those of VGG16, it has one stage for all seeds, and so many parameters', (t) => {
  const component = vgg({ weights: file('vgg16-397923af.pth') });
  t.deepEqual(component.config, { weights: 'file', width: 64, seed: 0 });
  t.is(component.offers.length, 13);
  t.deepEqual([component.offers[0], component.offers.at(-1)], ['relu1_1', 'relu5_3']);
  const use = component.use!(224)!;
  t.is(use.parameters, 14_714_688);
  // Multiply-adds of its convolutions at 224 pixels: 9 * inputs * outputs * side ** 2, summed up by hand.
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
  const wide = await t.throwsAsync(importNetwork(vgg({ weights: file(small) }), vgg16));
  t.snapshot(wide.message.replace(/^.*smoke/, 'smoke'));
  const component = vgg({ weights: file(at('tests/fixtures/torch/module.pth')) });
  const other = await t.throwsAsync(importNetwork(component, vgg16));
  t.snapshot(other.message.replace(/^.*module/, 'module'));
});

test('a smoke run imports the small file that ships, with the same layers', async (t) => {
  const real = vgg({ weights: file('vgg16-397923af.pth', { sha256: '397923af' }) });
  const smoke = vgg(real.smoke!({ inputs: {} }) as never);
  t.deepEqual(smoke.issues, []);
  // The digest is of the file that it replaces.
  t.deepEqual([smoke.files.weights, smoke.needed!.weights.sha256], [small, undefined]);
  const { network } = await importNetwork(smoke, vgg16);
  t.deepEqual(network.layers, real.offers);
  const counts = Object.values(network.weights).map(({ data }) => data.length);
  t.is(
    counts.reduce((sum, count) => sum + count, 0),
    smoke.use!(32)!.parameters,
  );
});
