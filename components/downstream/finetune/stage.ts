import type * as tf from '@tensorflow/tfjs-core';
import type { StageFunction } from '../../../framework/stage/contract.ts';
import { dropPathNoise } from '../../backbone/drop-path.ts';
import { balancedSubset } from '../../data/subset.ts';
import { sizeOf, stillOf } from '../../data/views/view.ts';
import { openEngine } from '../../engine/open.ts';
import { random } from '../../nn/random.ts';
import { hostTensor } from '../../nn/tree.ts';
import { countRight, forward } from '../../training/classify.ts';
import { fit } from '../../training/fit.ts';
import { openImages } from '../../training/images.ts';
import { type ClassificationInputs, startingBackbone } from '../start.ts';
import { saveClassifier } from './checkpoint.ts';
import type { FineTuneConfig } from './config.ts';
import { type Classifier, classify, fineTuneObjective, initClassifier } from './model.ts';

/** Fine-tunes, writes `classifier.safetensors` and `classifier.json`, and measures top-1 on the whole test split. */
export const run: StageFunction<FineTuneConfig, ClassificationInputs> = async (context) => {
  const { config, seed } = context;
  const { view } = config;
  const all = await context.inputs.train.load();
  const test = await context.inputs.test.load();
  const labelled = await balancedSubset(all, config.labels, seed);
  const backbone = await startingBackbone(context, config, sizeOf(view, all));
  const start = initClassifier(random(seed, 'head'), backbone.weights, all.classes.length);
  const engine = await openEngine(context.engine);
  const objective = fineTuneObjective(config, backbone.config, start);
  const { parameters, last } = await fit(context, engine, objective, {
    recipe: config,
    images: labelled.count,
    batches(plan) {
      const options = { purpose: 'fine-tuning', view, pictures: { images: {} } };
      const loader = openImages(context, labelled, plan, options);
      return {
        close: loader.close,
        async batch({ step, index, first }) {
          const { pictures, targets } = await loader.batch(index);
          return {
            images: pictures.images,
            labels: hostTensor([targets.length], Int32Array.from(targets)),
            ...(config.dropPath > 0 ? { noise: dropPathNoise(seed, { step, first }) } : {}),
          };
        },
      };
    },
  });
  let right = 0;
  await forward(engine, test, {
    name: 'classification',
    state: engine.state<Classifier<tf.Tensor>>(parameters),
    apply: (classifier, images) => classify(classifier, backbone.config, images),
    view: stillOf(view),
    workers: context.engine.threads,
    signal: context.signal,
    onRows: ({ values, targets }) => {
      right += countRight(values, targets);
    },
  });
  const { config: network, imageSize } = backbone;
  saveClassifier(context.outDir, { config: network, imageSize, weights: parameters });
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
