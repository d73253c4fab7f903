import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { StageContext, StageFunction, StageResult } from '../../../framework/stage/contract.ts';
import { onePass } from '../../data/loader.ts';
import { subset } from '../../data/subset.ts';
import type { Dataset } from '../../data/types.ts';
import { sizeOf, stillOf } from '../../data/views/view.ts';
import { openEngine } from '../../engine/open.ts';
import type { Engine, HostOf } from '../../engine/types.ts';
import { random } from '../../nn/random.ts';
import { bytesTensor } from '../../nn/tree.ts';
import { unit } from '../../nn/unit.ts';
import { fit } from '../../training/fit.ts';
import { saveTree } from '../../weights/safetensors.ts';
import type { VggConfig } from './config.ts';
import { countHeldOut } from './hold-out.ts';
import { initVgg, type VggParameters, vggLogits } from './model.ts';
import { supervisionOf } from './supervision.ts';
import { vggBatches, vggObjective } from './training.ts';

/**
 * Trains the network on a part of the training data, measures it on the rest, and writes `vgg.safetensors`. Of no steps
 * the initial weights are all there is.
 */
export const run: StageFunction<VggConfig, { readonly train: Dataset }> = async (context) => {
  const { config, seed } = context;
  const all = await context.inputs.train.load();
  const file = path.join(context.outDir, 'vgg.safetensors');
  if (config.steps !== 0) return trainVgg(context, all, file);
  saveTree(file, initVgg(config, supervisionOf(config, all).classes, seed));
  return { metrics: { labels: 0 }, about: 'untrained network' };
};

async function trainVgg(context: StageContext<VggConfig>, all: Dataset, file: string): Promise<StageResult> {
  const { config, seed } = context;
  const [learnt, heldOut] = holdOut(all, config.holdOut, seed);
  const engine = await openEngine(context.engine);
  try {
    const objective = vggObjective(config, supervisionOf(config, all).classes, seed);
    const { parameters, last, plan } = await fit(context, engine, objective, {
      recipe: config,
      images: learnt.count,
      batches: (plan) => vggBatches(context, learnt, plan),
    });
    const heldOutAccuracy = await measureAccuracy(engine, parameters, heldOut, context);
    context.log({ step: plan.steps, heldOutAccuracy });
    saveTree(file, parameters);
    // Different images of all batches: those of an epoch have none twice.
    const seen = Math.min(learnt.count, plan.steps * config.batchSize);
    const labels = config.supervision === 'labels' ? seen : 0;
    return {
      metrics: {
        loss: last.loss,
        accuracy: last.accuracy,
        heldOutAccuracy,
        heldOutImages: heldOut.count,
        labels,
      },
      about: describeTraining(config, seen),
    };
  } finally {
    engine.dispose();
  }
}

function describeTraining({ supervision }: VggConfig, images: number): string {
  const many = images.toLocaleString('en-US');
  if (supervision === 'labels') return `network trained on ${many} labels`;
  return `network trained without labels, on rotations of ${many} images`;
}

/** The data to learn from, and at least one image to measure on. */
function holdOut(dataset: Dataset, share: number, seed: number): [Dataset, Dataset] {
  const order = random(seed, 'vgg', 'hold-out').permutation(dataset.count);
  const kept = countHeldOut(dataset.count, share);
  return [subset(dataset, order.slice(kept)), subset(dataset, order.slice(0, kept))];
}

async function measureAccuracy(
  engine: Engine,
  parameters: HostOf<VggParameters<tf.Tensor>>,
  dataset: Dataset,
  { config, seed, signal, engine: { threads } }: StageContext<VggConfig>,
): Promise<number> {
  const view = stillOf(config.view);
  const size = sizeOf(view, dataset);
  const supervision = supervisionOf(config, dataset);
  const batchSize = Math.min(100, dataset.count);
  const program = await engine.compile({
    name: 'vgg accuracy',
    state: engine.state<VggParameters<tf.Tensor>>(parameters),
    step: (values: VggParameters<tf.Tensor>, batch: { images: tf.Tensor }) => ({
      state: values,
      out: { classes: tf.argMax(vggLogits(values, unit(batch.images as tf.Tensor4D), config), -1) },
    }),
    batch: { images: { dtype: 'uint8', shape: [batchSize, size, size, 3] } },
  });
  let right = 0;
  const pass = { view, batchSize, signal, workers: threads, pictures: { images: {} } };
  for await (const { pictures, targets, indices, real } of onePass(dataset, pass)) {
    const draw = (place: number) => random(seed, 'vgg', 'held-out supervision', indices[place]);
    const { images, answers } = supervision.pose(pictures.images.data as Uint8Array, targets, draw);
    const { classes } = await program.run({ images: bytesTensor(pictures.images.shape, images) });
    for (let i = 0; i < real; i++) if (classes.data[i] === answers[i]) right++;
  }
  program.dispose();
  return right / dataset.count;
}
