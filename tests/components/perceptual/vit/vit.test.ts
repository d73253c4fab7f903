import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import test from 'ava';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { load } from '../../../../components/perceptual/vit/load.ts';
import { bicubicMatrix } from '../../../../components/perceptual/vit/positions.ts';
import { run } from '../../../../components/perceptual/vit/stage.ts';
import { openWeights } from '../../../../components/weights/open.ts';
import { formatSafetensors, loadTree } from '../../../../components/weights/safetensors.ts';
import { file, vitFeatures } from '../../../../index.ts';
import { at, featuresOf, importNetwork, tensorOf, worstOf } from '../support/imported.ts';

/** 8 wide, with MoCo v3's names, written by PyTorch: see make-smoke.py beside it. */
const small = at('components/perceptual/vit/smoke.pth');
const sizes = { dim: 8, heads: 2, patch: 8, size: 32 };
const vit = { run, load };
const expected = loadTree<{ [shape: string]: { [name: string]: HostTensor } }>(
  at('tests/fixtures/perceptual/vit.safetensors'),
);

test("an imported vision transformer has timm's features; of other sizes with DINO's positions", async (t) => {
  const component = vitFeatures({ weights: file(small), layout: 'moco-v3', ...sizes });
  t.deepEqual(component.issues, []);
  const { network, result } = await importNetwork(component, vit);
  t.regex(result.about!, /^network with weights from elsewhere \(moco-v3, sha256 [0-9a-f]{8}\)$/);
  for (const [shape, layers] of Object.entries({
    square: ['block9', 'block3', 'block12', 'block6'],
    wide: ['block1', 'block12'],
  })) {
    for (const [i, found] of featuresOf(network, expected[shape].images, layers).entries()) {
      const right = tensorOf(expected[shape][layers[i]]);
      t.deepEqual(found.shape, right.shape);
      t.true(worstOf(found, right) < 3e-6, `${shape} ${layers[i]}: ${worstOf(found, right)} of the largest`);
    }
  }
  t.throws(
    () =>
      featuresOf(network, { dtype: 'int32', shape: [1, 12, 8, 3], data: new Int32Array(288) }, ['block1']),
    {
      message: `patches of 8 pixels don't tile pictures of 12 x 8`,
    },
  );
});

test("the same network is found behind DINO's and timm's names", async (t) => {
  const moco = await openWeights(small);
  const prefix = 'module.base_encoder.';
  const names = [...moco.tensors.keys()].filter(
    (name) => name.startsWith(prefix) && !name.includes('.head.'),
  );
  const raws = await Promise.all(
    names.map(async (name) => [name.slice(prefix.length), await moco.read(name)] as const),
  );
  await moco.close();
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'peco-vit-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const layers = ['block12'];
  for (const [layout, before] of [
    ['dino', 'backbone.'],
    ['dino', ''],
    ['timm', ''],
  ] as const) {
    const tensors = Object.fromEntries(raws.map(([name, raw]) => [`${before}${name}`, raw]));
    const place = path.join(folder, 'vit.safetensors');
    fs.writeFileSync(place, formatSafetensors({ tensors, metadata: {} }));
    const { network } = await importNetwork(vitFeatures({ weights: file(place), layout, ...sizes }), vit);
    const [found] = featuresOf(network, expected.square.images, layers);
    t.true(worstOf(found, tensorOf(expected.square.block12)) < 3e-6);
  }
});

test('a bicubic weighting sums up to one, and leaves a constant as it is', (t) => {
  for (const [from, to] of [
    [14, 7],
    [14, 20],
    [4, 7],
    [1, 3],
  ])
    for (const row of bicubicMatrix(from, to))
      t.true(Math.abs(row.reduce((sum, w) => sum + w, 0) - 1) < 1e-12);
});

test('sizes are those of ViT-B/16, whose parameters are counted', (t) => {
  const component = vitFeatures({ weights: file('vit-b-300ep.pth.tar'), layout: 'moco-v3' });
  t.deepEqual(component.issues, []);
  // timm's vit_base_patch16_224 without its head: 86,567,656 - 769,000.
  const use = component.use!(224)!;
  t.is(use.parameters, 85_798_656);
  // Multiply-adds: patches; and in each block queries, keys and values, scores and mixing, projection, MLP.
  const block = 197 * 768 * 2304 + 2 * 197 * 197 * 768 + 197 * 768 * 768 + 2 * 197 * 768 * 3072;
  t.is(use.flops.dense, 2 * (196 * 768 * 768 + 12 * block));
});

test('errors name the field of sizes that fit nothing, and what other weights lack', async (t) => {
  t.snapshot(vitFeatures({ weights: file('x.pth'), layout: 'moco' as never }).issues);
  t.snapshot(vitFeatures({ weights: file('x.pth'), layout: 'dino', dim: 100, patch: 15 }).issues);
  const component = vitFeatures({ weights: file(small), layout: 'timm', ...sizes });
  const error = await t.throwsAsync(importNetwork(component, vit));
  t.snapshot(error.message.replace(/^.*smoke/, 'smoke'));
});

test('a smoke run imports the small file that ships, with the same layers', async (t) => {
  const real = vitFeatures({ weights: file('dino_vitbase16_pretrain.pth'), layout: 'dino' });
  const smoke = vitFeatures(real.smoke!({ inputs: {} }) as never);
  t.deepEqual(smoke.issues, []);
  t.is(smoke.files.weights, small);
  const { network } = await importNetwork(smoke, vit);
  t.deepEqual(network.layers, real.offers);
  const counts = Object.values(network.weights).map(({ data }) => data.length);
  t.is(
    counts.reduce((sum, count) => sum + count, 0),
    smoke.use!(32)!.parameters,
  );
});
