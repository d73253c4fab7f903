import type * as tf from '@tensorflow/tfjs-core';
import type { StageFunction } from '../../../framework/stage/contract.ts';
import { dropPathNoise } from '../../backbone/drop-path.ts';
import { reportSkipped } from '../../data/skipped.ts';
import { balancedSubset } from '../../data/subset.ts';
import { sizeOf } from '../../data/views/view.ts';
import { openEngine } from '../../engine/open.ts';
import { random } from '../../nn/random.ts';
import { hostTensor } from '../../nn/tree.ts';
import { countRight, forward } from '../../training/classify.ts';
import { fit } from '../../training/fit.ts';
import { openImages } from '../../training/images.ts';
import { type ClassificationInputs, startingBackbone } from '../start.ts';
import { saveClassifier } from './checkpoint.ts';
import type { FineTuneConfig } from './config.ts';
import { mixesOf } from './mixing.ts';
import { mixes } from './mixing-config.ts';
import { type Classifier, classify, fineTuneObjective, initClassifier } from './model.ts';

/**
 * Fine-tunes, writes `classifier.safetensors` and `classifier.json`, and measures top-1 and, of more than five classes, top-5
 * on the whole test split.
 */
export const run: StageFunction<FineTuneConfig, ClassificationInputs> = reportSkipped(async (context) => {
  const { config, seed } = context;
  const { view, testView } = config;
  const all = await context.inputs.train.load();
  const test = await context.inputs.test.load();
  const labelled = config.labels === undefined ? all : await balancedSubset(all, config.labels, seed);
  const size = sizeOf(view, all);
  const backbone = await startingBackbone(context, config, size);
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
          const count = targets.length;
          return {
            images: pictures.images,
            labels: hostTensor([count], Int32Array.from(targets)),
            ...(config.dropPath > 0 ? { noise: dropPathNoise(seed, { step, first }) } : {}),
            ...(mixes(config) ? { mixes: mixesOf(config, { seed, step, first, count }, size) } : {}),
          };
        },
      };
    },
  });
  let [top1, top5] = [0, 0];
  await forward(engine, test, {
    name: 'classification',
    state: engine.state<Classifier<tf.Tensor>>(parameters),
    apply: (classifier, images) => classify(classifier, backbone.config, images),
    view: { ...testView, size, interpolation: view.interpolation },
    workers: context.engine.threads,
    signal: context.signal,
    onRows: ({ values, targets }) => {
      top1 += countRight(values, targets);
      top5 += countRight(values, targets, 5);
    },
  });
  const { config: network, imageSize } = backbone;
  saveClassifier(context.outDir, { config: network, imageSize, weights: parameters });
  engine.dispose();
  return {
    metrics: {
      top1: top1 / test.count,
      // Of five classes each is among the first five.
      ...(all.classes.length > 5 ? { top5: top5 / test.count } : {}),
      images: test.count,
      trainLoss: last.loss,
    },
    about: `${labelled.count.toLocaleString('en-US')} labels`,
  };
});
