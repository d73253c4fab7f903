import type * as tf from '@tensorflow/tfjs-core';
import type { StageContext, StageFunction } from '../../../framework/stage/contract.ts';
import type { Backbone } from '../../backbone/checkpoint.ts';
import { dropPathNoise } from '../../backbone/drop-path.ts';
import { openDetectionLoader } from '../../data/dense/detection-loader.ts';
import { holdOut } from '../../data/hold-out.ts';
import { reportSkipped } from '../../data/skipped.ts';
import type { ImageInstances } from '../../data/targets.ts';
import type { Dataset } from '../../data/types.ts';
import { sizeOf } from '../../data/views/view.ts';
import { openEngine } from '../../engine/open.ts';
import type { Engine, HostOf } from '../../engine/types.ts';
import type { RunningStatistics } from '../../nn/batch-norm.ts';
import { random } from '../../nn/random.ts';
import { type Batches, fit } from '../../training/fit.ts';
import type { Plan } from '../../training/recipe.ts';
import { openValidation } from '../../training/validation.ts';
import { startingBackbone } from '../start.ts';
import { followed } from '../tested.ts';
import { saveDetector } from './checkpoint.ts';
import type { MaskRcnnConfig } from './config.ts';
import { type Finder, openFinder } from './find.ts';
import { checkObjects } from './has-objects.ts';
import { openMeasure, scoreOf } from './measure.ts';
import { measureTest } from './measure-test.ts';
import type { Trained } from './model/detect.ts';
import { type Detector, type DetectorConfig, initDetector } from './model/detector.ts';
import { type DetectionTensors, detectionObjective, samplingNoise } from './model/objective.ts';

/** What the inputs load to; in the row `scratch` nothing is pretrained. */
export interface DetectionInputs {
  readonly train: Dataset<ImageInstances>;
  readonly test: Dataset<ImageInstances>;
  readonly pretrained?: Backbone;
}

type Context = StageContext<MaskRcnnConfig, DetectionInputs>;
type Weights = HostOf<Trained<tf.Tensor>>;

/**
 * Trains the detector and measures it on the whole test split. Writes `detector.safetensors` and `detector.json`, what was found
 * in the test images as `detections.json` in COCO's results format, and two strips of the first of them, `truth.png` and
 * `predictions.png`. What was found before the stage was stopped or killed isn't looked for again.
 */
export const run: StageFunction<MaskRcnnConfig, DetectionInputs> = reportSkipped(async (given) => {
  const { context, tested } = followed(given);
  const { config, seed } = context;
  const all = await context.inputs.train.load();
  const test = await context.inputs.test.load();
  const size = sizeOf(config.view, all);
  const backbone = await startingBackbone(context, config, size);
  const detector = detectorOf(config, backbone.config);
  const start = initDetector(random(seed, 'detector'), detector, backbone.weights, all.classes.length);
  const engine = await openEngine(context.engine);
  const finding = openFinding(context, engine, detector, size);
  const validation = await openValidation<ImageInstances, Detector<tf.Tensor>, RunningStatistics<tf.Tensor>>(
    config.checkpoint,
    all,
    {
      seed,
      async split(...whole) {
        const parts = holdOut(...whole);
        await checkObjects(parts.held, 'held');
        return parts;
      },
      async score(held, parameters, rest) {
        const measure = openMeasure(all.classes.length);
        const finder = await finding({ parameters, rest });
        for await (const images of finder.over(held))
          for (const { target, detections } of images) measure.add(target, detections);
        return scoreOf(measure.summary());
      },
    },
  );
  const { learnt } = validation;
  await checkObjects(learnt, 'learnt');
  await checkObjects(test, 'test');
  const objective = detectionObjective({ config: { ...detector, dropPath: config.dropPath }, start });
  const fitted = await fit(context, engine, objective, {
    ...{ recipe: config, images: learnt.count, ...validation.select },
    batches: (plan) => openBatches(context, learnt, plan),
  });
  const trained: Weights = { parameters: fitted.parameters, rest: fitted.rest };
  const finder = await finding(trained);
  const { metrics, resampled } = await measureTest(context, test, finder, {
    engine: engine.name,
    trained,
    tested,
  });
  saveDetector(context.outDir, { config: detector, imageSize: size, classes: all.classes, trained });
  engine.dispose();
  return {
    metrics: { ...metrics, images: test.count, trainLoss: fitted.last.loss!, ...validation.metrics(fitted) },
    resampled,
    about: [`${all.count.toLocaleString('en-US')} images`, ...validation.describe(fitted)].join(', '),
  };
});

/** The fields of the model, and the backbone that it has. */
function detectorOf(config: MaskRcnnConfig, backbone: DetectorConfig['backbone']): DetectorConfig {
  const { layers, fpnChannels, anchors, rpn, boxHead, maskHead, pooling, detections } = config;
  return {
    ...{ backbone, fpnChannels, anchors, rpn, boxHead, maskHead, pooling, detections },
    ...(layers && { layers }),
  };
}

/** Test images that are in memory at once, at most. */
const testBatch = 8;

/** Finds objects with weights that it is given; its program is compiled at the first use. */
function openFinding(context: Context, engine: Engine, config: DetectorConfig, size: number) {
  const { view, testView, batchSize, microBatch = batchSize } = context.config;
  const { fill, interpolation } = view;
  let opened: Awaited<ReturnType<typeof openFinder>> | undefined;
  return async (weights: Weights): Promise<Finder> => {
    opened ??= await openFinder(engine, weights, {
      ...{ config, signal: context.signal, workers: context.engine.threads },
      view: { ...testView, size, fill, interpolation },
      batchSize: Math.min(microBatch, testBatch),
    });
    opened.use(weights);
    return opened;
  };
}

function openBatches(
  { config, seed, engine, warn }: Context,
  data: Dataset<ImageInstances>,
  { microBatch, parts, end }: Plan,
): Batches<DetectionTensors<tf.Tensor>> {
  const loader = openDetectionLoader(data, {
    ...{ seed, purpose: 'detection', view: config.view, ...(warn && { warn }) },
    ...{ batchSize: microBatch, steps: end * parts, workers: engine.threads },
  });
  return {
    close: loader.close,
    async batch({ step, index, first }) {
      const { indices: _, ...tensors } = await loader.batch(index);
      return {
        ...tensors,
        sampling: samplingNoise(seed, { step, first }),
        ...(config.dropPath > 0 ? { noise: dropPathNoise(seed, { step, first }) } : {}),
      };
    },
  };
}
