import type * as tf from '@tensorflow/tfjs-core';
import type { StageContext, StageFunction } from '../../../framework/stage/contract.ts';
import type { Backbone } from '../../backbone/checkpoint.ts';
import { dropPathNoise } from '../../backbone/drop-path.ts';
import { usualLayers } from '../../backbone/pyramid-config.ts';
import { checkLabelled } from '../../data/dense/labelled.ts';
import { openSegmentationLoader } from '../../data/dense/segmentation-loader.ts';
import { holdOut } from '../../data/hold-out.ts';
import { reportSkipped } from '../../data/skipped.ts';
import type { LabelMap } from '../../data/targets.ts';
import type { Dataset } from '../../data/types.ts';
import { sizeOf } from '../../data/views/view.ts';
import { openEngine } from '../../engine/open.ts';
import type { RunningStatistics } from '../../nn/batch-norm.ts';
import { random } from '../../nn/random.ts';
import { type Batches, fit } from '../../training/fit.ts';
import type { Plan } from '../../training/recipe.ts';
import { openValidation } from '../../training/validation.ts';
import { startingBackbone } from '../start.ts';
import { followed } from '../tested.ts';
import { saveSegmenter } from './checkpoint.ts';
import type { UperNetConfig } from './config.ts';
import { openSeeing, scoresOn } from './measure.ts';
import { measureTest } from './measure-test.ts';
import { dropoutNoise, type SegmentationBatch, segmentationObjective } from './model/objective.ts';
import { initSegmenter, type Segmenter, type SegmenterSizes } from './model/segmenter.ts';

/** What the inputs of a segmentation load to; in the row `scratch` nothing is pretrained. */
interface Inputs {
  readonly train: Dataset<LabelMap>;
  readonly test: Dataset<LabelMap>;
  readonly pretrained?: Backbone;
}

const heldOut = 'the training images that are held out for validation';

/**
 * Trains, writes `segmenter.safetensors` and `segmenter.json`, measures mIoU, mAcc and aAcc on the whole test split, and draws
 * its first images (`truth.png`, `predictions.png`). What was seen before the stage was stopped or killed isn't looked at again.
 */
export const run: StageFunction<UperNetConfig, Inputs> = reportSkipped(async (given) => {
  const { context, tested } = followed(given);
  const { config, seed } = context;
  const all = await context.inputs.train.load();
  const test = await context.inputs.test.load();
  const size = sizeOf(config.view, all);
  const backbone = await startingBackbone(context, config, size);
  const sizes = sizesOf(config, backbone, all.classes.length);
  const start = initSegmenter(random(seed, 'head'), backbone.weights, sizes);
  const engine = await openEngine(context.engine);
  const seeing = openSeeing(context, engine, { sizes, size });
  const validation = await openValidation<LabelMap, Segmenter<tf.Tensor>, RunningStatistics<tf.Tensor>>(
    config.checkpoint,
    all,
    {
      seed,
      async split(...whole) {
        const parts = holdOut(...whole);
        await checkLabelled(parts.held, heldOut);
        return parts;
      },
      score: async (held, parameters, running) =>
        (await scoresOn(held, await seeing({ parameters, running }), heldOut)).mIoU,
    },
  );
  const { learnt } = validation;
  await checkLabelled(learnt, 'the training images');
  await checkLabelled(test, 'the test images');
  const fitted = await fit(context, engine, segmentationObjective(config, sizes, start), {
    ...{ recipe: config, images: learnt.count, ...validation.select },
    batches: (plan) => openBatches(context, learnt, plan),
  });
  const weights = { parameters: fitted.parameters, running: fitted.rest };
  const { scores, resampled } = await measureTest(context, test, await seeing(weights), {
    ...{ engine: engine.name, weights, tested },
  });
  saveSegmenter(context.outDir, { ...sizes, imageSize: size, classNames: all.classes, weights });
  engine.dispose();
  const about = validation.describe(fitted);
  return {
    metrics: { ...scores, images: test.count, trainLoss: fitted.last.loss, ...validation.metrics(fitted) },
    resampled,
    ...(about.length > 0 ? { about: about.join(', ') } : {}),
  };
});

function sizesOf(
  { layers, channels, auxiliary }: UperNetConfig,
  { config: backbone }: Backbone,
  classes: number,
): SegmenterSizes {
  return {
    backbone,
    layers: layers ?? usualLayers(backbone.depth),
    classes,
    channels: channels ?? backbone.dim,
    ...(auxiliary.weight > 0 ? { auxiliary: auxiliary.channels } : {}),
  };
}

function openBatches(
  { config, seed, engine }: StageContext<UperNetConfig>,
  data: Dataset<LabelMap>,
  { microBatch, parts, end }: Plan,
): Batches<SegmentationBatch<tf.Tensor>> {
  const loader = openSegmentationLoader(data, {
    ...{ seed, purpose: 'segmentation', batchSize: microBatch, steps: end * parts },
    ...{ workers: engine.threads, view: config.view },
  });
  return {
    close: loader.close,
    async batch({ step, index, first }) {
      const { images, labels } = await loader.batch(index);
      return {
        ...{ images, labels },
        ...(config.dropPath > 0 ? { noise: dropPathNoise(seed, { step, first }) } : {}),
        ...(config.dropout > 0 ? { dropout: dropoutNoise(seed, { step, first }) } : {}),
      };
    },
  };
}
