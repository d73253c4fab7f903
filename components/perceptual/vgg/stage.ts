import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { StageFunction } from '../../../framework/stage/contract.ts';
import { orderedBatches } from '../../data/batches.ts';
import { subset } from '../../data/subset.ts';
import type { Dataset } from '../../data/types.ts';
import { openEngine } from '../../engine/open.ts';
import type { Engine, State } from '../../engine/types.ts';
import { random } from '../../nn/random.ts';
import { saveTree } from '../../nn/safetensors.ts';
import { train } from '../../nn/train.ts';
import { hostTensor } from '../../nn/tree.ts';
import type { VggConfig } from './config.ts';
import { vggLogits } from './model.ts';
import { supervisionOf } from './supervision.ts';
import { initVggState, type VggState, vggBatches, vggBatchSpec, vggStep } from './training.ts';

/** Trains the network on a part of the training data, measures it on the rest, and writes `vgg.safetensors`. */
export const run: StageFunction<VggConfig> = async (context) => {
  const { config, seed } = context;
  const all = await context.inputs.train.load<Dataset>();
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
      batch: vggBatchSpec(config.batchSize, all.size),
    });
    const { steps, batchSize } = config;
    const batch = vggBatches(learnt, config, seed);
    const last = await train(context, { program, state, steps, batchSize, batch });
    program.dispose();
    const heldOutAccuracy = await measureAccuracy(engine, state, heldOut, { config, seed });
    context.log({ step: steps, heldOutAccuracy });
    saveTree(path.join(context.outDir, 'vgg.safetensors'), state.read().parameters);
    return {
      metrics: { loss: last.loss, accuracy: last.accuracy, heldOutAccuracy, heldOutImages: heldOut.count },
    };
  } finally {
    engine.dispose();
  }
};

/** The data to learn from, and at least one image to measure on. */
function holdOut(dataset: Dataset, share: number, seed: number): [Dataset, Dataset] {
  const order = random(seed, 'vgg', 'hold-out').permutation(dataset.count);
  const kept = Math.max(1, Math.round(dataset.count * share));
  return [subset(dataset, order.slice(kept)), subset(dataset, order.slice(0, kept))];
}

async function measureAccuracy(
  engine: Engine,
  state: State<VggState<tf.Tensor>>,
  dataset: Dataset,
  { config, seed }: { config: VggConfig; seed: number },
): Promise<number> {
  const supervision = supervisionOf(config, dataset);
  const batchSize = Math.min(100, dataset.count);
  const program = await engine.compile({
    name: 'vgg accuracy',
    state,
    step: (values: VggState<tf.Tensor>, batch: { images: tf.Tensor }) => ({
      state: values,
      out: { classes: tf.argMax(vggLogits(values.parameters, batch.images as tf.Tensor4D, config), -1) },
    }),
    batch: { images: { shape: [batchSize, dataset.size, dataset.size, 3] } },
  });
  let right = 0;
  for (const { indices, count } of orderedBatches(dataset.count, batchSize)) {
    const draw = random(seed, 'vgg', 'held-out supervision', indices[0]);
    const { images, answers } = supervision.pose(dataset.read(indices), indices, draw);
    const { classes } = await program.run({
      images: hostTensor([batchSize, dataset.size, dataset.size, 3], images),
    });
    for (let i = 0; i < count; i++) if (classes.data[i] === answers[i]) right++;
  }
  program.dispose();
  return right / dataset.count;
}
