import path from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { StageFunction } from '../../../framework/stage/contract.ts';
import { imageBatches } from '../../data/image-batches.ts';
import type { Dataset } from '../../data/types.ts';
import { plainView, sizeOf } from '../../data/views/view.ts';
import { openEngine } from '../../engine/open.ts';
import type { SpecOf } from '../../engine/types.ts';
import { random } from '../../nn/random.ts';
import { hostScalar, hostTensor } from '../../nn/tree.ts';
import { train } from '../../training/loop.ts';
import { cosineLearningRate, stepSize } from '../../training/schedule.ts';
import { saveTree } from '../../weights/safetensors.ts';
import { describeLoss, reconstructionLoss } from '../reconstruction.ts';
import type { DvaeConfig } from './config.ts';
import { type DvaeBatch, type DvaeState, dvaeStep, initDvae } from './model.ts';

/** Trains the tokenizer and writes `tokenizer.safetensors`. */
export const run: StageFunction<DvaeConfig> = async (context) => {
  const { config, seed } = context;
  const dataset = await context.inputs.train.load<Dataset>();
  const size = sizeOf(plainView, dataset);
  const reconstruction = await reconstructionLoss(context, config);
  const engine = await openEngine(context.engine);
  const state = engine.state<DvaeState<tf.Tensor>>(initDvae(config, seed));
  const { batchSize, codebook, steps, temperature } = config;
  const tokens = batchSize * (size / config.stride) ** 2;
  const scalar = { shape: [] };
  const spec: SpecOf<DvaeBatch<tf.Tensor>> = {
    images: { shape: [batchSize, size, size, 3] },
    noise: { shape: [tokens, codebook.size] },
    temperature: scalar,
    size: { learningRate: scalar, correction1: scalar, correction2: scalar },
  };
  const program = await engine.compile({
    name: 'dvae training',
    step: dvaeStep(config, reconstruction),
    state,
    batch: spec,
    constants: reconstruction.constants,
  });
  const next = imageBatches(dataset, { batchSize, seed, purpose: 'tokenizer', flip: config.flip });
  const last = await train(context, {
    program,
    state,
    steps,
    batchSize,
    batch: async (step) => ({
      images: (await next(step)).images,
      noise: hostTensor(
        [tokens, codebook.size],
        random(seed, 'gumbel', step).fillUniform(new Float32Array(tokens * codebook.size)),
      ),
      temperature: hostScalar(
        cosineLearningRate(step, {
          learningRate: temperature.from,
          minLearningRate: temperature.to,
          steps,
        }),
      ),
      size: stepSize(step, cosineLearningRate(step, config), config.beta1, config.beta2),
    }),
  });
  await saveTree(path.join(context.outDir, 'tokenizer.safetensors'), state.read().parameters);
  engine.dispose();
  return { metrics: last, about: describeLoss(config.loss) };
};
