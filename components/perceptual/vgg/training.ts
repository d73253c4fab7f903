import type * as tf from '@tensorflow/tfjs-core';
import { imagesAt } from '../../data/loader.ts';
import { shuffledBatches } from '../../data/order.ts';
import type { Dataset } from '../../data/types.ts';
import { flipRandomly, shiftRandomly } from '../../data/views/augment.ts';
import { plainView, sizeOf } from '../../data/views/view.ts';
import type { HostOf, HostTensor, SpecOf } from '../../engine/types.ts';
import { accuracy, crossEntropy } from '../../nn/losses.ts';
import { random } from '../../nn/random.ts';
import { hostTensor } from '../../nn/tree.ts';
import { valueAndGradients } from '../../training/gradients.ts';
import { adamw, initMoments, type Moments, type StepSize } from '../../training/optimizer.ts';
import { cosineLearningRate, stepSize } from '../../training/schedule.ts';
import type { VggConfig } from './config.ts';
import { initVgg, type VggParameters, vggLogits } from './model.ts';
import { supervisionOf } from './supervision.ts';

export interface VggState<T> {
  readonly parameters: VggParameters<T>;
  readonly moments: Moments<VggParameters<T>>;
}

export interface VggBatch<T> {
  /** [n, h, w, 3] in [0, 1] and int32 [n]. */
  readonly images: T;
  readonly labels: T;
  readonly size: StepSize<T>;
}

export function initVggState(config: VggConfig, classes: number, seed: number): VggState<HostTensor> {
  const parameters = initVgg(config, classes, seed);
  return { parameters, moments: initMoments(parameters) };
}

/** One AdamW step on the cross-entropy of the right answers. */
export function vggStep(config: VggConfig) {
  return (state: VggState<tf.Tensor>, batch: VggBatch<tf.Tensor>) => {
    const { loss, gradients, aux } = valueAndGradients(state.parameters, (parameters) => {
      const logits = vggLogits(parameters, batch.images as tf.Tensor4D, config);
      const smoothing = config.labelSmoothing;
      return {
        loss: crossEntropy(logits, batch.labels, { smoothing }),
        aux: { accuracy: accuracy(logits, batch.labels) },
      };
    });
    const { parameters, moments } = adamw(state.parameters, gradients, state.moments, batch.size, {
      weightDecay: config.weightDecay,
    });
    return { state: { parameters, moments }, out: { loss, accuracy: aux.accuracy } };
  };
}

export function vggBatchSpec(batchSize: number, imageSize: number): SpecOf<VggBatch<tf.Tensor>> {
  const scalar = { shape: [] };
  return {
    images: { shape: [batchSize, imageSize, imageSize, 3] },
    labels: { shape: [batchSize], dtype: 'int32' },
    size: { learningRate: scalar, correction1: scalar, correction2: scalar },
  };
}

/** The batch of a step, augmented: a pure function of the step. */
export function vggBatches(
  dataset: Dataset,
  config: VggConfig,
  seed: number,
): (step: number) => Promise<HostOf<VggBatch<tf.Tensor>>> {
  const { batchSize, flip, shift } = config;
  const size = sizeOf(plainView, dataset);
  const supervision = supervisionOf(config, dataset);
  const batches = shuffledBatches({ count: dataset.count, batch: batchSize, seed, purpose: 'vgg' });
  return async (step) => {
    const indices = batches.at(step);
    const pixels = (await imagesAt(dataset, indices)).data as Float32Array;
    const labels = await Promise.all(Array.from(indices, (index) => dataset.target(index)));
    if (flip) flipRandomly(pixels, size, random(seed, 'vgg', 'flip', step));
    const moved = shift > 0 ? shiftRandomly(pixels, size, shift, random(seed, 'vgg', 'shift', step)) : pixels;
    const { images, answers } = supervision.pose(moved, labels, random(seed, 'vgg', 'supervision', step));
    return {
      images: hostTensor([batchSize, size, size, 3], images),
      labels: hostTensor([batchSize], answers),
      size: stepSize(step, cosineLearningRate(step, config)),
    };
  };
}
