import type * as tf from '@tensorflow/tfjs-core';
import type { StageContext } from '../../../framework/stage/contract.ts';
import type { Dataset } from '../../data/types.ts';
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
import { supervisionOf } from './supervision.ts';

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
): Batches<VggBatch<tf.Tensor>> {
  const { seed, config } = context;
  const supervision = supervisionOf(config, dataset);
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
