import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { StageContext, StageFunction, StageResult } from '../../../framework/stage/contract.ts';
import { onePass } from '../../data/loader.ts';
import { subset } from '../../data/subset.ts';
import type { Dataset } from '../../data/types.ts';
import { plainView, sizeOf } from '../../data/views/view.ts';
import { openEngine } from '../../engine/open.ts';
import type { Engine, State } from '../../engine/types.ts';
import { random } from '../../nn/random.ts';
import { hostTensor } from '../../nn/tree.ts';
import { train } from '../../training/loop.ts';
import { saveTree } from '../../weights/safetensors.ts';
import type { VggConfig } from './config.ts';
import { countHeldOut } from './hold-out.ts';
import { initVgg, vggLogits } from './model.ts';
import { supervisionOf } from './supervision.ts';
import { initVggState, type VggState, vggBatches, vggBatchSpec, vggStep } from './training.ts';

/**
 * Trains the network on a part of the training data, measures it on the rest, and writes `vgg.safetensors`. Of no steps
 * the initial weights are all there is.
 */
export const run: StageFunction<VggConfig> = async (context) => {
  const { config, seed } = context;
  const all = await context.inputs.train.load<Dataset>();
  const file = path.join(context.outDir, 'vgg.safetensors');
  if (config.steps > 0) return trainVgg(context, all, file);
  saveTree(file, initVgg(config, supervisionOf(config, all).classes, seed));
  return { metrics: { labels: 0 }, about: 'untrained network' };
};

async function trainVgg(context: StageContext<VggConfig>, all: Dataset, file: string): Promise<StageResult> {
  const { config, seed } = context;
  const [learnt, heldOut] = holdOut(all, config.holdOut, seed);
  const engine = await openEngine(context.engine);
  try {
    const state = engine.state<VggState<tf.Tensor>>(
      initVggState(config, supervisionOf(config, all).classes, seed),
    );
    const program = await engine.compile({
      name: 'vgg training',
      step: vggStep(config),
      state,
      batch: vggBatchSpec(config.batchSize, sizeOf(plainView, all)),
    });
    const { steps, batchSize } = config;
    const batch = vggBatches(learnt, config, seed);
    const last = await train(context, { program, state, steps, batchSize, batch });
    program.dispose();
    const heldOutAccuracy = await measureAccuracy(engine, state, heldOut, context);
    context.log({ step: steps, heldOutAccuracy });
    saveTree(file, state.read().parameters);
    const seen = imagesSeen(learnt, config);
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

/** Different images of all batches: those of an epoch have none twice. */
function imagesSeen({ count }: Dataset, { steps, batchSize }: VggConfig): number {
  return Math.min(count, steps * batchSize);
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
  state: State<VggState<tf.Tensor>>,
  dataset: Dataset,
  { config, seed, signal, engine: { threads } }: StageContext<VggConfig>,
): Promise<number> {
  const size = sizeOf(plainView, dataset);
  const supervision = supervisionOf(config, dataset);
  const batchSize = Math.min(100, dataset.count);
  const program = await engine.compile({
    name: 'vgg accuracy',
    state,
    step: (values: VggState<tf.Tensor>, batch: { images: tf.Tensor }) => ({
      state: values,
      out: { classes: tf.argMax(vggLogits(values.parameters, batch.images as tf.Tensor4D, config), -1) },
    }),
    batch: { images: { shape: [batchSize, size, size, 3] } },
  });
  let right = 0;
  const pass = { view: plainView, batchSize, signal, workers: threads, pictures: { images: {} } };
  for await (const { pictures, targets, indices, real } of onePass(dataset, pass)) {
    const draw = random(seed, 'vgg', 'held-out supervision', indices[0]);
    const { images, answers } = supervision.pose(pictures.images.data as Float32Array, targets, draw);
    const { classes } = await program.run({ images: hostTensor(pictures.images.shape, images) });
    for (let i = 0; i < real; i++) if (classes.data[i] === answers[i]) right++;
  }
  program.dispose();
  return right / dataset.count;
}
