import path from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { StageFunction } from '../../../framework/stage/contract.ts';
import { imageBatches } from '../../data/image-batches.ts';
import { balancedSubset, labelsOf } from '../../data/subset.ts';
import type { Dataset } from '../../data/types.ts';
import { plainView, sizeOf } from '../../data/views/view.ts';
import { openEngine } from '../../engine/open.ts';
import type { SpecOf } from '../../engine/types.ts';
import { hostTensor } from '../../nn/tree.ts';
import { countRight, forward } from '../../training/classify.ts';
import { train } from '../../training/loop.ts';
import { cosineLearningRate, stepSize } from '../../training/schedule.ts';
import { saveTree } from '../../weights/safetensors.ts';
import { startingBackbone } from '../start.ts';
import type { FineTuneConfig } from './config.ts';
import { classify, type FineTuneBatch, type FineTuneState, fineTuneStep, initClassifier } from './model.ts';

/** Fine-tunes, writes `classifier.safetensors`, and measures top-1 on the whole test split. */
export const run: StageFunction<FineTuneConfig> = async (context) => {
  const { config, seed } = context;
  const { batchSize, steps } = config;
  const all = await context.inputs.train.load<Dataset>();
  const test = await context.inputs.test.load<Dataset>();
  const classes = all.classes.length;
  const labelled = await balancedSubset(all, config.labels, seed);
  const labels = await labelsOf(labelled);
  const size = sizeOf(plainView, all);
  const backbone = await startingBackbone(context, config, size);
  const engine = await openEngine(context.engine);
  const state = engine.state<FineTuneState<tf.Tensor>>(
    initClassifier(backbone.weights, backbone.config.dim, classes),
  );
  const scalar = { shape: [] };
  const spec: SpecOf<FineTuneBatch<tf.Tensor>> = {
    images: { shape: [batchSize, size, size, 3] },
    labels: { shape: [batchSize], dtype: 'int32' },
    size: { learningRate: scalar, correction1: scalar, correction2: scalar },
  };
  const program = await engine.compile({
    name: 'fine-tuning',
    step: fineTuneStep(config, backbone.config),
    state,
    batch: spec,
  });
  const next = imageBatches(labelled, { batchSize, seed, purpose: 'fine-tuning', flip: config.flip });
  const last = await train(context, {
    program,
    state,
    steps,
    batchSize,
    batch: async (step) => {
      const { images, indices } = await next(step);
      return {
        images,
        labels: hostTensor(
          [batchSize],
          Int32Array.from(indices, (index) => labels[index]),
        ),
        size: stepSize(step, cosineLearningRate(step, config)),
      };
    },
  });
  let right = 0;
  await forward(engine, test, {
    name: 'classification',
    state,
    apply: ({ parameters }, images) => classify(parameters, backbone.config, images),
    view: plainView,
    workers: context.engine.threads,
    signal: context.signal,
    onRows: ({ values, targets }) => {
      right += countRight(values, targets);
    },
  });
  await saveTree(path.join(context.outDir, 'classifier.safetensors'), state.read().parameters);
  engine.dispose();
  return {
    metrics: {
      top1: right / test.count,
      images: test.count,
      trainLoss: last.loss,
    },
    about: `${labelled.count.toLocaleString('en-US')} labels`,
  };
};
