import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../../components/engine/types.ts';
import { bestCodes } from '../../../components/tokenizer/codebook.ts';
import type { DalleForm } from '../../../components/tokenizer/dalle/architecture.ts';
import { type DalleWeights, dalleLogits, initDalle } from '../../../components/tokenizer/dalle/model.ts';
import type { Tokenizer } from '../../../components/tokenizer/tokenizer.ts';
import { base, type Frozen, mim, small, vqgan, type Workload } from '../engine/shapes.ts';

/** Training steps that `record.ts` writes, by the number of images in a batch. */
export const steps: { readonly [shape: string]: (batchSize: number) => Workload | Promise<Workload> } = {
  // BEiT's pretraining at its own size; codes are given.
  'mim-base': (batchSize) => mim(base, { imageSize: 224, batchSize, vocabulary: 8192, masked: 75 }),
  // The same with DALL-E's encoder, frozen, in the step: it sees 112 pixels, as in BEiT.
  'mim-base-dalle': (batchSize) =>
    mim(
      base,
      { imageSize: 224, batchSize, vocabulary: 8192, masked: 75 },
      frozenDalle({ width: 256, stride: 8, residualBlocks: 2, codebook: { size: 8192, dim: 128 } }, 112),
    ),
  // The tokenizer in VQGAN's form with a loss on VGG16: shape (6) of the engine's benchmark.
  'vqvae-f16': (batchSize) => vqgan(batchSize),
  // Small ones, to compare numbers with.
  'mim-small': (batchSize) => mim(small, { imageSize: 32, batchSize, vocabulary: 512, masked: 26 }),
  'vqvae-small': (batchSize) =>
    vqgan(batchSize, { imageSize: 32, channels: 32, codes: 64, multipliers: [1, 1, 2] }),
  'mim-small-dalle': (batchSize) =>
    mim(
      small,
      { imageSize: 32, batchSize, vocabulary: 64, masked: 26 },
      frozenDalle({ width: 16, stride: 8, residualBlocks: 1, codebook: { size: 64, dim: 16 } }, 64),
    ),
};

/** DALL-E's encoder with random weights, which take the same time. */
function frozenDalle(form: DalleForm, size: number): Frozen {
  const { encoder } = initDalle(form, 0);
  const vocabulary = form.codebook.size;
  return {
    size,
    vocabulary,
    weights: { encoder } as unknown as Tokenizer['weights'],
    encode(tree, images) {
      const logits = dalleLogits(tree as unknown as DalleWeights<tf.Tensor>, images, form);
      return bestCodes(tf.reshape(logits, [-1, vocabulary]));
    },
  };
}

export const isPicture = ({ shape }: HostTensor) => shape.length === 4 && shape[3] === 3;
