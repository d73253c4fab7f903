import path from 'node:path';
import { vit } from '../../../components/backbone/config.ts';
import { fineTune } from '../../../components/downstream/finetune/config.ts';
import { run as runFineTune } from '../../../components/downstream/finetune/stage.ts';
import { linearProbe } from '../../../components/downstream/probe/config.ts';
import { run as runProbe } from '../../../components/downstream/probe/stage.ts';
import { vgg } from '../../../components/perceptual/vgg/config.ts';
import { run as runVgg } from '../../../components/perceptual/vgg/stage.ts';
import { maskedImageModelling } from '../../../components/pretraining/mim/config.ts';
import { run as runMim } from '../../../components/pretraining/mim/stage.ts';
import { dalle } from '../../../components/tokenizer/dalle/config.ts';
import { run as runDalle } from '../../../components/tokenizer/dalle/stage.ts';
import { dvae } from '../../../components/tokenizer/dvae/config.ts';
import { run as runDvae } from '../../../components/tokenizer/dvae/stage.ts';
import { vqvae } from '../../../components/tokenizer/vqvae/config.ts';
import { load as loadVqvae } from '../../../components/tokenizer/vqvae/load.ts';
import { run as runVqvae } from '../../../components/tokenizer/vqvae/stage.ts';
import { saveTree } from '../../../components/weights/safetensors.ts';
import type { Component } from '../../../framework/stage/component.ts';
import type { StageInput } from '../../../framework/stage/contract.ts';
import { imagesOf } from '../../support/images.ts';
import { leafInput } from '../../support/stage-input.ts';
import { uniforms } from '../engine/steps/support/seeded.ts';
import { untrainedVqvae } from './vqvae.ts';

const size = 16;
const count = 24;
const bytes = Uint8Array.from(uniforms('resume', count * size * size * 3), (value) => 256 * value);
const images = imagesOf(bytes, { size });

const backbone = vit({ dim: 16, depth: 2, heads: 2, patch: 8 });
// Often, so that it shows where micro-batches or a resumed stage leave out other branches.
const dropPath = 0.5;
const codebook = { size: 8, dim: 4 };
// More steps than an epoch has, so that a resumed stage begins inside one.
const training = { steps: 10, batchSize: 8, warmup: 2 };
const tokenizer = { ...training, width: 16, stride: 8 as const, residualBlocks: 1, codebook };
/** A tiny training of every kind, with the function that runs it. */
export const kinds: { readonly [kind: string]: { component: Component; run: unknown } } = {
  vgg: {
    component: vgg({
      ...training,
      width: 4,
      blocks: 1,
      convsPerBlock: 1,
      view: { crop: { kind: 'shift', distance: 1 } },
      holdOut: 0.25,
    }),
    run: runVgg,
  },
  vqvae: { component: vqvae(tokenizer), run: runVqvae },
  'vqvae of unit codes from k-means': {
    component: vqvae({ ...tokenizer, codebook: { ...codebook, normalise: true, start: 'k-means' } }),
    run: runVqvae,
  },
  dvae: { component: dvae(tokenizer), run: runDvae },
  dalle: {
    component: dalle({ ...training, width: 8, residualBlocks: 1, codebook }),
    run: runDalle,
  },
  mim: {
    component: maskedImageModelling({ ...training, backbone, dropPath, view: { jitter: 0.4 } }),
    run: runMim,
  },
  'fine-tuning': {
    component: fineTune({
      ...{ ...training, backbone, dropPath, labels: 16 },
      ...{ mixup: 0.8, cutmix: 1, mixing: { group: 4 } },
      // Looks after steps 3, 6, 9 and 10, of 12 images that are learnt from.
      checkpoint: { validation: { share: 0.25, every: 3 } },
      view: { randAugment: 'rand-m9-mstd0.5-inc1', erasing: 0.5 },
    }),
    run: runFineTune,
  },
  // In minibatches: a fit to the optimum keeps no state. Five epochs are ten steps.
  'linear probe': {
    component: linearProbe({
      ...{ backbone, layers: 'all', labels: 16 },
      minibatch: { above: 0, epochs: 5, batchSize: 8, learningRate: [0.1, 0.004] },
    }),
    run: runProbe,
  },
};

/** What the framework would wire to them: data, and a tokenizer in `dir`. */
export function inputsOf(dir: string): { [name: string]: StageInput } {
  const frozen = vqvae(tokenizer);
  saveTree(path.join(dir, 'tokenizer.safetensors'), untrainedVqvae(frozen.config));
  const data: StageInput = { ...leafInput(frozen), load: async () => images };
  const loaded: StageInput<never> = {
    ...leafInput(frozen, dir),
    load: () => loadVqvae(loaded),
  };
  return { train: data, test: data, tokenizer: loaded };
}
