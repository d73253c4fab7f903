import type * as tf from '@tensorflow/tfjs-core';
import type { StageFunction } from '../../../framework/stage/contract.ts';
import { saveBackbone } from '../../backbone/checkpoint.ts';
import { imageBatches } from '../../data/image-batches.ts';
import type { Dataset } from '../../data/types.ts';
import { plainView, sizeOf } from '../../data/views/view.ts';
import { openEngine } from '../../engine/open.ts';
import type { SpecOf } from '../../engine/types.ts';
import { random } from '../../nn/random.ts';
import { hostTensor } from '../../nn/tree.ts';
import { codesOf } from '../../tokenizer/codes.ts';
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import { train } from '../../training/loop.ts';
import { cosineLearningRate, stepSize } from '../../training/schedule.ts';
import { maskIssues, maskingOf } from '../mask-fields.ts';
import { batchMasks } from '../masking.ts';
import type { MaskedImageModellingConfig } from './config.ts';
import { initMim, type MimBatch, type MimState, mimStep } from './model.ts';

/** Pretrains the backbone and writes `backbone.safetensors` and `backbone.json`. */
export const run: StageFunction<MaskedImageModellingConfig> = async (context) => {
  const { config, seed } = context;
  const { backbone, batchSize, steps } = config;
  const dataset = await context.inputs.train.load<Dataset>();
  const tokenizer = await context.inputs.tokenizer.load<Tokenizer>();
  if (backbone.patch !== tokenizer.stride) {
    throw new Error(
      `backbone.patch is ${backbone.patch} but the tokenizer's stride is ${tokenizer.stride}: make them equal, a patch is a token.`,
    );
  }
  const size = sizeOf(plainView, dataset);
  const engine = await openEngine(context.engine);
  const pass = { view: plainView, workers: context.engine.threads, signal: context.signal };
  const views = [await codesOf(engine, tokenizer, dataset, pass)];
  if (config.flip) views.push(await codesOf(engine, tokenizer, dataset, { ...pass, mirrored: true }));

  const side = size / backbone.patch;
  const tokens = side ** 2;
  const [issue] = maskIssues(config, side);
  if (issue) throw new Error(`${issue.field}: ${issue.message}; ${issue.hint}.`);
  const masking = maskingOf(config, side);
  const masked = batchSize * masking.count;
  const scalar = { shape: [] };
  const spec: SpecOf<MimBatch<tf.Tensor>> = {
    images: { shape: [batchSize, size, size, 3] },
    mask: { shape: [batchSize, tokens, 1] },
    rows: { shape: [masked], dtype: 'int32' },
    weights: { shape: [masked] },
    codes: { shape: [masked], dtype: 'int32' },
    size: { learningRate: scalar, correction1: scalar, correction2: scalar },
  };
  const vocabulary = tokenizer.vocabulary;
  const state = engine.state<MimState<tf.Tensor>>(initMim(config, { imageSize: size, vocabulary, seed }));
  const program = await engine.compile({
    name: 'masked image modelling',
    step: mimStep(config),
    state,
    batch: spec,
  });
  const next = imageBatches(dataset, { batchSize, seed, purpose: 'pretraining', flip: config.flip });
  const last = await train(context, {
    program,
    state,
    steps,
    batchSize,
    batch: async (step) => {
      const { images, indices, flips } = await next(step);
      const masks = batchMasks(random(seed, 'mask', step), batchSize, masking);
      const codes = Int32Array.from(masks.rows, (row) => {
        const image = Math.floor(row / tokens);
        return views[flips[image]][indices[image] * tokens + (row % tokens)];
      });
      return {
        images,
        mask: hostTensor([batchSize, tokens, 1], masks.mask),
        rows: hostTensor([masked], masks.rows),
        weights: hostTensor([masked], masks.weights),
        codes: hostTensor([masked], codes),
        size: stepSize(step, cosineLearningRate(step, config), 0.9, config.beta2),
      };
    },
  });
  await saveBackbone(context.outDir, {
    config: backbone,
    imageSize: size,
    weights: state.read().parameters.vit,
  });
  engine.dispose();
  return { metrics: last };
};
