import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { type VitConfig, vit, vitSchema } from '../../../components/backbone/config.ts';
import { dropPathNoise } from '../../../components/backbone/drop-path.ts';
import { initVit } from '../../../components/backbone/init.ts';
import type { FineTuneConfig } from '../../../components/downstream/finetune/config.ts';
import { fineTuneObjective, initClassifier } from '../../../components/downstream/finetune/model.ts';
import type { HostTensor } from '../../../components/engine/types.ts';
import { random } from '../../../components/nn/random.ts';
import { hostTensor } from '../../../components/nn/tree.ts';
import type { MaskedImageModellingConfig } from '../../../components/pretraining/mim/config.ts';
import { type Encoding, mimObjective } from '../../../components/pretraining/mim/model.ts';
import { reconstructionLoss } from '../../../components/tokenizer/reconstruction.ts';
import type { VqvaeConfig } from '../../../components/tokenizer/vqvae/config.ts';
import { vqvaeObjective } from '../../../components/tokenizer/vqvae/model.ts';
import {
  initialState,
  type Named,
  type Objective,
  trainingStep,
} from '../../../components/training/objective.ts';
import type { Recipe } from '../../../components/training/recipe.ts';
import { stepScalars } from '../../../components/training/schedule.ts';
import { perceptualNetworkOf } from './networks.ts';

/** A training step to measure: what `compile` takes, and a batch. `torch_steps.py` has the same steps in PyTorch. */
export interface Workload {
  readonly step: unknown;
  /** Made when asked for, so that nothing but the engine holds on to it, as in a stage. */
  readonly state: () => unknown;
  readonly batch: { readonly [name: string]: unknown };
  readonly constants?: unknown;
  /** Multiplications and additions of the matrix products and convolutions that the step can't do without. */
  readonly flops?: number;
}

export interface Shape {
  readonly title: string;
  /** Images of a batch, unless another number is asked for. */
  readonly batch: number;
  make(batchSize: number): Workload | Promise<Workload>;
}

export const base: VitConfig = vitSchema.parse(vit('base/16'));
export const small: VitConfig = { ...base, dim: 192, depth: 6, heads: 3, patch: 4 };

export const shapes: { readonly [name: string]: Shape } = {
  'mim-small': {
    title: '(1) MIM, ViT d192 L6 H3, 65 tokens, vocabulary 512',
    batch: 32,
    make: (batchSize) => mim(small, { imageSize: 32, batchSize, vocabulary: 512, masked: 26 }),
  },
  'finetune-small': {
    title:
      '(1b) fine-tuning, the same ViT, 100 classes (tfjs-wasm has no gradient of gather, which MIM needs)',
    batch: 32,
    make: (batchSize) => finetune(small, { imageSize: 32, batchSize, classes: 100 }),
  },
  'mim-base': {
    title: '(2) MIM, ViT-B/16 at 224, vocabulary 8192',
    batch: 8,
    make: (batchSize) => mim(base, { imageSize: 224, batchSize, vocabulary: 8192, masked: 75 }),
  },
  'vqvae-small': {
    title: '(3) VQ-VAE w128 f8 at 32, Inception to mixed0',
    batch: 64,
    make: (batchSize) =>
      vqvae('inception', { imageSize: 32, batchSize, width: 128, stride: 8, codes: 512, dim: 32 }),
  },
  'vqvae-large': {
    title: '(4) VQ-VAE w256 f16 at 224, VGG16 to relu4_3',
    batch: 4,
    make: (batchSize) =>
      vqvae('vgg16', { imageSize: 224, batchSize, width: 256, stride: 16, codes: 8192, dim: 64 }),
  },
  'finetune-base': {
    title: '(5) fine-tuning, ViT-B/16 at 224, 1000 classes',
    batch: 8,
    make: (batchSize) => finetune(base, { imageSize: 224, batchSize, classes: 1000 }),
  },
  'vqvae-f16': {
    title: '(6) VQ-VAE in VQGAN form, 128 channels 1,1,2,2,4, f16 at 224, VGG16 to relu5_3',
    batch: 1,
    make: vqgan,
  },
};

/** A shape by `NAME` or `NAME:BATCH`; undefined if there is none of that name. */
export function shapeOf(text: string):
  | {
      readonly name: string;
      readonly title: string;
      readonly batch: number;
      make(): Workload | Promise<Workload>;
    }
  | undefined {
  const [name = '', given] = text.split(':');
  const shape = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
  const batch = given === undefined ? shape?.batch : Number(given);
  if (!shape || batch === undefined || !Number.isInteger(batch) || batch < 1) return undefined;
  return { name, title: `${shape.title}, batch ${batch}`, batch, make: () => shape.make(batch) };
}

function images(batchSize: number, size: number): HostTensor {
  const pixels = random(7, 'images').fillUniform(new Float32Array(batchSize * size * size * 3));
  return hostTensor([batchSize, size, size, 3], pixels);
}

function integers(count: number, bound: number, name: string): HostTensor {
  const draw = random(7, name);
  return hostTensor(
    [count],
    Int32Array.from({ length: count }, () => draw.int(bound)),
  );
}

/** Products of the blocks of a ViT with gradients to input and weight; `rows` go through the head. */
function vitFlops(
  vit: VitConfig,
  imageSize: number,
  batchSize: number,
  rows: number,
  classes: number,
): number {
  const patches = (imageSize / vit.patch) ** 2;
  const tokens = patches + 1;
  const perToken = 8 * vit.dim ** 2 + 4 * vit.mlpRatio * vit.dim ** 2 + 4 * tokens * vit.dim;
  const blocks = vit.depth * batchSize * tokens * perToken;
  const patch = 2 * batchSize * patches * vit.patch ** 2 * 3 * vit.dim;
  const head = 2 * rows * vit.dim * classes;
  // The patches themselves need no gradient.
  return 3 * (blocks + head) + 2 * patch;
}

