import test from 'ava';
import { vit, vitSchema } from '../../../components/backbone/config.ts';
import { initVit } from '../../../components/backbone/init.ts';
import { fineTune } from '../../../components/downstream/finetune/config.ts';
import { classifierCounts } from '../../../components/downstream/finetune/costs.ts';
import { initClassifier } from '../../../components/downstream/finetune/model.ts';
import { linearProbe } from '../../../components/downstream/probe/config.ts';
import { random } from '../../../components/nn/random.ts';
import { type HostTree, leaves } from '../../../components/nn/tree.ts';
import {
  type MaskedImageModellingConfig,
  maskedImageModelling,
} from '../../../components/pretraining/mim/config.ts';
import { pretrainingCounts } from '../../../components/pretraining/mim/costs.ts';
import { mimObjective } from '../../../components/pretraining/mim/model.ts';
import type { WiredInputs } from '../../../framework/stage/component.ts';

const official = { imageSize: 224, masked: 75, vocabulary: 8192 };

test('BEiT-B and BEiT-L with their 8192-way head have the parameters of the official logs', (t) => {
  const count = (size: 'base/16' | 'large/16') =>
    pretrainingCounts(vitSchema.parse(vit(size)), official).all.parameters;
  t.is(count('base/16'), 91_965_776);
  t.is(count('large/16'), 311_534_016);
});

test("a fine-tuned BEiT-B of 1,000 classes has the parameters of timm's beit_base_patch16_224", (t) => {
  const { all } = classifierCounts(vitSchema.parse(vit('base/16')), { imageSize: 224, classes: 1000 });
  t.is(all.parameters, 86_530_984);
});

const forms = [
  { layerScaleInit: 0.1 },
  { positions: 'absolute', keyBias: true },
  { positions: 'none', mlpRatio: 1.5 },
] as const;
for (const [place, form] of forms.entries()) {
  test(`parameters are counted as they are made (${place})`, (t) => {
    const backbone = vit({ dim: 12, depth: 3, heads: 2, patch: 4 }, form);
    const config = maskedImageModelling({ backbone, steps: 1 }).config as MaskedImageModellingConfig;
    const sizeOf = (tree: unknown) =>
      leaves(tree as HostTree).reduce(
        (sum, { leaf }) => sum + leaf.shape.reduce((product, n) => product * n, 1),
        0,
      );
    const tokenizer = { vocabulary: 7, weights: {}, encode: () => undefined as never };
    const made = mimObjective(config, tokenizer, { imageSize: 20, seed: 0 }).init();
    const counted = pretrainingCounts(config.backbone, { imageSize: 20, masked: 4, vocabulary: 7 });
    t.is(counted.all.parameters, sizeOf(made));
    const classifier = initClassifier(random(0), initVit(random(0), config.backbone, 20), 3);
    const { all } = classifierCounts(config.backbone, { imageSize: 20, classes: 3 });
    t.is(all.parameters, sizeOf(classifier));
  });
}

const train = { name: 'data.train', facts: { size: 224, images: 1_281_167, classes: 1000 } };
const use = { parameters: 5, flops: { conv: 100 }, activations: 0 };
const tokenizer = {
  ...{ name: 'the tokenizer "x"', facts: { stride: 8, vocabulary: 8192 } },
  use: (size: number) => (size === 112 ? use : undefined),
};

test('pretraining of BEiT-B: 91.97 M parameters, 116 G FLOPs an image and those of the tokenizer', (t) => {
  const component = maskedImageModelling({
    ...{ backbone: vit('base/16'), epochs: 800, batchSize: 2048, microBatch: 32 },
    view: { size: 224 },
    tokens: { size: 112 },
  });
  const costs = component.costs!({ train, tokenizer })!;
  t.is(costs.parameters, 91_965_776);
  // 17.56 G multiply-adds are 35.1 G; 75 rows of 768 x 8192 are 0.94 G more; three times, but for the pixels' gradient.
  const block = 2 * (4 * 768 ** 2 + 2 * 768 * 3072) * 197 + 4 * 197 ** 2 * 768;
  const patches = 2 * 196 * 768 ** 2;
  t.deepEqual(costs.flops, {
    dense: 3 * (12 * block + 2 * 75 * 768 * 8192) + 2 * patches,
    conv: 100,
  });
  t.is(costs.images, Math.ceil((800 * 1_281_167) / 2048) * 2048);
  // Weights and two moments in two copies, gradients; 32 images leave some 300 MB each.
  t.true(costs.memory! > 7 * 4 * 91_965_776 + 32 * 250e6 && costs.memory! < 14e9);
  t.is(component.costs!({ train, tokenizer: undefined }), undefined);
});

test('fine-tuning and probe count the backbone that the pretraining tells', (t) => {
  const { provides } = maskedImageModelling({ backbone: vit('base/16'), steps: 1, view: { size: 224 } });
  const inputs: WiredInputs = {
    ...{ train, test: { name: 'data.test', facts: { images: 50_000 } } },
    pretrained: { name: 'the pretraining "base"', facts: provides! },
  };
  const tuned = fineTune({ labels: 1_281_167, epochs: 100, batchSize: 1024 }).costs!(inputs)!;
  t.is(tuned.parameters, 86_530_984);
  const probe = linearProbe({ labels: 1_281_167, layer: 9 }).costs!(inputs)!;
  t.deepEqual([probe.parameters, probe.images], [769_000, 1_331_167]);
  // The same blocks, 9 of 12, without a backward pass.
  const third = (tuned.flops!.dense! - 6 * 768 * 1000 + 2 * 196 * 768 ** 2) / 3;
  t.is(probe.flops!.dense, ((third - 2 * 196 * 768 ** 2) * 9) / 12 + 2 * 196 * 768 ** 2);
  t.is(fineTune({ labels: 10, steps: 1 }).costs!({ train }), undefined);
});
