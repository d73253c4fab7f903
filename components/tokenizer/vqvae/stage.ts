import path from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { StageFunction } from '../../../framework/stage/contract.ts';
import { imageBatches } from '../../data/image-batches.ts';
import type { Dataset } from '../../data/types.ts';
import { plainView, sizeOf } from '../../data/views/view.ts';
import { openEngine } from '../../engine/open.ts';
import type { SpecOf } from '../../engine/types.ts';
import { random } from '../../nn/random.ts';
import { hostTensor } from '../../nn/tree.ts';
import { train } from '../../training/loop.ts';
import { cosineLearningRate, stepSize } from '../../training/schedule.ts';
import { saveTree } from '../../weights/safetensors.ts';
import { revivalCandidates } from '../codebook.ts';
import { describeLoss, reconstructionLoss } from '../reconstruction.ts';
import type { VqvaeConfig } from './config.ts';
import { initVqvae, type VqvaeBatch, type VqvaeState, vqvaeStep } from './model.ts';

/** Trains the tokenizer and writes `tokenizer.safetensors`. */
export const run: StageFunction<VqvaeConfig> = async (context) => {
  const { config, seed } = context;
  const dataset = await context.inputs.train.load<Dataset>();
  const size = sizeOf(plainView, dataset);
  const reconstruction = await reconstructionLoss(context, config);
  const engine = await openEngine(context.engine);
  const state = engine.state<VqvaeState<tf.Tensor>>(initVqvae(config, seed));
  const { batchSize, codebook } = config;
  const tokens = batchSize * (size / config.stride) ** 2;
  const scalar = { shape: [] };
  const spec: SpecOf<VqvaeBatch<tf.Tensor>> = {
    images: { shape: [batchSize, size, size, 3] },
    candidates: { shape: [codebook.size], dtype: 'int32' },
    size: { learningRate: scalar, correction1: scalar, correction2: scalar },
  };
  const program = await engine.compile({
    name: 'vqvae training',
    step: vqvaeStep(config, reconstruction),
    state,
    batch: spec,
    constants: reconstruction.constants,
  });
  const next = imageBatches(dataset, { batchSize, seed, purpose: 'tokenizer', flip: config.flip });
  const last = await train(context, {
    program,
    state,
    steps: config.steps,
    batchSize,
    batch: async (step) => {
      const candidates = revivalCandidates(random(seed, 'revival', step), codebook.size, tokens);
      return {
        images: (await next(step)).images,
        candidates: hostTensor([codebook.size], candidates),
        size: stepSize(step, cosineLearningRate(step, config), config.beta1, config.beta2),
      };
    },
  });
  const { parameters, codebook: trained } = state.read();
  await saveTree(path.join(context.outDir, 'tokenizer.safetensors'), {
    ...parameters,
    codebook: trained.vectors,
  });
  engine.dispose();
  return { metrics: last, about: describeLoss(config.loss) };
};
