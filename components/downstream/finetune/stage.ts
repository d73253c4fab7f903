import type * as tf from '@tensorflow/tfjs-core';
import type { StageContext, StageFunction } from '../../../framework/stage/contract.ts';
import { dropPathNoise } from '../../backbone/drop-path.ts';
import { holdOutOfClasses } from '../../data/hold-out.ts';
import { reportSkipped } from '../../data/skipped.ts';
import { balancedSubset } from '../../data/subset.ts';
import type { Dataset } from '../../data/types.ts';
import { sizeOf } from '../../data/views/view.ts';
import { openEngine } from '../../engine/open.ts';
import { random } from '../../nn/random.ts';
import { hostTensor } from '../../nn/tree.ts';
import { type Batches, fit } from '../../training/fit.ts';
import { openImages } from '../../training/images.ts';
import type { Plan } from '../../training/recipe.ts';
import { openValidation } from '../../training/validation.ts';
import { type ClassificationInputs, startingBackbone } from '../start.ts';
import { followed } from '../tested.ts';
import { saveClassifier } from './checkpoint.ts';
import type { FineTuneConfig } from './config.ts';
import { accuracyOn, openClassifying } from './measure.ts';
import { measureTest } from './measure-test.ts';
import { mixesOf } from './mixing.ts';
import { mixes } from './mixing-config.ts';
import { type Classifier, type FineTuneBatch, fineTuneObjective, initClassifier } from './model.ts';

/**
 * Fine-tunes, writes `classifier.safetensors` and `classifier.json`, and measures top-1 and, of more than five classes, top-5
 * on the whole test split. What was counted before the stage was stopped or killed isn't counted again.
 */
export const run: StageFunction<FineTuneConfig, ClassificationInputs> = reportSkipped(async (given) => {
  const { context, tested } = followed(given);
  const { config, seed } = context;
  const all = await context.inputs.train.load();
  const test = await context.inputs.test.load();
  const labelled = config.labels === undefined ? all : await balancedSubset(all, config.labels, seed);
  const size = sizeOf(config.view, all);
  const backbone = await startingBackbone(context, config, size);
  const { config: network, imageSize } = backbone;
  const start = initClassifier(random(seed, 'head'), backbone.weights, all.classes.length);
  const engine = await openEngine(context.engine);
  const classifying = openClassifying(context, engine, { network, size });
  const validation = await openValidation<number, Classifier<tf.Tensor>>(config.checkpoint, labelled, {
    ...{ seed, split: holdOutOfClasses },
    score: async (held, parameters) => (await accuracyOn(held, await classifying(parameters, held))).top1,
  });
  const { learnt } = validation;
  const fitted = await fit(context, engine, fineTuneObjective(config, network, start), {
    ...{ recipe: config, images: learnt.count, ...validation.select },
    batches: (plan) => openBatches(context, learnt, plan, size),
  });
  const weights = fitted.parameters;
  const { top1, top5, right } = await measureTest(context, test, await classifying(weights, test), {
    ...{ engine: engine.name, weights, tested },
  });
  saveClassifier(context.outDir, { config: network, imageSize, weights });
  engine.dispose();
  return {
    metrics: {
      top1,
      // Of five classes each is among the first five.
      ...(all.classes.length > 5 ? { top5 } : {}),
      images: test.count,
      trainLoss: fitted.last.loss,
      ...validation.metrics(fitted),
    },
    perImage: { top1: right },
    about: [`${labelled.count.toLocaleString('en-US')} labels`, ...validation.describe(fitted)].join(', '),
  };
});

function openBatches(
  context: StageContext<FineTuneConfig>,
  data: Dataset,
  plan: Plan,
  size: number,
): Batches<FineTuneBatch<tf.Tensor>> {
  const { config, seed } = context;
  const options = { purpose: 'fine-tuning', view: config.view, pictures: { images: {} } };
  const loader = openImages(context, data, plan, options);
  return {
    close: loader.close,
    async batch({ step, index, first }) {
      const { pictures, targets } = await loader.batch(index);
      const count = targets.length;
      return {
        images: pictures.images,
        labels: hostTensor([count], Int32Array.from(targets)),
        ...(config.dropPath > 0 ? { noise: dropPathNoise(seed, { step, first }) } : {}),
        ...(mixes(config) ? { mixes: mixesOf(config, { seed, step, first, count }, size) } : {}),
      };
    },
  };
}