/** A frozen tokenizer, and the side of the pictures that it sees. */
export interface Frozen extends Encoding {
  readonly size: number;
}

/** Without a tokenizer, codes are given in the place of the picture that it would see: its time is no part of the step. */
export function mim(
  backbone: VitConfig,
  o: { imageSize: number; batchSize: number; vocabulary: number; masked: number },
  frozen?: Frozen,
): Workload {
  const config = {
    ...recipe,
    ...{ backbone, betas: [0.9, 0.999], clipNorm: 3, dropPath: 0.1 },
  } as unknown as MaskedImageModellingConfig;
  const tokens = (o.imageSize / backbone.patch) ** 2;
  const count = o.batchSize * o.masked;
  const mask = new Float32Array(o.batchSize * tokens);
  const rows = Int32Array.from({ length: count }, (_, i) => {
    const image = Math.floor(i / o.masked);
    return image * tokens + (((i % o.masked) * 2) % tokens);
  });
  for (const row of rows) mask[row] = 1;
  const encode = (_: unknown, codes: Tensor) => tf.cast(codes, 'int32');
  const tokenizer: Encoding = frozen ?? { vocabulary: o.vocabulary, weights: {}, encode };
  const objective = mimObjective(config, tokenizer, { imageSize: o.imageSize, seed: 0 });
  const codes = integers(o.batchSize * tokens, o.vocabulary, 'codes');
  return {
    ...workload(objective, config, {
      patches: images(o.batchSize, o.imageSize),
      tokens: frozen
        ? images(o.batchSize, frozen.size)
        : hostTensor([o.batchSize, tokens], Float32Array.from(codes.data)),
      mask: hostTensor([o.batchSize, tokens, 1], mask),
      rows: hostTensor([count], rows),
      weights: hostTensor([count], new Float32Array(count).fill(1)),
      noise: dropPathNoise(0, { step: 0, first: 0 }),
    }),
    flops: vitFlops(backbone, o.imageSize, o.batchSize, count, o.vocabulary),
  };
}

function finetune(
  backbone: VitConfig,
  o: { imageSize: number; batchSize: number; classes: number },
): Workload {
  const config = {
    ...recipe,
    ...{ labelSmoothing: 0.1, layerDecay: 0.65, dropPath: 0.1 },
  } as unknown as FineTuneConfig;
  const vit = initVit(random(0, 'vit'), backbone, o.imageSize);
  const start = initClassifier(random(0, 'head'), vit, o.classes);
  return {
    ...workload(fineTuneObjective(config, backbone, start), config, {
      images: images(o.batchSize, o.imageSize),
      labels: integers(o.batchSize, o.classes, 'labels'),
      noise: dropPathNoise(0, { step: 0, first: 0 }),
    }),
    flops: vitFlops(backbone, o.imageSize, o.batchSize, o.batchSize, o.classes),
  };
}

function vqvae(
  kind: 'inception' | 'vgg16',
  o: { imageSize: number; batchSize: number; width: number; stride: 8 | 16; codes: number; dim: number },
): Promise<Workload> {
  const network = { width: o.width, stride: o.stride, residualBlocks: 2 };
  const codebook = { size: o.codes, dim: o.dim, decay: 0.97, reviveBelow: 0.05, normalise: false };
  return tokenizer(kind, network, codebook, o);
}

export function vqgan(
  batchSize: number,
  { imageSize = 224, channels = 128, codes = 8192, multipliers = [1, 1, 2, 2, 4] } = {},
): Promise<Workload> {
  const vqgan = { channels, multipliers, attention: true, latent: 2 * channels };
  const network = { stride: 2 ** (multipliers.length - 1), residualBlocks: 2, vqgan };
  const codebook = { size: codes, dim: 32, decay: 0.99, reviveBelow: 0, normalise: true };
  return tokenizer('vgg16-5', network, codebook, { imageSize, batchSize });
}

async function tokenizer(
  kind: Parameters<typeof perceptualNetworkOf>[0],
  form: { readonly stride: number; readonly [field: string]: unknown },
  codebook: { readonly size: number; readonly [field: string]: unknown },
  { imageSize, batchSize }: { readonly imageSize: number; readonly batchSize: number },
): Promise<Workload> {
  const { network, layers } = await perceptualNetworkOf(kind);
  const config = {
    ...form,
    commitmentWeight: 0.25,
    ...recipe,
    weightDecay: 0,
    codebook: { ...codebook, epsilon: 1e-5 },
    loss: { pixel: 1, perceptual: { layers, weight: 1, normalisation: 'unit' } },
  } as unknown as VqvaeConfig;
  const inputs = { network: { load: async () => network } };
  const reconstruction = await reconstructionLoss(
    { inputs } as unknown as Parameters<typeof reconstructionLoss>[0],
    config,
  );
  const tokens = batchSize * (imageSize / form.stride) ** 2;
  return workload(vqvaeObjective(config, reconstruction, 0), config, {
    images: images(batchSize, imageSize),
    candidates: integers(codebook.size, tokens, 'candidates'),
  });
}

const recipe = { betas: [0.9, 0.999], weightDecay: 0.05, clipNorm: 1 };

function workload<P, B, T, C, R, A extends Named>(
  objective: Objective<P, B, T, C, R, A>,
  config: Recipe,
  batch: { readonly [name: string]: HostTensor },
): Workload {
  return {
    step: trainingStep(objective, config),
    state: () => initialState(objective, config),
    batch: { batch, stepScalars: stepScalars(0, 1e-4, config.betas) },
    constants: objective.constants,
  };
}
