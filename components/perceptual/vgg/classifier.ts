import * as tf from '@tensorflow/tfjs-core';
import type { StageContext } from '../../../framework/stage/contract.ts';
import { onePass } from '../../data/loader.ts';
import type { Dataset } from '../../data/types.ts';
import { sizeOf, stillOf } from '../../data/views/view.ts';
import type { Engine, HostOf } from '../../engine/types.ts';
import { accuracy, crossEntropy } from '../../nn/losses.ts';
import { random } from '../../nn/random.ts';
import { bytesTensor, hostTensor } from '../../nn/tree.ts';
import { unit } from '../../nn/unit.ts';
import type { Batches } from '../../training/fit.ts';
import { openImages } from '../../training/images.ts';
import type { Objective } from '../../training/objective.ts';
import type { Plan } from '../../training/recipe.ts';
import type { VggConfig } from './config.ts';
import { initVgg, type VggParameters, vggLogits } from './model.ts';
import type { VggSupervision } from './supervision.ts';

export interface VggBatch<T> {
  /** uint8 [n, h, w, 3] and int32 [n]. */
  readonly images: T;
  readonly labels: T;
}

/** Cross-entropy of the right answers. */
export function vggObjective(
  config: VggConfig,
  classes: number,
  seed: number,
): Objective<VggParameters<tf.Tensor>, VggBatch<tf.Tensor>> {
  return {
    name: 'vgg training',
    init: () => initVgg(config, classes, seed),
    loss(parameters, { batch: { images, labels } }) {
      const logits = vggLogits(parameters, unit(images as tf.Tensor4D), config);
      return {
        loss: crossEntropy(logits, labels, { smoothing: config.labelSmoothing }),
        shown: { accuracy: accuracy(logits, labels) },
      };
    },
  };
}

/** Images as the view shows them, with the answers that the network learns to give. */
export function vggBatches(
  context: StageContext<VggConfig>,
  dataset: Dataset,
  plan: Plan,
  supervision: VggSupervision,
): Batches<VggBatch<tf.Tensor>> {
  const { seed, config } = context;
  const options = { purpose: 'vgg', view: config.view, pictures: { images: {} } };
  const loader = openImages(context, dataset, plan, options);
  return {
    close: loader.close,
    async batch({ index }) {
      const { pictures, targets } = await loader.batch(index);
      const draw = (place: number) => random(seed, 'vgg', 'supervision', index * plan.microBatch + place);
      const { images, answers } = supervision.pose(pictures.images.data as Uint8Array, targets, draw);
      return {
        images: bytesTensor(pictures.images.shape, images),
        labels: hostTensor([targets.length], answers),
      };
    },
  };
}

/** Share of right answers on images that were held out. */
export async function measureAccuracy(
  engine: Engine,
  parameters: HostOf<VggParameters<tf.Tensor>>,
  dataset: Dataset,
  { config, seed, signal, engine: { threads } }: StageContext<VggConfig>,
  supervision: VggSupervision,
): Promise<number> {
  const view = stillOf(config.view);
  const size = sizeOf(view, dataset);
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
