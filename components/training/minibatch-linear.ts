import type * as tf from '@tensorflow/tfjs-core';
import { shuffledBatches } from '../data/order.ts';
import type { Engine } from '../engine/types.ts';
import { type Affine, dense } from '../nn/layers.ts';
import { crossEntropy } from '../nn/losses.ts';
import { hostTensor } from '../nn/tree.ts';
import type { FeatureRows, Standardisation } from './features.ts';
import { fit } from './fit.ts';
import type { TrainingContext } from './loop.ts';
import type { Objective } from './objective.ts';
import type { Recipe } from './recipe.ts';

/** How a linear classifier is trained where a fit to its optimum takes too long; BEiT's values are the defaults. */
export interface MinibatchOptions {
  /** Products of a pass (rows x width x classes) beyond which minibatches are used at all. */
  readonly above: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** Peak of the cosine schedule. */
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** A linear classifier trained by AdamW from zero weights; `x` as that of a `LogisticFit`. Rows are read by batch. */
export async function fitInMinibatches(
  context: TrainingContext,
  engine: Engine,
  features: FeatureRows,
  { mean, factor }: Standardisation,
  options: { readonly classes: number; readonly seed: number; readonly minibatch: MinibatchOptions },
): Promise<{ x: Float64Array; loss: number; steps: number }> {
  const { classes, seed, minibatch } = options;
  const { count, width } = features;
  const batchSize = Math.min(minibatch.batchSize, count);
  const steps = Math.ceil((minibatch.epochs * count) / batchSize);
  const recipe: Recipe = {
    ...{ steps, batchSize, learningRate: minibatch.learningRate },
    ...{ betas: [0.9, 0.999], weightDecay: minibatch.weightDecay, clipNorm: 0 },
  };
  const objective: Objective<Affine<tf.Tensor>, { rows: tf.Tensor; labels: tf.Tensor }> = {
    name: 'linear classifier',
    init: () => ({ weight: hostTensor([width, classes]), bias: hostTensor([classes]) }),
    loss: (parameters, { batch }) => ({ loss: crossEntropy(dense(batch.rows, parameters), batch.labels) }),
  };
  const order = shuffledBatches({ count, batch: batchSize, seed, purpose: 'linear classifier' });
  const { parameters, last } = await fit(context, engine, objective, {
    recipe,
    images: count,
    batches: () => ({
      batch({ step }) {
        const places = order.at(step);
        const rows = features.read(places).map((value, i) => (value - mean[i % width]) * factor[i % width]);
        const labels = places.map((place) => features.labels[place]);
        return { rows: hostTensor([batchSize, width], rows), labels: hostTensor([batchSize], labels) };
      },
    }),
    // Rows of features, not images.
    imagesPerStep: 0,
    logEvery: 50,
  });
  const { weight, bias } = parameters;
  return { x: Float64Array.from([...weight.data, ...bias.data]), loss: last.loss, steps };
}
