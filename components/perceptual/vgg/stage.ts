import path from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { StageContext, StageFunction, StageResult } from '../../../framework/stage/contract.ts';
import { countHeldOut } from '../../data/held-count.ts';
import { reportSkipped } from '../../data/skipped.ts';
import { subset } from '../../data/subset.ts';
import type { Dataset } from '../../data/types.ts';
import { openEngine } from '../../engine/open.ts';
import type { Engine } from '../../engine/types.ts';
import { random } from '../../nn/random.ts';
import { type Fitted, fit } from '../../training/fit.ts';
import { saveTree } from '../../weights/safetensors.ts';
import { measureAccuracy, vggBatches, vggObjective } from './classifier.ts';
import type { VggConfig } from './config.ts';
import { contrastiveBatches, contrastiveObjective, measurePairs } from './contrastive.ts';
import { initVgg, type VggParameters } from './model.ts';
import { supervisionOf } from './supervision.ts';

type Context = StageContext<VggConfig>;

/**
 * Trains the network on a part of the training data, measures it on the rest, and writes `vgg.safetensors`. Of no steps
 * the initial weights are all there is.
 */
export const run: StageFunction<VggConfig, { readonly train: Dataset }> = reportSkipped(async (context) => {
  const { config, seed } = context;
  const file = path.join(context.outDir, 'vgg.safetensors');
  if (config.steps !== 0) return trainVgg(context, await context.inputs.train.load(), file);
  saveTree(file, initVgg(config, 1, seed));
  return { metrics: { labels: 0 }, about: 'untrained network' };
});

/** A training, and how good the network is on images that it hasn't seen. */
interface Trained {
  readonly fitted: Fitted<VggParameters<tf.Tensor>, undefined>;
  readonly heldOutAccuracy: number;
}

async function trainVgg(context: Context, all: Dataset, file: string): Promise<StageResult> {
  const { config, seed } = context;
  const [learnt, heldOut] = holdOut(all, config.holdOut, seed);
  const engine = await openEngine(context.engine);
  try {
    const train = config.objective === 'contrastive' ? trainContrastive : trainClassifier;
    const { fitted, heldOutAccuracy } = await train(context, engine, learnt, heldOut);
    const { parameters, last, plan } = fitted;
    context.log({ step: plan.steps, heldOutAccuracy });
    saveTree(file, parameters);
    // Different images of all batches: those of an epoch have none twice.
    const seen = Math.min(learnt.count, plan.steps * config.batchSize);
    const labels = config.objective === 'supervised' ? seen : 0;
    const { loss, accuracy } = last;
    return {
      metrics: { loss, accuracy, heldOutAccuracy, heldOutImages: heldOut.count, labels },
      about: describeTraining(config, seen),
    };
  } finally {
    engine.dispose();
  }
}

async function trainClassifier(
  context: Context,
  engine: Engine,
  learnt: Dataset,
  heldOut: Dataset,
): Promise<Trained> {
  const { config, seed } = context;
  const supervision = supervisionOf(config.objective as 'supervised' | 'rotations', learnt);
  const fitted = await fit(context, engine, vggObjective(config, supervision.classes, seed), {
    recipe: config,
    images: learnt.count,
    batches: (plan) => vggBatches(context, learnt, plan, supervision),
  });
  const heldOutAccuracy = await measureAccuracy(engine, fitted.parameters, heldOut, context, supervision);
  return { fitted, heldOutAccuracy };
}

async function trainContrastive(
  context: Context,
  engine: Engine,
  learnt: Dataset,
  heldOut: Dataset,
): Promise<Trained> {
  const { config, seed } = context;
  const fitted = await fit(context, engine, contrastiveObjective(config, seed), {
    recipe: config,
    images: learnt.count,
    batches: (plan) => contrastiveBatches(context, learnt, plan),
  });
  return { fitted, heldOutAccuracy: await measurePairs(engine, fitted.parameters, heldOut, context) };
}

function describeTraining({ objective }: VggConfig, images: number): string {
  const many = images.toLocaleString('en-US');
  if (objective === 'supervised') return `network trained on ${many} labels`;
  const what = objective === 'rotations' ? 'rotations' : 'two views each';
  return `network trained without labels, on ${what} of ${many} images`;
}

/** The data to learn from, and at least one image to measure on. */
function holdOut(dataset: Dataset, share: number, seed: number): [Dataset, Dataset] {
  const order = random(seed, 'vgg', 'hold-out').permutation(dataset.count);
  const kept = countHeldOut(dataset.count, share);
  return [subset(dataset, order.slice(kept)), subset(dataset, order.slice(0, kept))];
}
